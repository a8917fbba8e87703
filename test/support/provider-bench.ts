import { inspect } from 'node:util';
import { createProviderFetch } from '../../functions/adapters/provider-fetch.ts';
import type { EgressConfiguration } from '../../functions/adapters/provider-fetch.ts';
import { createCallProvider } from '../../functions/core/call-provider.ts';
import type { CallProvider, CallResult, PreviousTokens, RevokeResult, SettledTokens } from '../../functions/core/call-provider.ts';
import type { Clock } from '../../functions/core/ports.ts';
import type { CommonCredentials, Provider } from '../../functions/core/provider.ts';
import { Secret } from '../../functions/core/secret.ts';
import type { TokenParameters } from '../../functions/core/token-set.ts';
import { providersById } from '../../functions/providers/index.ts';
import { recordTelemetry } from './recorded-telemetry.ts';

export const wallClock: Clock = {
  nowMs: () => Date.now(),
  sleep: (ms) =>
    new Promise((resume) => {
      setTimeout(resume, ms);
    }),
};

/** The engine over the real fetch, and a memory of everything that came out of it. */
export function createBench(egress: EgressConfiguration) {
  const telemetry = recordTelemetry();
  const call: CallProvider = createCallProvider({ fetch: createProviderFetch({ clock: wallClock, egress }), clock: wallClock, telemetry });
  const results: (CallResult | RevokeResult)[] = [];
  const secrets = new Set<string>();

  /** Remembers every secret inside a value, so that {@link leaks} can look for them. */
  function remember(value: unknown): void {
    if (value instanceof Secret) secrets.add(value.reveal());
    else if (typeof value === 'object' && value !== null) Object.values(value).forEach(remember);
  }

  function note<R extends CallResult | RevokeResult>(result: R): R {
    results.push(result);
    remember(result);
    return result;
  }

  return {
    telemetry,
    /** @returns the secrets that can be read in results, logs or metrics, as deep as anybody could print them */
    leaks(): string[] {
      const text =
        inspect(results, { depth: Infinity, showHidden: true, maxStringLength: Infinity }) + JSON.stringify(results) + telemetry.text();
      return [...secrets].filter((secret) => text.includes(secret));
    },
    /** @returns an account of a provider, which is listed under its id or given itself; its secret is read by the provider's own schema */
    account(which: string | Provider, secret: Readonly<Record<string, unknown>>, parameters: TokenParameters = {}, timeoutMs = 5000) {
      const provider = typeof which === 'string' ? providerOf(which) : which;
      const credentials = credentialsOf(provider, secret);
      remember(credentials);
      const input = (over: object = {}) => ({ credentials, parameters, deadlineMs: Date.now() + timeoutMs, ...over });
      return {
        login: async (over?: object) => note(await call(provider, 'login', input(over))),
        refresh: async (previous: PreviousTokens) => note(await call(provider, 'refresh', { ...input(), previous })),
        revoke: async (previous: PreviousTokens) => note(await call(provider, 'revoke', { ...input(), previous })),
      };
    },
  };
}

export function providerOf(id: string): Provider {
  const provider = providersById().get(id);
  if (provider === undefined) throw new Error(`no provider ${id}`);
  return provider;
}

export function credentialsOf(provider: Provider, secret: unknown): CommonCredentials {
  const parsed = provider.credentials.safeParse(secret);
  if (!parsed.success) throw new Error(parsed.error.issues.map(({ path, message }) => `${path.join('.')} ${message}`).join('; '));
  return parsed.data;
}

/** @returns the tokens of a result that must be good */
export function tokensOf(result: CallResult): SettledTokens {
  if (result.kind !== 'ok') throw new Error(`expected tokens, got ${result.failure} (${result.code})`);
  return result.tokens;
}
