import type { Family } from '../family.ts';
import { accounts } from './accounts.ts';
import { leases } from './leases.ts';
import { requests } from './requests.ts';
import { rotation } from './rotation.ts';

/** Every family: the names that `npm run test:soak` prints. */
export const families: readonly Family[] = [...rotation, ...leases, ...accounts, ...requests];
