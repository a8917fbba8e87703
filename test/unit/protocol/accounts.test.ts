import { accounts } from '../../support/world/families/accounts.ts';
import { testFamilies } from '../../support/world/test-families.ts';

testFamilies(accounts);
