import { DecryptCommand, GenerateDataKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import { afterAll, beforeEach, describe, expect, test } from '@jest/globals';
import { mockClient } from 'aws-sdk-client-mock';
import { createDataKeys } from '../../../functions/adapters/data-keys.ts';
import { createMemoryStore } from '../../support/memory-store.ts';
import { handClock } from '../../support/ports.ts';

const kms = mockClient(KMSClient);
const dayMs = 86_400_000;
const nowMs = 20_757 * dayMs + 12_345;
const day = 20_757;
const minutesMs = 60_000;
const calls = () => kms.calls().length;
const failure = (name: string) => Object.assign(new Error('arn:aws:kms:…'), { name });

/**
 * As KMS: every key is new, and the wrapped form opens to it.
 *
 * @param meanwhile happens while it works
 */
function workingKms(meanwhile = (): void => {}): void {
  let made = 0;
  kms.on(GenerateDataKeyCommand).callsFake(() => {
    meanwhile();
    const key = new Uint8Array(32).fill(++made);
    return { Plaintext: key, CiphertextBlob: new Uint8Array([...key, 0]) };
  });
  kms.on(DecryptCommand).callsFake(({ CiphertextBlob }: { CiphertextBlob: Uint8Array }) => {
    meanwhile();
    return { Plaintext: CiphertextBlob.slice(0, 32) };
  });
}

function setUp(store = createMemoryStore()) {
  const clock = handClock(nowMs);
  let loaded = 0;
  const loadKms = async () => {
    loaded++;
    return new KMSClient({ region: 'eu-central-1' });
  };
  const keys = createDataKeys({ kms: loadKms, store, keyId: 'key-1', deployment: 'test', clock });
  return { clock, store, keys, loads: () => loaded };
}

describe('the data keys', () => {
  beforeEach(() => {
    kms.reset();
    workingKms();
  });
  afterAll(() => kms.restore());

  test('are made once a day and opened by others, bound to deployment and day', async () => {
    const one = setUp();
    const sealing = await one.keys.forSealing(nowMs);
    const other = setUp(one.store);
    expect(sealing.day).toBe(day);
    expect(await other.keys.forOpening(day)).toEqual(sealing.key);

    const context = { deployment: 'test', day: String(day) };
    expect(kms.commandCalls(GenerateDataKeyCommand)[0]?.args[0].input).toMatchObject({ KeySpec: 'AES_256', EncryptionContext: context });
    expect(kms.commandCalls(DecryptCommand)[0]?.args[0].input).toMatchObject({ KeyId: 'key-1', EncryptionContext: context });
  });

  test('are another one on the next day', async () => {
    const { keys } = setUp();
    expect((await keys.forSealing(nowMs)).key).not.toEqual((await keys.forSealing(nowMs + dayMs)).key);
  });

  test('cost one KMS call for many who need the day at once, and none for 5 minutes', async () => {
    const { keys, clock } = setUp();
    await Promise.all(Array.from({ length: 10 }, () => keys.forSealing(nowMs)));
    expect(calls()).toBe(1);
    clock.advance(5 * minutesMs - 1);
    await keys.forOpening(day);
    expect(calls()).toBe(1);
    clock.advance(1);
    await Promise.all([keys.forOpening(day), keys.forOpening(day), keys.forSealing(nowMs)]);
    expect(calls()).toBe(2);
  });

  test('that lose the race for a new day are thrown away for the winner’s, at one KMS call more', async () => {
    const store = createMemoryStore();
    const winner = setUp(store);
    // The winner writes between the loser's look-up and its write.
    const late = {
      readDataKey: (of: number) => store.readDataKey(of),
      writeDataKey: async (...args: Parameters<typeof store.writeDataKey>) => (
        await winner.keys.forSealing(nowMs),
        store.writeDataKey(...args)
      ),
    };
    const loser = createDataKeys({
      kms: async () => new KMSClient({}),
      store: late,
      keyId: 'key-1',
      deployment: 'test',
      clock: handClock(nowMs),
    });

    expect((await loser.forSealing(nowMs)).key).toEqual((await winner.keys.forSealing(nowMs)).key);
    expect(calls()).toBe(3);
  });

  test('are unavailable where the winner’s is gone when the loser looks for it', async () => {
    const store = { readDataKey: async () => undefined, writeDataKey: async () => false };
    const keys = createDataKeys({ kms: async () => new KMSClient({}), store, keyId: 'key-1', deployment: 'test', clock: handClock(nowMs) });
    await expect(keys.forSealing(nowMs)).rejects.toMatchObject({ code: 'keys_unavailable' });
  });

  test('are undefined for opening where no such day was stored, without asking KMS or loading it', async () => {
    const { keys, loads } = setUp();
    expect(await keys.forOpening(day - 1)).toBeUndefined();
    expect([calls(), loads()]).toEqual([0, 0]);
  });

  test('fail closed within 5 minutes when the KMS key is disabled', async () => {
    const { keys, clock } = setUp();
    await keys.forSealing(nowMs);
    kms.reset();
    kms.rejects(failure('DisabledException'));
    clock.advance(5 * minutesMs);
    await expect(keys.forOpening(day)).rejects.toMatchObject({ code: 'keys_unavailable', cause: { code: 'DisabledException' } });
    await expect(keys.forSealing(nowMs)).rejects.toMatchObject({ code: 'keys_unavailable' });
  });

  test.each(['forSealing', 'forOpening'] as const)('are as old as the beginning of their KMS call (%s)', async (use) => {
    const { keys, clock, store } = setUp();
    if (use === 'forOpening') await setUp(store).keys.forSealing(nowMs);
    kms.reset();
    workingKms(() => clock.advance(2_000));
    const get = async () => (use === 'forSealing' ? (await keys.forSealing(nowMs)).key : keys.forOpening(day));
    await get();
    kms.reset();
    kms.rejects(failure('DisabledException'));
    clock.advance(5 * minutesMs - 2_001);
    expect(await get()).toBeDefined();
    clock.advance(1);
    await expect(get()).rejects.toMatchObject({ code: 'keys_unavailable' });
  });

  test('do not remember a failure', async () => {
    const { keys } = setUp();
    kms.on(GenerateDataKeyCommand).rejectsOnce(failure('KMSInternalException'));
    const refused = await keys.forSealing(nowMs).catch((error: unknown) => error);
    expect(JSON.stringify(refused, Object.getOwnPropertyNames(refused))).not.toContain('arn:');
    workingKms();
    expect((await keys.forSealing(nowMs)).key).toHaveLength(32);
  });

  test('are unavailable, not absent, where the table does not answer', async () => {
    const store = createMemoryStore({
      onOperation: () => {
        throw Object.assign(new Error(), { code: 'store_unavailable' });
      },
    });
    await expect(setUp(store).keys.forOpening(day)).rejects.toMatchObject({ code: 'store_unavailable' });
    expect(calls()).toBe(0);
  });
});
