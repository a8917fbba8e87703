import { rotation } from '../../support/world/families/rotation.ts';
import { testFamilies } from '../../support/world/test-families.ts';

testFamilies(rotation);
