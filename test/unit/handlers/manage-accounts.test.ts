import { describe, expect, test } from '@jest/globals';
import type { Grant } from '../../../functions/core/grants.ts';
import type { AccountView, ManageAccounts, ManageOutcome } from '../../../functions/core/manage-accounts.ts';
import { answerSchemas } from '../../../functions/handlers/answer-schemas.ts';
import { manageAccountsHandler } from '../../../functions/handlers/manage-accounts.ts';
import { anEvent, bodyOf, someGrants, theClock, theGrant, theNowMs, theProviders, theRole } from '../../support/http-calls.ts';
import { aContext } from '../../support/lambda-context.ts';
import { recordTelemetry } from '../../support/recorded-telemetry.ts';

const revokeRoute = 'POST /v1/tokens/{provider}/{account}/revoke';
const resetRoute = 'POST /v1/accounts/{provider}/{account}/reset';
const showRoute = 'GET /v1/accounts/{provider}/{account}';
const listRoute = 'GET /v1/accounts';

function aView(account: string): AccountView {
  return {
    ref: { provider: 'demo', account },
    state: 'misconfigured',
    secretVersion: 'v1',
    proven: false,
    refusedLogins: 0,
    nextTryAtMs: theNowMs + 60_000,
    failure: { code: 'misconfigured', atMs: theNowMs, field: 'base_url', rule: 'must be an https URL' },
    tokenSets: [
      {
        set: 'set#abc',
        state: 'living',
        generation: 7,
        obtainedAtMs: theNowMs,
        expiresAtMs: theNowMs + 300_000,
        refreshExpiresAtMs: undefined,
        dueAtMs: undefined,
        warmUntilMs: undefined,
        renewing: false,
        failure: undefined,
      },
    ],
  };
}

/** The handler over use cases that note what they are asked. */
function aHandler(grants: readonly Grant[] = [theGrant], outcome: ManageOutcome = { kind: 'done', revokedAtProvider: true }) {
  const asked: unknown[][] = [];
  const telemetry = recordTelemetry();
  const manage: ManageAccounts = {
    list: async (allows, after) => {
      asked.push(['list', after]);
      const accounts = ['main', 'other'].filter((account) => allows(`demo/${account}`)).map(aView);
      return { accounts, next: after === undefined ? accounts.at(-1)?.ref : undefined };
    },
    show: async (ref) => (ref.account === 'missing' ? undefined : aView(ref.account)),
    revoke: async (...args) => {
      asked.push(['revoke', ...args]);
      return outcome;
    },
    reset: async (...args) => {
      asked.push(['reset', ...args]);
      return outcome;
    },
  };
  const deps = { manage, providers: theProviders, clock: theClock(), telemetry, openApi: async () => ({ openapi: '3.1.1' }) };
  const handle = manageAccountsHandler({ ...deps, grants: someGrants(...grants), callers: { kind: 'iam' } });
  return {
    asked,
    telemetry,
    call: (routeKey: string, given: Parameters<typeof anEvent>[1] = {}) => handle(anEvent(routeKey, given), aContext()),
  };
}

const ref = { provider: 'demo', account: 'main' };

describe('revoking', () => {
  test('is 204 without a body, and noted with whether the provider was told', async () => {
    const { call, asked, telemetry } = aHandler();
    const response = await call(revokeRoute, { json: { profile: 'kids' } });
    expect([response.statusCode, response.body, response.headers['cache-control']]).toEqual([204, '', 'no-store']);
    expect(asked).toEqual([['revoke', ref, { profile: 'kids' }]]);
    expect(telemetry.audits[0]).toMatchObject({ event: 'revoke', caller: theRole, detail: { revokedAtProvider: true } });
  });

  test('takes no min_ttl', async () => {
    const response = await aHandler().call(revokeRoute, { json: { min_ttl: 60 } });
    expect([response.statusCode, bodyOf(response)['field']]).toEqual([400, 'min_ttl']);
  });

  test('needs a grant for revoking, with the values of its parameters', async () => {
    const { call, asked } = aHandler([{ ...theGrant, operations: ['vend'] }]);
    expect((await call(revokeRoute)).statusCode).toBe(403);
    expect(asked).toEqual([]);
  });

  test('is 503 while somebody renews the token set', async () => {
    const response = await aHandler([theGrant], { kind: 'renewing', retryAtMs: theNowMs + 4_000 }).call(revokeRoute);
    expect([response.statusCode, response.headers['retry-after']]).toEqual([503, '4']);
  });
});

describe('resetting', () => {
  test('clears the account where no parameters are given', async () => {
    const { call, asked } = aHandler();
    expect((await call(resetRoute)).statusCode).toBe(204);
    expect(asked).toEqual([['reset', ref]]);
  });

  test('clears a token set where its parameters are given', async () => {
    const { call, asked } = aHandler();
    await call(resetRoute, { json: { team: 3 } });
    expect(asked).toEqual([['reset', ref, { team: 3 }]]);
  });

  test('is audited with who did it', async () => {
    const { call, telemetry } = aHandler();
    await call(resetRoute);
    expect(telemetry.audits[0]).toMatchObject({ event: 'reset', outcome: 'success', caller: theRole, account: 'demo/main' });
  });

  test('answers as for no grant where there is no such account', async () => {
    const missing = await aHandler([theGrant], { kind: 'refused', refusal: { reason: 'no_account' } }).call(resetRoute);
    expect(missing).toEqual(await aHandler([]).call(resetRoute));
  });
});

describe('looking at accounts', () => {
  test('shows state, clocks and the broken field of the secret, in the shape that OpenAPI promises', async () => {
    const response = await aHandler().call(showRoute);
    const body = bodyOf(response);
    expect(answerSchemas.Account.safeParse(body).error?.issues).toBeUndefined();
    expect(body).toMatchObject({ state: 'misconfigured', failure: { field: 'base_url' }, next_try_at: '2026-11-23T01:03:03Z' });
  });

  test('answers as for no grant where there is no such account', async () => {
    const missing = await aHandler().call(showRoute, { pathParameters: { provider: 'demo', account: 'missing' } });
    expect(missing).toEqual(await aHandler([]).call(showRoute));
  });

  test("lists the caller's accounts alone", async () => {
    const response = await aHandler([{ ...theGrant, accounts: ['demo/other'] }]).call(listRoute);
    const body = bodyOf(response);
    expect(answerSchemas.AccountList.safeParse(body).error?.issues).toBeUndefined();
    expect(body).toMatchObject({ accounts: [{ account: 'other' }] });
  });

  test('lists nothing to a caller without a grant', async () => {
    expect(bodyOf(await aHandler([]).call(listRoute))).toEqual({ accounts: [] });
  });

  test('goes on where the page before ended', async () => {
    const { call, asked } = aHandler();
    const { next } = bodyOf(await call(listRoute));
    expect(next).toBe('demo/other');
    const last = bodyOf(await call(listRoute, { queryStringParameters: { after: 'demo/other' } }));
    expect(asked).toEqual([
      ['list', undefined],
      ['list', { provider: 'demo', account: 'other' }],
    ]);
    expect(last).not.toHaveProperty('next');
  });

  test.each(['', 'demo', 'demo/', 'demo/main/set', 'demo/main,demo/other', 'Demo/main', '#/main'])(
    'goes on after nothing that is no account: %p',
    async (after) => {
      const response = await aHandler().call(listRoute, { queryStringParameters: { after } });
      expect([response.statusCode, bodyOf(response)]).toEqual([
        400,
        expect.objectContaining({ field: 'after', rule: 'must be the "next" of the page before' }),
      ]);
    },
  );

  test('takes no other query', async () => {
    const response = await aHandler().call(listRoute, { queryStringParameters: { state: 'well' } });
    expect([response.statusCode, bodyOf(response)['field']]).toEqual([400, 'state']);
  });
});

const never = () => new Promise<never>(() => undefined);

describe('a call that the function has no time for', () => {
  test.each([revokeRoute, resetRoute, showRoute, listRoute])('is 504: %s', async (routeKey) => {
    const manage: ManageAccounts = { list: never, show: never, revoke: never, reset: never };
    const deps = { manage, providers: theProviders, clock: theClock(), telemetry: recordTelemetry(), openApi: never };
    const handle = manageAccountsHandler({ ...deps, grants: someGrants(theGrant), callers: { kind: 'iam' } });
    const response = await handle(anEvent(routeKey), aContext(510));
    expect([response.statusCode, bodyOf(response)['code'], response.headers['retry-after']]).toEqual([504, 'too_slow', expect.any(String)]);
  });
});

describe('everything else', () => {
  test.each(['$default', 'GET /v1/nothing', 'constructor', '__proto__'])('is our 404: %s', async (routeKey) => {
    const { call, telemetry } = aHandler();
    const response = await call(routeKey, { requestContext: {} });
    expect([response.statusCode, bodyOf(response)['code'], response.headers['cache-control']]).toEqual([404, 'not_found', 'no-store']);
    expect(telemetry.audits).toEqual([]);
  });

  test('needs no caller for the OpenAPI document', async () => {
    const response = await aHandler([]).call('GET /v1/openapi.json', { requestContext: {} });
    expect(bodyOf(response)).toEqual({ openapi: '3.1.1' });
  });
});
