import { requests } from '../../support/world/families/requests.ts';
import { testFamilies } from '../../support/world/test-families.ts';

testFamilies(requests);
