import * as z from 'zod/mini';
import type { Grant } from '../../functions/core/grants.ts';
import type { Clock, Grants } from '../../functions/core/ports.ts';
import type { Provider, Traits } from '../../functions/core/provider.ts';
import type { HttpEvent } from '../../functions/handlers/http-event.ts';
import type { HttpResponse } from '../../functions/handlers/respond.ts';
import { recordedCallers } from './recorded-callers.ts';
import { aProvider } from './world/a-provider.ts';

/** An odd moment: 2026-11-23T01:02:03.456Z */
export const theNowMs = Date.UTC(2026, 10, 23, 1, 2, 3, 456);

/** The role of {@link recordedCallers}`.role`, as grants name it. */
export const theRole = 'arn:aws:iam::111122223333:role/portal';

const traits: Traits = {
  rotation: { kind: 'strict' },
  revocationEnds: 'session',
  refreshEndsOldToken: false,
  returnsSameToken: false,
  sessionCap: false,
  refreshWith: 'refresh_token',
  loginNeedsPerson: false,
  defaultLifeSeconds: 900,
};

/** A provider with two token parameters. */
export const theProvider: Provider = {
  ...aProvider('demo', traits),
  parameters: z.strictObject({ profile: z.exactOptional(z.string().check(z.maxLength(20))), team: z.exactOptional(z.int()) }),
};

export const theProviders: ReadonlyMap<string, Provider> = new Map([[theProvider.id, theProvider]]);

/** A clock that stands still, or is moved by hand. */
export function theClock(): Clock & { move(ms: number): void } {
  let nowMs = theNowMs;
  return {
    nowMs: () => nowMs,
    sleep: async (ms) => {
      nowMs += ms;
    },
    move: (ms) => {
      nowMs += ms;
    },
  };
}

/** Grants from a list, as the function sees them. */
export function someGrants(...grants: readonly Grant[]): Grants {
  return { of: async (caller) => grants.filter((grant) => grant.caller === caller) };
}

/** Everything with every account of {@link theProvider}, for {@link theRole}. */
export const theGrant: Grant = {
  caller: theRole,
  operations: ['vend', 'revoke', 'inspect', 'reset'],
  accounts: ['demo/*'],
  parameters: { profile: '*', team: '*' },
};

/** An event of the HTTP API: a POST for `demo/main` by {@link theRole} unless said otherwise. */
export function anEvent(routeKey: string, given: Partial<HttpEvent> & { json?: unknown } = {}): HttpEvent {
  const { json, ...rest } = given;
  const body = json === undefined ? {} : { body: JSON.stringify(json), headers: { 'content-type': 'application/json' } };
  return {
    routeKey,
    headers: {},
    pathParameters: { provider: 'demo', account: 'main' },
    requestContext: { accountId: '111122223333', requestId: 'request-1', authorizer: recordedCallers.role },
    ...body,
    ...rest,
  };
}

/** @returns the JSON of an answer */
export function bodyOf(response: HttpResponse): Record<string, unknown> {
  const parsed: unknown = JSON.parse(response.body);
  if (typeof parsed !== 'object' || parsed === null) throw new Error('the answer is no JSON object');
  return { ...parsed };
}
