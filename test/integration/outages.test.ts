import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import type { FaultyService } from '../support/aws-faults.ts';
import { startLocalRun, type LocalRun } from '../support/local-run.ts';

// Long for a machine that has more to do; nothing here measures time.
jest.setTimeout(60_000);

/** Every test has functions of its own, which remember nothing yet. */
let run: LocalRun;

beforeEach(async () => {
  run = await startLocalRun();
});

afterEach(() => run.stop());

const vend = () => run.call('POST', '/v1/tokens/movingimage/main', { json: {} });

describe('an outage of AWS', () => {
  test.each([
    ['Ssm', 'grants_unavailable'],
    ['DynamoDB', 'store_unavailable'],
    ['SecretsManager', 'secrets_unavailable'],
    ['Kms', 'keys_unavailable'],
  ] satisfies [FaultyService, string][])('of %s is a 503 that names it as %s, and is over when it is over', async (service, code) => {
    run.faults.broken.add(service);
    const during = await vend();
    expect(during.body).toMatchObject({ status: 503, code, type: `urn:token-vending:problem:${code}` });
    expect(during.status).toBe(503);
    expect(during.headers.get('cache-control')).toBe('no-store');
    expect(Number(during.headers.get('retry-after'))).toBeGreaterThan(0);

    run.faults.broken.clear();
    expect((await vend()).status).toBe(200);
  });

  test('of Secrets Manager, KMS and the grants is not seen by a caller whose token lives', async () => {
    const before = await vend();
    run.faults.broken.add('SecretsManager').add('Kms').add('Ssm');
    const during = await vend();
    expect([during.status, during.body['fingerprint']]).toEqual([200, before.body['fingerprint']]);
  });
});
