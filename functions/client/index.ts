/**
 * What an app needs to use tokens of a platform: it gets them from a deployment of this service, keeps one in memory and sends it.
 * No dependency, nothing of Node: it runs wherever there is `fetch`.
 */
export { AccessToken } from './access-token.ts';
export { bearer } from './authenticate.ts';
export type { Authenticate, VendRequest } from './authenticate.ts';
export type { Fetch, WithTokenOptions } from './fetch-with-token.ts';
export { createTokenSource } from './token-source.ts';
export type { TokenAsk, TokenSource, TokenSourceOptions } from './token-source.ts';
export { VendError } from './vend-error.ts';
export type { ProblemFields } from './vend-error.ts';
