import { leases } from '../../support/world/families/leases.ts';
import { testFamilies } from '../../support/world/test-families.ts';

testFamilies(leases);
