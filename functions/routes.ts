import type { ErrorCode } from './core/errors.ts';
import type { Operation } from './core/grants.ts';

/** The functions that answer HTTP calls, by the stem of their entry file. */
export type HttpFunction = 'vend-token' | 'manage-accounts';

/** Names of the request and answer schemas; `handlers/schemas.ts` holds them, OpenAPI lists them. */
export type SchemaName =
  | 'VendRequest'
  | 'VendAnswer'
  | 'RevokeRequest'
  | 'ResetRequest'
  | 'Account'
  | 'AccountList'
  | 'OpenApi'
  | 'Problem';

/** One call of the HTTP surface. */
export interface Route {
  /** OpenAPI's operation id */
  id: string;
  method: 'GET' | 'POST' | '$default';
  /** in API Gateway's syntax; empty for `$default` */
  path: string;
  function: HttpFunction;
  /** `caller`: API Gateway authenticates (IAM or JWT); `none`: open to anybody */
  auth: 'caller' | 'none';
  /** what a grant must allow; absent where nothing of an account is touched */
  operation?: Operation;
  summary: string;
  /** the one query parameter that the call takes */
  query?: 'after';
  /** JSON body; an absent or empty body counts as `{}` */
  request?: SchemaName;
  /** the answer of a success: JSON of a schema, or a page */
  success: { status: 200 | 204; schema?: SchemaName; page?: true };
  /** every problem that the call may answer, besides {@link anyCall} */
  errors: readonly ErrorCode[];
}

/** What any call may answer. */
export const anyCall = ['internal', 'too_slow'] as const satisfies readonly ErrorCode[];

const anyAccountCall = ['bad_request', 'no_grant', 'grants_unavailable', 'store_unavailable'] as const satisfies readonly ErrorCode[];

/** What the renewing function may report for whoever invokes it. */
const renewing = ['renewing', 'renewals_unavailable', 'secrets_unavailable', 'keys_unavailable'] as const satisfies readonly ErrorCode[];

/**
 * The HTTP surface as data: the stack, the local gateway, the OpenAPI document and the tests all read it here.
 * An unknown path and a known path with another method both end at `$default`.
 */
export const routes: readonly Route[] = [
  {
    id: 'vendToken',
    method: 'POST',
    path: '/v1/tokens/{provider}/{account}',
    function: 'vend-token',
    auth: 'caller',
    operation: 'vend',
    summary: 'Vend an access token that lives at least as long as asked',
    request: 'VendRequest',
    success: { status: 200, schema: 'VendAnswer' },
    errors: [
      ...anyAccountCall,
      ...renewing,
      'needs_consent',
      'too_many_token_sets',
      'too_soon',
      'provider_refused',
      'provider_unreadable',
      'backing_off',
      'account_misconfigured',
    ],
  },
  {
    id: 'revokeToken',
    method: 'POST',
    path: '/v1/tokens/{provider}/{account}/revoke',
    function: 'manage-accounts',
    auth: 'caller',
    operation: 'revoke',
    summary: 'Revoke a token set at the provider where it can, and forget it always',
    request: 'RevokeRequest',
    success: { status: 204 },
    errors: [...anyAccountCall, ...renewing],
  },
  {
    id: 'listAccounts',
    method: 'GET',
    path: '/v1/accounts',
    function: 'manage-accounts',
    auth: 'caller',
    operation: 'inspect',
    summary: "List the caller's accounts and their health",
    query: 'after',
    success: { status: 200, schema: 'AccountList' },
    errors: anyAccountCall,
  },
  {
    id: 'showAccount',
    method: 'GET',
    path: '/v1/accounts/{provider}/{account}',
    function: 'manage-accounts',
    auth: 'caller',
    operation: 'inspect',
    summary: 'Show the health of an account and of its token sets',
    success: { status: 200, schema: 'Account' },
    errors: anyAccountCall,
  },
  {
    id: 'resetAccount',
    method: 'POST',
    path: '/v1/accounts/{provider}/{account}/reset',
    function: 'manage-accounts',
    auth: 'caller',
    operation: 'reset',
    summary: "Clear an account's back-off and refusals, so that the next vend tries again",
    request: 'ResetRequest',
    success: { status: 204 },
    errors: [...anyAccountCall, ...renewing],
  },
  {
    id: 'openApi',
    method: 'GET',
    path: '/v1/openapi.json',
    function: 'manage-accounts',
    auth: 'none',
    summary: 'This interface as OpenAPI 3.1',
    success: { status: 200, schema: 'OpenApi' },
    errors: [],
  },
  {
    id: 'console',
    method: 'GET',
    path: '/console',
    function: 'manage-accounts',
    auth: 'none',
    summary: 'A page for operators; it holds no data, but asks this interface for it with the credential that it is given',
    success: { status: 200, page: true },
    errors: [],
  },
  {
    id: 'notFound',
    method: '$default',
    path: '',
    function: 'manage-accounts',
    auth: 'none',
    summary: 'Everything else',
    success: { status: 204 },
    errors: ['not_found'],
  },
];

/** @returns the route's key as API Gateway writes it: `POST /v1/tokens/{provider}/{account}`, or `$default` */
export function routeKeyOf(route: Route): string {
  return route.method === '$default' ? '$default' : `${route.method} ${route.path}`;
}
