import { describe, expect, test } from '@jest/globals';
import { tokensOf } from '../support/provider-bench.ts';
import type { Suite } from './provider.ts';

type Kind = 'login' | 'refresh';

/** The part of the provider contract about everything that is neither an answer nor a refusal. */
export function troubleTests(suite: Suite, kinds: readonly Kind[]): void {
  async function call(kind: Kind, timeoutMs = 5000) {
    const patient = suite.account({ timeoutMs });
    if (kind === 'login') return patient.login();
    const { control } = suite.simulator;
    const { fault } = control;
    control.fault = null;
    const tokens = tokensOf(await suite.account().login());
    control.fault = fault;
    return patient.refresh(tokens);
  }

  describe.each(kinds)('during a %s', (kind) => {
    const on = [kind];

    test.each(['html', 'broken_json', 'no_token', 'bad_token'] as const)(
      '%s with status 200 is unreadable, never a success',
      async (answer) => {
        suite.simulator.control.fault = { answer, on };
        expect(await call(kind)).toMatchObject({ kind: 'failed', failure: 'unreadable', spent: 'unknown' });
      },
    );

    test.each([
      ['redirect', 'redirect'],
      ['oversized', 'too_large'],
    ] as const)('%s is refused', async (answer, code) => {
      suite.simulator.control.fault = { answer, on };
      expect(await call(kind)).toMatchObject({ kind: 'failed', failure: 'unreadable', spent: 'unknown', code });
    });

    test.each(['reset', 'reset_after'] as const)('a connection that breaks (%s) has an unknown outcome', async (answer) => {
      suite.simulator.control.fault = { answer, on };
      expect(await call(kind)).toMatchObject({ kind: 'failed', failure: 'transient', spent: 'unknown', code: 'reset' });
    });

    test.each([
      [408, 'unknown'],
      [425, 'no'],
      [429, 'no'],
      [500, 'unknown'],
      [502, 'unknown'],
      [503, 'unknown'],
      [504, 'unknown'],
    ])('status %i is for later, spent: %s', async (status, spent) => {
      suite.simulator.control.fault = { answer: 'status', status, on };
      expect(await call(kind)).toMatchObject({ kind: 'failed', failure: 'transient', spent, code: `http_${status}` });
    });

    test('Retry-After is obeyed', async () => {
      suite.simulator.control.fault = { answer: 'status', status: 429, retryAfter: '120', on };
      const result = await call(kind);
      const delay = result.kind === 'failed' ? (result.retryAtMs ?? 0) - Date.now() : 0;
      expect(delay).toBeGreaterThan(100_000);
      expect(delay).toBeLessThanOrEqual(120_000);
    });

    test.each(kind === 'login' ? (['slow_headers'] as const) : (['slow_body'] as const))(
      '%s end at the deadline, with an unknown outcome',
      async (answer) => {
        suite.simulator.control.fault = { answer, delayMs: 30_000, on };
        expect(await call(kind, 1000)).toMatchObject({ kind: 'failed', failure: 'transient', spent: 'unknown', code: 'timeout' });
      },
    );
  });

  test('a provider that is not there has surely spent nothing', async () => {
    const tokens = tokensOf(await suite.account().login());
    const elsewhere = suite.account({ secret: { base_url: 'https://127.0.0.2:1' } });
    expect(await elsewhere.login()).toMatchObject({ kind: 'failed', failure: 'configuration', spent: 'no' });
    // A token never follows a secret to another host.
    expect(await elsewhere.refresh(tokens)).toMatchObject({ kind: 'failed', spent: 'no' });
    expect(await elsewhere.revoke(tokens)).toMatchObject({ kind: 'failed', spent: 'no' });
  });

  test('past the deadline nothing is sent', async () => {
    expect(await suite.account({ timeoutMs: -1 }).login()).toMatchObject({ failure: 'transient', spent: 'no', code: 'deadline' });
    expect(suite.simulator.counters.requests).toBe(0);
  });

  test('a caller may withhold the request after discovery', async () => {
    const result = await suite.account().login({ beforeSend: () => Promise.resolve(false) });
    expect(result).toMatchObject({ failure: 'transient', spent: 'no', code: 'withheld' });
    expect(suite.simulator.counters.logins).toBe(0);
  });
}
