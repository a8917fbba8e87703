import type { Traits } from '../core/provider.ts';

/**
 * What holds where nobody knows better: reuse of a refresh token may kill the session, a refresh may end the old access token,
 * and nothing can be revoked. A provider's file overrides what it has evidence for, and its page names the evidence.
 */
export const careful = {
  rotation: { kind: 'strict' },
  revocationEnds: 'nothing',
  refreshEndsOldToken: true,
  returnsSameToken: false,
  sessionCap: false,
  refreshWith: 'refresh_token',
  loginNeedsPerson: false,
} as const satisfies Partial<Traits>;
