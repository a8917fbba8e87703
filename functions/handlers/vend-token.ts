import { TokenVendingError } from '../core/errors.ts';
import type { Clock, Telemetry } from '../core/ports.ts';
import type { Provider } from '../core/provider.ts';
import { fingerprintOf, keyOf, partitionOf } from '../core/token-set.ts';
import type { AccountRef, TokenSet } from '../core/token-set.ts';
import type { VendCommand, VendOutcome } from '../core/vend-token.ts';
import { authorise, callerOf } from './authorise.ts';
import type { AuthorisationDeps } from './authorise.ts';
import type { HttpEvent } from './http-event.ts';
import { httpHandler } from './http-handler.ts';
import type { AuditLine, HttpHandler } from './http-handler.ts';
import { errorOfRefusal } from './problem.ts';
import { accountOfPath, checked, jsonOf, parametersOf, refuseQuery } from './request.ts';
import { respond, time } from './respond.ts';
import type { HttpResponse } from './respond.ts';
import { vendOptions } from './schemas.ts';

/** What vending over HTTP needs. */
export interface VendTokenHandlerDeps extends AuthorisationDeps {
  vendToken: (command: VendCommand) => Promise<VendOutcome>;
  providers: ReadonlyMap<string, Provider>;
  clock: Clock;
  telemetry: Telemetry;
}

/** `POST /v1/tokens/{provider}/{account}`: who asks, what for, may they; then the use case, then RFC 6749's members. */
export function vendTokenHandler(deps: VendTokenHandlerDeps): HttpHandler {
  return httpHandler(deps, (event) => ({
    event: 'vend',
    // Nothing of a stranger's choice becomes a dimension: each value is a metric that is paid for.
    dimension: deps.providers.has(event.pathParameters?.['provider'] ?? '') ? (event.pathParameters?.['provider'] ?? '') : 'unknown',
    run: (event, line) => vend(deps, event, line),
  }));
}

async function vend(deps: VendTokenHandlerDeps, event: HttpEvent, line: AuditLine): Promise<HttpResponse> {
  const caller = callerOf(deps, event, line);
  const command = commandOf(deps, event, caller, line);
  const { ref, parameters, minTtlSeconds } = command;
  await authorise(deps, caller, { operation: 'vend', partition: partitionOf(ref), parameters, minTtlSeconds });
  return answer(deps, ref, await deps.vendToken(command), line);
}

function commandOf(deps: VendTokenHandlerDeps, event: HttpEvent, caller: string, line: AuditLine): VendCommand {
  const ref = accountOfPath(event);
  line.account = partitionOf(ref);
  refuseQuery(event);
  const { min_ttl, rejected, ...rest } = jsonOf(event);
  const options = checked(vendOptions, { min_ttl, rejected });
  const parameters = parametersOf(deps.providers, ref, rest);
  line.set = keyOf(ref, parameters).sort;
  const asked = options.rejected === undefined ? {} : { rejected: options.rejected };
  return { caller, ref, parameters, minTtlSeconds: options.min_ttl ?? 0, ...asked };
}

function answer({ clock }: VendTokenHandlerDeps, ref: AccountRef, outcome: VendOutcome, line: AuditLine): HttpResponse {
  if (outcome.kind !== 'answered') throw errorOf(outcome, line);
  const body = answerOf(outcome.tokenSet, ref, clock.nowMs());
  line.generation = outcome.generation;
  line.fingerprint = body.fingerprint;
  line.detail['from'] = outcome.from;
  return respond(200, body);
}

function errorOf(outcome: Exclude<VendOutcome, { kind: 'answered' }>, line: AuditLine): TokenVendingError {
  if (outcome.kind === 'renewing') return new TokenVendingError('renewing', { retryAtMs: outcome.retryAtMs });
  if (outcome.kind === 'refused') {
    // The caller reads no more than that the secret is wrong; which field it is stands here and where accounts are inspected.
    line.detail['field'] = outcome.refusal.field;
    line.detail['rule'] = outcome.refusal.rule;
    return errorOfRefusal(outcome.refusal);
  }
  const { maximumSeconds } = outcome;
  const rule = `must be at most ${maximumSeconds}, which is what this token's life allows`;
  return new TokenVendingError('bad_request', { field: 'min_ttl', rule, maximumSeconds });
}

/**
 * The members of RFC 6749 section 5.1 and ours beside them. Both clocks are rounded down: a token never promises more than it has.
 *
 * @see https://www.rfc-editor.org/rfc/rfc6749#section-5.1
 */
function answerOf({ accessToken, scope, facts, expiresAtMs }: TokenSet, { provider, account }: AccountRef, nowMs: number) {
  return {
    access_token: accessToken.reveal(),
    token_type: 'Bearer',
    expires_in: Math.max(0, Math.floor((expiresAtMs - nowMs) / 1000)),
    expires_at: time(expiresAtMs),
    scope,
    fingerprint: fingerprintOf(accessToken),
    provider,
    account,
    facts,
  };
}
