import { freshness } from './clocks.ts';
import { fromAnswer, fromTransport, unsent } from './failures.ts';
import type { Failed } from './failures.ts';
import type { Clock, ProviderFetch } from './ports.ts';
import type { CommonCredentials, DiscoveryStep, Provider, ProviderAnswer } from './provider.ts';

/** Endpoints by name. */
export type Endpoints = Readonly<Record<string, string>>;

/** More documents than any deployment has; the oldest goes first. */
const MOST_DOCUMENTS = 500;

/**
 * Finds a provider's endpoints by its discovery steps. Documents are kept per provider and URL as long as their headers allow,
 * at most a day, in a field of the created object; a failure is never kept. Discovery sends no credential, so a failure spends
 * nothing.
 *
 * @returns `find`, which gives the endpoints ({} for a provider without discovery) or the failure
 */
export function createDiscovery({ fetch, clock }: { fetch: ProviderFetch; clock: Clock }) {
  const documents = new Map<string, { endpoints: Endpoints; untilMs: number }>();

  async function look<C extends CommonCredentials>(
    provider: Provider<C>,
    step: DiscoveryStep<C>,
    input: { credentials: C; endpoints: Endpoints },
    deadlineMs: number,
  ) {
    const request = step.request(input);
    if (request === undefined) return {};
    const key = `${provider.id} ${request.url}`;
    const kept = documents.get(key);
    if (kept !== undefined && kept.untilMs > clock.nowMs()) return kept.endpoints;
    if (clock.nowMs() >= deadlineMs) return unsent('transient', 'deadline');
    const result = await fetch(request, deadlineMs);
    if ('failure' in result) return discovered(fromTransport(result.failure));
    const endpoints = readable(step, result.answer, input);
    if (endpoints === undefined) return discovered(fromAnswer(provider, request, result.answer, 'discovery', clock.nowMs()));
    keep(key, endpoints, result.answer);
    return endpoints;
  }

  function keep(key: string, endpoints: Endpoints, answer: ProviderAnswer): void {
    documents.delete(key);
    const life = freshness(answer);
    if (life <= 0) return;
    const oldest = documents.size >= MOST_DOCUMENTS ? documents.keys().next().value : undefined;
    if (oldest !== undefined) documents.delete(oldest);
    documents.set(key, { endpoints, untilMs: answer.sentAtMs + life });
  }

  return async function find<C extends CommonCredentials>(
    provider: Provider<C>,
    credentials: C,
    deadlineMs: number,
  ): Promise<Endpoints | Failed> {
    const endpoints: Record<string, string> = {};
    for (const step of provider.discover ?? []) {
      const found = await look(provider, step, { credentials, endpoints }, deadlineMs);
      if (isFailed(found)) return found;
      Object.assign(endpoints, found);
    }
    return endpoints;
  };
}

/** @returns whether discovery failed; no endpoint is called `kind` with that value, because endpoints are URLs */
export function isFailed(found: Endpoints | Failed): found is Failed {
  return found['kind' as keyof typeof found] === 'failed';
}

function discovered(failed: Failed): Failed {
  return { ...failed, spent: 'no', code: `discovery_${failed.code}` };
}

function readable<C>(
  step: DiscoveryStep<C>,
  answer: ProviderAnswer,
  input: { credentials: C; endpoints: Endpoints },
): Endpoints | undefined {
  if (answer.status < 200 || answer.status > 299) return undefined;
  const endpoints = step.read(answer, input);
  return endpoints !== undefined && Object.values(endpoints).every(isHttps) ? endpoints : undefined;
}

function isHttps(url: string): boolean {
  return URL.canParse(url) && new URL(url).protocol === 'https:';
}
