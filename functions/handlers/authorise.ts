import { identifyCaller } from '../core/caller.ts';
import type { CallerRules } from '../core/caller.ts';
import { TokenVendingError } from '../core/errors.ts';
import { isGranted } from '../core/grants.ts';
import type { Ask, Grant } from '../core/grants.ts';
import type { Grants } from '../core/ports.ts';
import type { HttpEvent } from './http-event.ts';
import type { AuditLine } from './http-handler.ts';

/** What says who may do what. */
export interface AuthorisationDeps {
  grants: Grants;
  /** how this deployment's callers prove who they are */
  callers: CallerRules;
}

/**
 * @returns the caller's id, which the audit line takes as well
 * @throws TokenVendingError `no_grant` for identities that no grant can name
 */
export function callerOf({ callers }: AuthorisationDeps, event: HttpEvent, line: AuditLine): string {
  const { authorizer, accountId } = event.requestContext;
  const identified = identifyCaller(authorizer ?? {}, accountId, callers);
  if ('caller' in identified) {
    line.caller = identified.caller;
    return identified.caller;
  }
  line.detail['callerRefused'] = identified.refused;
  throw new TokenVendingError('no_grant');
}

/**
 * Looks at grants alone, never at the account, so that a missing and an existing one take the same time.
 *
 * @returns the caller's grants, all of them
 * @throws TokenVendingError `no_grant`, `grants_unavailable`
 */
export async function authorise({ grants }: AuthorisationDeps, caller: string, ask: Ask): Promise<readonly Grant[]> {
  const held = await grants.of(caller);
  if (!isGranted(held, ask)) throw new TokenVendingError('no_grant');
  return held;
}
