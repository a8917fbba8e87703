import { openSync, writeSync } from 'node:fs';
import { devNull } from 'node:os';
import withMiddleware from '@middy/core';
import { createSystemClock, createSystemRandomness } from '../../functions/adapters/system.ts';
import { createTelemetry } from '../../functions/adapters/telemetry.ts';
import type { ProviderFetch } from '../../functions/core/ports.ts';
import { createRenewTokenSet } from '../../functions/core/renew-token-set.ts';
import { timing } from '../../functions/core/timing.ts';
import { createVendToken } from '../../functions/core/vend-token.ts';
import type { HttpEvent } from '../../functions/handlers/http-event.ts';
import { vendTokenHandler } from '../../functions/handlers/vend-token.ts';
import { aContext } from '../support/lambda-context.ts';
import { createMemoryStore } from '../support/memory-store.ts';
import { dailyKeys, secretsAt } from '../support/processes/composition.ts';
import { recordedCallers } from '../support/recorded-callers.ts';
import { aProvider, traitsOf } from '../support/world/a-provider.ts';
import { strictRotation } from '../support/world/fake-provider.ts';
import { median, rounded } from './median.ts';

const BATCHES = 60;
const CALLS = 1_000;
const WARM_UP = 20;

const fetch: ProviderFetch = async () => ({
  answer: {
    status: 200,
    headers: {},
    text: JSON.stringify({ access: 'a'.repeat(1_200), refresh: 'r'.repeat(800), expires_in: 3_600, facts: { user: 'demo' } }),
    sentAtMs: Date.now(),
  },
});

const context = aContext();

const event: HttpEvent & object = {
  routeKey: 'POST /v1/tokens/{provider}/{account}',
  headers: { 'content-type': 'application/json' },
  pathParameters: { provider: 'bench', account: 'main' },
  requestContext: { accountId: '111122223333', requestId: 'JKJaXmPLvHcESHA=', authorizer: recordedCallers.role },
  body: '{"min_ttl":60}',
};

/** The real handler over the real core, its token in memory, audit line and metric written out. */
function vendHandler() {
  const clock = createSystemClock();
  const out = openSync(devNull, 'w');
  const telemetry = createTelemetry({ clock, write: (line) => void writeSync(out, line) });
  const provider = aProvider('bench', traitsOf(strictRotation));
  const common = {
    store: createMemoryStore(),
    keys: dailyKeys,
    clock,
    random: createSystemRandomness(),
    telemetry,
    timing,
    providers: new Map([[provider.id, provider]]),
    deployment: 'bench',
    dueShards: 1,
  };
  const renew = createRenewTokenSet({ ...common, fetch, secrets: secretsAt('https://bench.example') });
  const renewals = { invoke: (command: Parameters<typeof renew>[0]) => renew(command, { deadlineMs: clock.nowMs() + 30_000 }) };
  const caller = 'arn:aws:iam::111122223333:role/portal';
  const grants = { of: async () => [{ caller, operations: ['vend'], accounts: ['bench/main'], maxMinTtlSeconds: 600 } as const] };
  const handle = vendTokenHandler({ vendToken: createVendToken({ ...common, renewals }), grants, callers: { kind: 'iam' }, ...common });
  return () => handle(event, context);
}

/** What every handler pays: middy, and an answer that never changes. */
function constantHandler() {
  const handle = withMiddleware<object, { statusCode: number; body: string }>().handler(async () => ({ statusCode: 200, body: '{}' }));
  return () => handle(event, context);
}

/** @returns microseconds a call, medians of batches made in turns */
export async function measureCachedVend() {
  const handlers = [vendHandler(), constantHandler()];
  const times = handlers.map((): number[] => []);
  for (let batch = 0; batch < BATCHES; batch++) {
    for (const [index, handle] of handlers.entries()) {
      const startedMs = performance.now();
      for (let call = 0; call < CALLS; call++) check(await handle());
      if (batch >= WARM_UP) times[index]?.push(((performance.now() - startedMs) * 1_000) / CALLS);
    }
  }
  const [vendMicros = 0, constantMicros = 0] = times.map(median);
  return {
    vendMicros: rounded(vendMicros),
    constantMicros: rounded(constantMicros),
    moreMicros: rounded(vendMicros - constantMicros),
    goalMicros: 50,
  };
}

function check(answer: { statusCode: number; body: string }): void {
  if (answer.statusCode !== 200) throw new Error(`the vend answered ${answer.statusCode}: ${answer.body}`);
}
