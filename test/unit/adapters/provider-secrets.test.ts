import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeEach, describe, expect, test } from '@jest/globals';
import { mockClient } from 'aws-sdk-client-mock';
import { createProviderSecrets } from '../../../functions/adapters/provider-secrets.ts';
import { handClock } from '../../support/ports.ts';

const manager = mockClient(SecretsManagerClient);
const ref = { provider: 'vidizmo', account: 'main' };
const answer = (version: string, value: unknown) => ({ VersionId: version, SecretString: JSON.stringify(value) });
const failure = (name: string, message = 'x') => Object.assign(new Error(message), { name });
const reads = () => manager.commandCalls(GetSecretValueCommand).length;

function setUp() {
  const clock = handClock(1_793_456_789_012);
  const client = new SecretsManagerClient({ region: 'eu-central-1' });
  return { clock, secrets: createProviderSecrets({ client, prefix: 'tokens', clock }) };
}

describe('the accounts’ credentials', () => {
  beforeEach(() => void manager.reset());
  afterAll(() => manager.restore());

  test('are read by prefix, provider and account, and named by a short word for their version', async () => {
    manager.on(GetSecretValueCommand, { SecretId: 'tokens/vidizmo/main' }).resolves(answer('4b9a3a0e-version', { user: 'u' }));
    const secret = await setUp().secrets.read(ref, false);
    expect(secret).toEqual({ version: expect.stringMatching(/^[\w-]{11}$/), value: { user: 'u' } });
  });

  test('have another version word when the secret has another version', async () => {
    manager.on(GetSecretValueCommand).resolvesOnce(answer('one', {})).resolvesOnce(answer('two', {})).resolves(answer('one', {}));
    const { secrets } = setUp();
    const [first, second, third] = [await secrets.read(ref, true), await secrets.read(ref, true), await secrets.read(ref, true)];
    expect(first?.version).not.toBe(second?.version);
    expect(first?.version).toBe(third?.version);
  });

  test('stay in memory for less than 60 s, absences too', async () => {
    manager.on(GetSecretValueCommand, { SecretId: 'tokens/vidizmo/main' }).resolves(answer('one', {}));
    manager.on(GetSecretValueCommand, { SecretId: 'tokens/vidizmo/gone' }).rejects(failure('ResourceNotFoundException'));
    const { clock, secrets } = setUp();
    const both = () => Promise.all([secrets.read(ref, false), secrets.read({ ...ref, account: 'gone' }, false)]);

    await both();
    clock.advance(59_999);
    await both();
    expect(reads()).toBe(2);
    clock.advance(1);
    await both();
    expect(reads()).toBe(4);
  });

  test('are as old as the beginning of their request', async () => {
    const { clock, secrets } = setUp();
    manager.on(GetSecretValueCommand).callsFake(async () => {
      clock.advance(2_000);
      return answer('one', {});
    });
    await secrets.read(ref, false);
    clock.advance(57_999);
    await secrets.read(ref, false);
    expect(reads()).toBe(1);
    clock.advance(1);
    await secrets.read(ref, false);
    expect(reads()).toBe(2);
  });

  test('are read past the memory when asked fresh, and that answer is kept', async () => {
    manager.on(GetSecretValueCommand).resolvesOnce(answer('one', 1)).resolvesOnce(answer('two', 2));
    const { secrets } = setUp();
    await secrets.read(ref, false);
    expect((await secrets.read(ref, true))?.value).toBe(2);
    expect((await secrets.read(ref, false))?.value).toBe(2);
    expect(reads()).toBe(2);
  });

  test('share a request among those who ask at once', async () => {
    manager.on(GetSecretValueCommand).resolves(answer('one', {}));
    const { secrets } = setUp();
    await Promise.all(Array.from({ length: 10 }, () => secrets.read(ref, false)));
    expect(reads()).toBe(1);
  });

  test('asked fresh do not take the answer of a request that began before', async () => {
    const { promise: old, resolve: answerOld } = Promise.withResolvers<void>();
    manager
      .on(GetSecretValueCommand)
      .callsFakeOnce(async () => old.then(() => answer('old', 'old')))
      .resolves(answer('new', 'new'));
    const { secrets } = setUp();

    const early = secrets.read(ref, false);
    expect((await secrets.read(ref, true))?.value).toBe('new');
    answerOld();
    await early;

    expect((await secrets.read(ref, false))?.value).toBe('new');
  });

  test.each(['ResourceNotFoundException', 'InvalidRequestException'])('are absent where Secrets Manager says %s', async (name) => {
    manager.on(GetSecretValueCommand).rejects(failure(name));
    expect(await setUp().secrets.read(ref, true)).toBeUndefined();
  });

  test('are unavailable on any other failure, which is not kept and not quoted', async () => {
    manager.on(GetSecretValueCommand).rejectsOnce(failure('AccessDeniedException', 'arn:aws:…')).resolves(answer('one', 1));
    const { secrets } = setUp();
    const error = await secrets.read(ref, false).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: 'secrets_unavailable', cause: { code: 'AccessDeniedException' } });
    expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain('arn:');
    expect((await secrets.read(ref, false))?.value).toBe(1);
  });

  test.each([
    ['{"user": "u', undefined],
    ['', undefined],
    ['7', 7],
  ])('whose text is %j have the value %j', async (SecretString, value) => {
    manager.on(GetSecretValueCommand).resolves({ VersionId: 'one', SecretString });
    expect((await setUp().secrets.read(ref, false))?.value).toBe(value);
  });

  test('are kept for no more than a thousand accounts', async () => {
    manager.on(GetSecretValueCommand).resolves(answer('one', {}));
    const { secrets } = setUp();
    for (let index = 0; index <= 1_000; index++) await secrets.read({ ...ref, account: String(index) }, false);
    await secrets.read({ ...ref, account: '1' }, false);
    expect(reads()).toBe(1_001);
    await secrets.read({ ...ref, account: '0' }, false);
    expect(reads()).toBe(1_002);
  });
});
