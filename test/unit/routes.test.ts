import { describe, expect, test } from '@jest/globals';
import { manageAccountsHandler } from '../../functions/handlers/manage-accounts.ts';
import { problems } from '../../functions/handlers/problem.ts';
import { anyCall, routeKeyOf, routes } from '../../functions/routes.ts';
import { anEvent, someGrants, theClock, theProviders } from '../support/http-calls.ts';
import { aContext } from '../support/lambda-context.ts';
import { recordTelemetry } from '../support/recorded-telemetry.ts';

const unused = () => Promise.reject(new Error('not asked without a grant'));

describe('the HTTP surface', () => {
  test('is this', () => {
    expect(routes.map((route) => `${routeKeyOf(route)} → ${route.function}, ${route.auth}`)).toEqual([
      'POST /v1/tokens/{provider}/{account} → vend-token, caller',
      'POST /v1/tokens/{provider}/{account}/revoke → manage-accounts, caller',
      'GET /v1/accounts → manage-accounts, caller',
      'GET /v1/accounts/{provider}/{account} → manage-accounts, caller',
      'POST /v1/accounts/{provider}/{account}/reset → manage-accounts, caller',
      'GET /v1/openapi.json → manage-accounts, none',
      'GET /console → manage-accounts, none',
      '$default → manage-accounts, none',
    ]);
  });

  test('needs a caller wherever an account is touched', () => {
    const open = routes.filter((route) => route.auth === 'none');
    expect(open.filter((route) => route.operation !== undefined || route.path.includes('{account}'))).toEqual([]);
  });

  test('names each route once', () => {
    const names = routes.flatMap((route) => [route.id, routeKeyOf(route)]);
    expect(new Set(names).size).toBe(names.length);
  });

  test('leaves no error of the table without a route that answers it', () => {
    const answered = new Set<string>([...anyCall, ...routes.flatMap((route) => route.errors)]);
    expect(Object.keys(problems).filter((code) => !answered.has(code))).toEqual([]);
  });

  test.each(routes.filter((route) => route.function === 'manage-accounts' && route.method !== '$default').map(routeKeyOf))(
    'is known to its function: %s',
    async (routeKey) => {
      const deps = { providers: theProviders, clock: theClock(), telemetry: recordTelemetry(), openApi: async () => ({}) };
      const manage = { list: async () => ({ accounts: [], next: undefined }), show: unused, revoke: unused, reset: unused };
      const handle = manageAccountsHandler({ ...deps, manage, grants: someGrants(), callers: { kind: 'iam' } });
      expect((await handle(anEvent(routeKey), aContext())).statusCode).not.toBe(404);
    },
  );
});
