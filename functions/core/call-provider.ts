import { accessExpiry, refreshExpiry } from './clocks.ts';
import { createDiscovery, isFailed } from './discovery.ts';
import { fromAnswer, fromTransport, unsent } from './failures.ts';
import type { Failed } from './failures.ts';
import type { Clock, ProviderFetch, Telemetry } from './ports.ts';
import type { CommonCredentials, Provider, ProviderAnswer, Step, StepInput, TokenAnswer, Traits } from './provider.ts';
import type { Secret } from './secret.ts';
import type { TokenParameters, TokenSet } from './token-set.ts';

/** Tokens with their clocks settled: a {@link TokenSet} but for what only the protocol knows. */
export type SettledTokens = Omit<TokenSet, 'parameters' | 'identity' | 'refreshEndsOldToken'>;

/** What the engine needs of the token set that is refreshed or revoked; a whole {@link TokenSet} fits. */
export type PreviousTokens = Pick<TokenSet, 'accessToken' | 'refreshToken' | 'scope' | 'facts' | 'origin'> & {
  refreshExpiresAtMs?: number | undefined;
};

/** One exchange with a provider. */
export interface CallInput {
  /** as the provider's own schema gave them */
  credentials: CommonCredentials;
  parameters: TokenParameters;
  /** moment after which nothing is sent any more, and when a running request is given up; ms since the epoch */
  deadlineMs: number;
  /**
   * Called once, after discovery and right before the first request that carries a credential or a token: the place of a
   * log-in's slot. False: nothing is sent, and the result says `withheld`.
   */
  beforeSend?: (() => Promise<boolean>) | undefined;
}

export type CallResult = { kind: 'ok'; tokens: SettledTokens } | Failed;
export type RevokeResult = { kind: 'ok' } | Failed;

/** The engine. `login` and `refresh` give tokens, `revoke` only says whether the provider did it. */
export interface CallProvider {
  (provider: Provider, kind: 'login', input: CallInput): Promise<CallResult>;
  (provider: Provider, kind: 'refresh', input: CallInput & { previous: PreviousTokens }): Promise<CallResult>;
  (provider: Provider, kind: 'revoke', input: CallInput & { previous: PreviousTokens }): Promise<RevokeResult>;
}

type Kind = 'login' | 'refresh' | 'revoke';
type AnyInput = CallInput & { previous?: PreviousTokens | undefined };
type Sent = { answer: ProviderAnswer; origin: string; read: Partial<TokenAnswer> } | Failed | 'skipped';

/** What an exchange has gathered; clocks belong to the answer that brought their token. */
interface Progress {
  soFar: Partial<TokenAnswer>;
  settled: Partial<SettledTokens>;
}

/**
 * The one engine that runs every provider: finds the endpoints, sends the steps under one deadline, settles the clocks and judges
 * failures. It never throws for what a provider does, and no result, log line or metric holds a secret.
 *
 * @example
 * const call = createCallProvider({ fetch, clock, telemetry });
 * const result = await call(vidizmo, 'login', { credentials, parameters: {}, deadlineMs: clock.nowMs() + 10_000 });
 * if (result.kind === 'ok') result.tokens.accessToken.reveal();
 */
export function createCallProvider(deps: { fetch: ProviderFetch; clock: Clock; telemetry: Telemetry }): CallProvider {
  const find = createDiscovery(deps);

  function call(provider: Provider, kind: 'login', input: CallInput): Promise<CallResult>;
  function call(provider: Provider, kind: 'refresh', input: CallInput & { previous: PreviousTokens }): Promise<CallResult>;
  function call(provider: Provider, kind: 'revoke', input: CallInput & { previous: PreviousTokens }): Promise<RevokeResult>;
  async function call(provider: Provider, kind: Kind, input: AnyInput): Promise<CallResult | RevokeResult> {
    const startedAtMs = deps.clock.nowMs();
    const result = await exchange(provider, kind, input);
    report(deps, provider, kind, result, deps.clock.nowMs() - startedAtMs);
    return result;
  }

  async function exchange(provider: Provider, kind: Kind, input: AnyInput): Promise<CallResult | RevokeResult> {
    const steps = provider[kind] ?? [];
    if (steps.length === 0) return unsent(kind === 'revoke' ? 'configuration' : 'refresh_refused', 'unsupported');
    const endpoints = await find(provider, input.credentials, input.deadlineMs);
    if (isFailed(endpoints)) return endpoints;
    if (input.beforeSend !== undefined && !(await input.beforeSend())) return unsent('transient', 'withheld');
    const send = (step: Step, soFar: Partial<TokenAnswer>): Promise<Sent> => sendStep(provider, kind, step, { ...input, endpoints, soFar });
    return kind === 'revoke' ? revoke(steps, send) : obtain(provider.traits(input.credentials), steps, input.previous, send);
  }

  async function sendStep(provider: Provider, kind: Kind, step: Step, input: AnyInput & Omit<StepInput, 'nowMs'>): Promise<Sent> {
    const stepInput: StepInput = { ...input, nowMs: deps.clock.nowMs() };
    const request = step.request(stepInput);
    if (request === undefined) return 'skipped';
    if (!URL.canParse(request.url)) return unsent('configuration', 'invalid');
    const { origin } = new URL(request.url);
    // A token goes nowhere but to who issued it, also when the secret's host has changed since.
    if (input.previous !== undefined && origin !== input.previous.origin) return unsent('refresh_refused', 'other_origin');
    // The last look at the clock: a frozen function that wakes up late must not replay a token.
    if (deps.clock.nowMs() >= input.deadlineMs) return unsent('transient', 'deadline');
    const result = await deps.fetch(request, input.deadlineMs);
    if ('failure' in result) return fromTransport(result.failure);
    const { answer } = result;
    const read = answer.status >= 200 && answer.status <= 299 ? step.read(answer, stepInput) : undefined;
    if (read !== undefined && fitsTheWire(read)) return { answer, origin, read };
    return fromAnswer(provider, request, answer, kind, deps.clock.nowMs());
  }

  return call;
}

async function obtain(
  traits: Traits,
  steps: readonly Step[],
  previous: PreviousTokens | undefined,
  send: (step: Step, soFar: Partial<TokenAnswer>) => Promise<Sent>,
): Promise<CallResult> {
  let progress: Progress = { soFar: {}, settled: {} };
  let any = false;
  for (const step of steps) {
    const sent = await send(step, progress.soFar);
    if (sent === 'skipped') continue;
    if ('kind' in sent) return any ? afterSuccess(sent) : sent;
    progress = advance(traits, progress, sent);
    any = true;
  }
  const { accessToken, origin, obtainedAtMs, expiresAtMs } = progress.settled;
  if (!any) return unsent('refresh_refused', 'unsupported');
  if (accessToken === undefined || origin === undefined || obtainedAtMs === undefined || expiresAtMs === undefined) {
    return { kind: 'failed', failure: 'unreadable', spent: 'unknown', code: 'no_token' };
  }
  const facts = { ...previous?.facts, ...progress.soFar.facts };
  const tokens = { scope: previous?.scope, ...progress.settled, accessToken, origin, obtainedAtMs, expiresAtMs, facts };
  return { kind: 'ok', tokens: keepOldRefreshToken(tokens, previous) };
}

/** Takes in one answer. Clocks count from the answer that brought the token, so a later step's token never gets an earlier clock. */
function advance(traits: Traits, { soFar, settled }: Progress, { answer, origin, read }: Exclude<Sent, Failed | 'skipped'>): Progress {
  const facts = { ...soFar.facts, ...defined(read.facts ?? {}) };
  const next: Partial<SettledTokens> = { ...settled };
  if (read.scope !== undefined) next.scope = read.scope;
  if (read.accessToken !== undefined) {
    Object.assign(next, {
      accessToken: read.accessToken,
      origin,
      obtainedAtMs: answer.sentAtMs,
      expiresAtMs: accessExpiry(answer, read, traits),
    });
  }
  if (read.refreshToken !== undefined) {
    Object.assign(next, { refreshToken: read.refreshToken, refreshExpiresAtMs: refreshExpiry(answer, read, traits) });
  }
  return { soFar: Object.assign({}, soFar, defined(read), { facts }), settled: next };
}

/** A refresh answered without a refresh token keeps the old one, with its clock. */
function keepOldRefreshToken(tokens: SettledTokens, previous: PreviousTokens | undefined): SettledTokens {
  if (tokens.refreshToken !== undefined || previous?.refreshToken === undefined) return tokens;
  return { ...tokens, refreshToken: previous.refreshToken, refreshExpiresAtMs: previous.refreshExpiresAtMs };
}

/** The credentials were good and the token is spent: what is refused now is the narrowing to the parameters. */
function afterSuccess(failed: Failed): Failed {
  const refused = failed.failure === 'credentials_refused' || failed.failure === 'refresh_refused';
  return { ...failed, failure: refused ? 'configuration' : failed.failure, spent: 'yes', taken: true };
}

/** Every step is tried: a provider may end the session by the one or the other, and one success is enough. */
async function revoke(steps: readonly Step[], send: (step: Step, soFar: Partial<TokenAnswer>) => Promise<Sent>): Promise<RevokeResult> {
  let failed: Failed = unsent('configuration', 'unsupported');
  let done = false;
  for (const step of steps) {
    const sent = await send(step, {});
    if (sent === 'skipped') continue;
    if ('kind' in sent) failed = sent;
    else done = true;
  }
  return done ? { kind: 'ok' } : failed;
}

/** Visible ASCII without a space (RFC 6749 appendix A.12), 16 KiB at most: anything else would break a header or an item. */
function fitsTheWire(read: Partial<TokenAnswer>): boolean {
  return [read.accessToken, read.refreshToken].every((token) => token === undefined || isWireToken(token));
}

function isWireToken(token: Secret): boolean {
  const value = token.reveal();
  return value.length <= 16_384 && /^[\x21-\x7e]+$/.test(value);
}

/** A member that an answer leaves out must not hide what is known from before. */
function defined(value: object): object {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined));
}

function report(
  { telemetry }: { telemetry: Telemetry },
  provider: Provider,
  kind: Kind,
  result: CallResult | RevokeResult,
  tookMs: number,
): void {
  // Whoever waits for a slot says nothing of the provider.
  if (result.kind === 'failed' && result.code === 'withheld') return;
  telemetry.metric('ProviderCall', tookMs, 'Milliseconds', provider.id);
  if (result.kind === 'ok') return;
  telemetry.metric('ProviderFailure', 1, 'Count', provider.id);
  const { failure, spent, code, providerError } = result;
  telemetry.log('warn', 'provider call failed', { provider: provider.id, sent: kind, failure, spent, code, providerError });
}
