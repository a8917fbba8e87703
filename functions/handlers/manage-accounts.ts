import { TokenVendingError } from '../core/errors.ts';
import { isGranted } from '../core/grants.ts';
import type { Operation } from '../core/grants.ts';
import type { ManageAccounts, ManageOutcome } from '../core/manage-accounts.ts';
import type { Clock, Telemetry } from '../core/ports.ts';
import type { Provider } from '../core/provider.ts';
import { keyOf, partitionOf } from '../core/token-set.ts';
import type { AccountRef, TokenParameters } from '../core/token-set.ts';
import { accountAnswer } from './account-answer.ts';
import { authorise, callerOf } from './authorise.ts';
import type { AuthorisationDeps } from './authorise.ts';
import { httpHandler } from './http-handler.ts';
import type { Action, AuditLine, HttpHandler } from './http-handler.ts';
import type { HttpEvent } from './http-event.ts';
import { errorOfRefusal } from './problem.ts';
import { accountOfPath, afterOf, jsonOf, parametersOf, refuseQuery } from './request.ts';
import { respond } from './respond.ts';

/** What managing accounts over HTTP needs. */
export interface ManageAccountsHandlerDeps extends AuthorisationDeps {
  manage: ManageAccounts;
  providers: ReadonlyMap<string, Provider>;
  /** the interface's own description; built when it is first asked for */
  openApi(): Promise<unknown>;
  clock: Clock;
  telemetry: Telemetry;
}

const DIMENSION = 'manage-accounts';

/** Accounts and their health, revoking, resetting, the console, the OpenAPI document, and the answer to every path that nobody knows. */
export function manageAccountsHandler(deps: ManageAccountsHandlerDeps): HttpHandler {
  const actions: Readonly<Record<string, Action>> = {
    'POST /v1/tokens/{provider}/{account}/revoke': {
      event: 'revoke',
      dimension: DIMENSION,
      run: (event, line) => revoke(deps, event, line),
    },
    'GET /v1/accounts': { event: 'inspect', dimension: DIMENSION, run: (event, line) => list(deps, event, line) },
    'GET /v1/accounts/{provider}/{account}': { event: 'inspect', dimension: DIMENSION, run: (event, line) => show(deps, event, line) },
    'POST /v1/accounts/{provider}/{account}/reset': {
      event: 'reset',
      dimension: DIMENSION,
      run: (event, line) => reset(deps, event, line),
    },
    'GET /console': { dimension: DIMENSION, run: async () => (await import('./console.ts')).consoleResponse() },
    'GET /v1/openapi.json': { dimension: DIMENSION, run: async () => respond(200, await deps.openApi()) },
  };
  const nothing: Action = { dimension: DIMENSION, run: () => Promise.reject(new TokenVendingError('not_found')) };
  return httpHandler(deps, ({ routeKey }) => (Object.hasOwn(actions, routeKey) ? (actions[routeKey] ?? nothing) : nothing));
}

async function list(deps: ManageAccountsHandlerDeps, event: HttpEvent, line: AuditLine) {
  const caller = callerOf(deps, event, line);
  const after = afterOf(event);
  const grants = await deps.grants.of(caller);
  const page = await deps.manage.list((partition) => isGranted(grants, { operation: 'inspect', partition }), after);
  return respond(200, { accounts: page.accounts.map(accountAnswer), next: page.next && partitionOf(page.next) });
}

async function show(deps: ManageAccountsHandlerDeps, event: HttpEvent, line: AuditLine) {
  const { ref } = await allowed(deps, event, line, 'inspect', {});
  const view = await deps.manage.show(ref);
  if (view === undefined) throw new TokenVendingError('no_grant');
  return respond(200, accountAnswer(view));
}

async function revoke(deps: ManageAccountsHandlerDeps, event: HttpEvent, line: AuditLine) {
  const { ref, parameters } = await allowed(deps, event, line, 'revoke', jsonOf(event));
  line.set = keyOf(ref, parameters).sort;
  return done(await deps.manage.revoke(ref, parameters), line);
}

async function reset(deps: ManageAccountsHandlerDeps, event: HttpEvent, line: AuditLine) {
  const { ref, parameters } = await allowed(deps, event, line, 'reset', jsonOf(event));
  if (Object.keys(parameters).length === 0) return done(await deps.manage.reset(ref), line);
  line.set = keyOf(ref, parameters).sort;
  return done(await deps.manage.reset(ref, parameters), line);
}

/** @throws TokenVendingError `bad_request`, `no_grant`, `grants_unavailable` */
async function allowed(
  deps: ManageAccountsHandlerDeps,
  event: HttpEvent,
  line: AuditLine,
  operation: Operation,
  body: Readonly<Record<string, unknown>>,
): Promise<{ ref: AccountRef; parameters: TokenParameters }> {
  const caller = callerOf(deps, event, line);
  const ref = accountOfPath(event);
  line.account = partitionOf(ref);
  refuseQuery(event);
  const parameters = parametersOf(deps.providers, ref, body);
  await authorise(deps, caller, { operation, partition: partitionOf(ref), parameters });
  return { ref, parameters };
}

function done(outcome: ManageOutcome, line: AuditLine) {
  if (outcome.kind === 'refused') throw errorOfRefusal(outcome.refusal);
  if (outcome.kind === 'renewing') throw new TokenVendingError('renewing', { retryAtMs: outcome.retryAtMs });
  line.detail['revokedAtProvider'] = outcome.revokedAtProvider;
  return respond(204);
}
