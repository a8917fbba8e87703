import { createSystemRandomness } from '../../functions/adapters/system.ts';
import { TokenVendingError } from '../../functions/core/errors.ts';
import { fingerprintOf } from '../../functions/core/token-set.ts';
import { clientOf } from '../support/dynalite.ts';
import { realClock, silentTelemetry } from '../support/ports.ts';
import type { Telemetry } from '../../functions/core/ports.ts';
import { endWithParent, onParentMessage, settingsOf, tellParent } from '../support/processes/child.ts';
import { composeInstance, secretsAt, type FunctionInstance } from '../support/processes/composition.ts';
import { createPlainFetch } from '../support/processes/plain-fetch.ts';
import { attemptHeader } from '../support/processes/provider-messages.ts';
import { FACTOR, families, fasterTiming, users } from './families.ts';

/** What a process is started with. */
export interface InstanceSettings {
  /** names this process; every attempt id of it begins so */
  incarnation: string;
  family: keyof typeof families;
  endpoint: string;
  tableName: string;
  providerUrl: string;
  accounts: number;
}

/** What it tells. */
export type InstanceEvent = { kind: 'vended'; outcomes: Record<string, number> } | { kind: 'broken'; error: string };

const FUNCTION_MS = 30_000 / FACTOR;
const STORE_TIMEOUT_MS = 1_500;
const REPORT_EVERY = 20;

/** A function instance whose attempt ids say which process made them. One command at a time, as on Lambda. */
export function killableInstance(settings: InstanceSettings, telemetry: Telemetry = silentTelemetry): FunctionInstance {
  const { family, incarnation, endpoint, tableName, providerUrl } = settings;
  const random = createSystemRandomness();
  let attempts = 0;
  let attempt = '';
  return composeInstance({
    client: clientOf(endpoint),
    tableName,
    fetch: createPlainFetch(realClock, () => ({ [attemptHeader]: attempt })),
    secrets: secretsAt(providerUrl),
    provider: families[family].provider,
    timing: fasterTiming,
    clock: realClock,
    random: {
      ...random,
      attemptId: () => (attempt = `${incarnation}-${String(++attempts).padStart(15 - incarnation.length, '0')}`),
    },
    telemetry,
    storeTimeoutMs: STORE_TIMEOUT_MS,
    functionMs: FUNCTION_MS,
  });
}

/** Asks for tokens of random accounts until told to stop; every tenth answer is reported as rejected, so that it is renewed. */
async function work(settings: InstanceSettings, isStopped: () => boolean): Promise<void> {
  let outcomes: Record<string, number> = {};
  const count = (word: string): void => void (outcomes[word] = (outcomes[word] ?? 0) + 1);
  const { vend } = killableInstance(settings, {
    ...silentTelemetry,
    log: (_level, message, fields) => count(`${message}: ${String(fields?.['sent'])} ${String(fields?.['code'])}`),
  });
  const names = users(settings.accounts);
  let rejected: { account: string; fingerprint: string } | undefined;
  for (let vends = 1; !isStopped(); vends++) {
    const account: string = rejected?.account ?? names[Math.floor(Math.random() * names.length)] ?? '';
    const ref = { provider: settings.family, account };
    const outcome = await vend({ caller: 'test', ref, parameters: {}, minTtlSeconds: 0, rejected: rejected?.fingerprint }).catch(wordOf);
    count(typeof outcome === 'string' ? outcome : outcome.kind === 'refused' ? outcome.refusal.reason : outcome.kind);
    const reports = rejected === undefined && Math.random() < 0.1 && typeof outcome !== 'string' && outcome.kind === 'answered';
    rejected = reports ? { account, fingerprint: fingerprintOf(outcome.tokenSet.accessToken) } : undefined;
    if (vends % REPORT_EVERY !== 0) continue;
    tellParent({ kind: 'vended', outcomes });
    outcomes = {};
  }
}

/** An outage is an outcome like others here; anything else is a mistake and ends the test. */
function wordOf(error: unknown): string {
  if (error instanceof TokenVendingError) return error.code;
  tellParent({ kind: 'broken', error: String(error) });
  throw error;
}

if (import.meta.main) {
  endWithParent();
  let stopped = false;
  onParentMessage<{ stop: true }>(() => (stopped = true));
  await work(settingsOf<InstanceSettings>(), () => stopped);
  process.exit();
}
