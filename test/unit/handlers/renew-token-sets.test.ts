import { describe, expect, test } from '@jest/globals';
import { renewalCodec } from '../../../functions/adapters/renewal-codec.ts';
import { TokenVendingError } from '../../../functions/core/errors.ts';
import type { Outcome, RenewCommand } from '../../../functions/core/renewal.ts';
import { timing } from '../../../functions/core/timing.ts';
import { dispatchRenewalsHandler } from '../../../functions/handlers/dispatch-renewals.ts';
import { renewTokenSetsHandler } from '../../../functions/handlers/renew-token-sets.ts';
import { theClock, theNowMs } from '../../support/http-calls.ts';
import { aContext } from '../../support/lambda-context.ts';
import { recordTelemetry } from '../../support/recorded-telemetry.ts';

const ref = { provider: 'demo', account: 'main' };
const current: Outcome = { outcome: 'current', item: undefined };

/** The handler over a use case that notes what it is asked and answers as told. */
function aHandler(answer: (command: RenewCommand) => Outcome | Promise<Outcome> = () => current, queueAnswers = true) {
  const givenBack: { receiptHandles: readonly string[]; seconds: number }[] = [];
  const asked: { command: RenewCommand; deadlineMs: number }[] = [];
  const telemetry = recordTelemetry();
  const clock = theClock();
  const renewTokenSet = async (command: RenewCommand, { deadlineMs }: { deadlineMs: number }) => {
    asked.push({ command, deadlineMs });
    return answer(command);
  };
  const giveBack = async (receiptHandles: readonly string[], seconds: number) => {
    givenBack.push({ receiptHandles, seconds });
    if (!queueAnswers) throw new TokenVendingError('renewals_unavailable');
  };
  const deps = { renewTokenSet, giveBack, codec: renewalCodec, clock, telemetry, timing, secretPrefix: 'tokens' };
  return { asked, givenBack, telemetry, clock, handle: renewTokenSetsHandler(deps) };
}

/** A batch as SQS delivers it. */
function aBatch(...messages: unknown[]) {
  const Records = messages.map((message, index) => ({
    messageId: `message-${index}`,
    receiptHandle: `receipt-${index}`,
    eventSource: 'aws:sqs',
    body: typeof message === 'string' ? message : JSON.stringify(message),
  }));
  return { Records };
}

function aMessage(sorts: readonly string[], sentAtMs = theNowMs) {
  return { partition: 'demo/main', group: 'origin', sets: sorts.map((sort) => ({ sort, dueAtMs: theNowMs - 1_000 })), sentAtMs };
}

function due(sort: string): RenewCommand {
  return { command: 'renew_due', key: { partition: 'demo/main', sort }, dueAtMs: theNowMs - 1_000 };
}

describe('a function that invokes the renewing one', () => {
  test('has its command carried out and gets the outcome as it travels', async () => {
    const sealed = new Uint8Array([1, 2, 3]);
    const { handle, asked } = aHandler(() => ({ outcome: 'renewed', item: { generation: 7, sealed } }));
    const command = { command: 'renew', ref, parameters: { profile: 'kids' }, minTtlMs: 0 } as const;
    expect(await handle(command, aContext())).toEqual({ outcome: 'renewed', item: { generation: 7, sealed: 'AQID' } });
    expect(asked.map((each) => each.command)).toEqual([command]);
  });

  test('gets an error for something that is no command', async () => {
    const { handle, asked } = aHandler();
    await expect(handle({ command: 'dance' }, aContext())).rejects.toMatchObject({ code: 'internal' });
    expect(asked).toEqual([]);
  });

  test.each([
    [29_000, 28_500],
    [300_000, 29_500],
  ])('leaves it as long as Lambda does, but never more than the function has: %d ms', async (remainingMs, usableMs) => {
    const { handle, asked } = aHandler();
    await handle({ command: 'check', ref }, aContext(remainingMs));
    expect(asked[0]?.deadlineMs).toBe(theNowMs + usableMs);
  });

  test('leaves it the whole time where the runtime does not tell', async () => {
    const { handle, asked } = aHandler();
    await Reflect.apply(handle, undefined, [{ command: 'check', ref }, {}]);
    expect(asked[0]?.deadlineMs).toBe(theNowMs + 29_500);
  });
});

describe('a message of the queue', () => {
  test('renews each of its token sets', async () => {
    const { handle, asked, givenBack } = aHandler();
    const sorts = ['a', 'b', 'c', 'd', 'e'];
    expect(await handle(aBatch(aMessage(sorts)), aContext())).toEqual({ batchItemFailures: [] });
    expect(givenBack).toEqual([]);
    expect(asked.map(({ command }) => command)).toEqual(sorts.map(due));
  });

  test('renews four of its sets at a time at the most', async () => {
    let underWay = 0;
    const together: number[] = [];
    const { handle } = aHandler(async () => {
      together.push(++underWay);
      await new Promise(setImmediate);
      underWay -= 1;
      return current;
    });
    await handle(aBatch(aMessage(['a', 'b', 'c', 'd', 'e'])), aContext());
    expect(together).toEqual([1, 2, 3, 4, 1]);
  });

  test.each([
    { outcome: 'wait', retryAtMs: theNowMs + 1 },
    { outcome: 'refused', refusal: { reason: 'credentials_refused' } },
    { outcome: 'refused', refusal: { reason: 'needs_consent' } },
  ] satisfies Outcome[])('is acknowledged where the items record the outcome: %j', async (outcome) => {
    const { handle } = aHandler(() => outcome);
    expect(await handle(aBatch(aMessage(['a'])), aContext())).toEqual({ batchItemFailures: [] });
  });

  test('is given back where a renewal crashes, and it alone, to be tried again soon', async () => {
    const crash = new TokenVendingError('store_unavailable');
    const { handle, givenBack, telemetry } = aHandler((command) => {
      if (command.command === 'renew_due' && command.key.sort === 'bad') throw crash;
      return current;
    });
    const answer = await handle(aBatch(aMessage(['good']), aMessage(['good', 'bad']), aMessage(['good'])), aContext());
    expect(answer).toEqual({ batchItemFailures: [{ itemIdentifier: 'message-1' }] });
    expect(givenBack).toEqual([{ receiptHandles: ['receipt-1'], seconds: 20 }]);
    expect(telemetry.logs).toEqual([
      { level: 'error', message: 'A queued renewal crashed', fields: { messageId: 'message-1' }, error: crash },
    ]);
  });

  test('is named as failed also where the queue does not take it back', async () => {
    const { handle, telemetry } = aHandler(() => {
      throw new TokenVendingError('store_unavailable');
    }, false);
    expect(await handle(aBatch(aMessage(['bad'])), aContext())).toEqual({ batchItemFailures: [{ itemIdentifier: 'message-0' }] });
    expect(telemetry.logs.map(({ level }) => level)).toEqual(['error', 'warn']);
  });

  test.each(['no JSON', { partition: 'demo/main' }, { ...aMessage(['a']), sets: [{ sort: 'a' }] }])(
    'is given back where nobody can read it: %j',
    async (message) => {
      const { handle, asked, givenBack } = aHandler();
      expect(await handle(aBatch(message), aContext())).toEqual({ batchItemFailures: [{ itemIdentifier: 'message-0' }] });
      expect(givenBack).toHaveLength(1);
      expect(asked).toEqual([]);
    },
  );

  test('is dropped when it is older than 90 s', async () => {
    const { handle, asked, telemetry } = aHandler();
    const batch = aBatch(aMessage(['old'], theNowMs - 90_001), aMessage(['young'], theNowMs - 90_000));
    expect(await handle(batch, aContext())).toEqual({ batchItemFailures: [] });
    expect(asked.map(({ command }) => command)).toEqual([due('young')]);
    expect(telemetry.metrics).toEqual([{ name: 'RenewalsDropped', value: 1, unit: 'Count', dimension: 'renew-token-sets' }]);
  });

  test('that was held back is as old as the time since it could first be taken', async () => {
    const { handle, asked } = aHandler();
    const delaySeconds = 55;
    const old = { ...aMessage(['old'], theNowMs - 145_001), delaySeconds };
    await handle(aBatch(old, { ...aMessage(['young'], theNowMs - 145_000), delaySeconds }), aContext());
    expect(asked.map(({ command }) => command)).toEqual([due('young')]);
  });

  test('is left to the next tick where too little time is left to acquire a lease', async () => {
    const { handle, asked, telemetry } = aHandler();
    expect(await handle(aBatch(aMessage(['a', 'b'])), aContext(15_000))).toEqual({ batchItemFailures: [] });
    expect(asked).toEqual([]);
    expect(telemetry.metrics).toMatchObject([{ name: 'RenewalsDropped', value: 2 }]);
  });
});

/** CloudTrail's record of a call to Secrets Manager. */
function aCall(eventName: string, secretId: string, responseElements: unknown) {
  const requestParameters = { secretId, recoveryWindowInDays: 30 };
  const detail = { eventSource: 'secretsmanager.amazonaws.com', eventName, requestParameters, responseElements };
  return { 'detail-type': 'AWS API Call via CloudTrail', source: 'aws.secretsmanager', detail };
}

describe('an event about a secret', () => {
  const change: RenewCommand = { command: 'secret_changed', ref };
  const label = {
    version: '0',
    id: '6a7e8feb-b491-4cf7-a9f1-bf3703467718',
    'detail-type': 'Secret Label Updated',
    source: 'aws.secretsmanager',
    account: '111122223333',
    region: 'eu-central-1',
    resources: ['arn:aws:secretsmanager:eu-central-1:111122223333:secret:tokens/demo/main-a1b2c3'],
    detail: { name: 'tokens/demo/main', labelUpdated: 'AWSCURRENT', versionId: 'a1b2c3d4-5678-90ab-cdef-EXAMPLE11111' },
  };
  const arn = 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:tokens/demo/main-a1b2c3';

  test.each([
    ['a new version', label],
    ['a deletion by name', aCall('DeleteSecret', 'tokens/demo/main', { name: 'tokens/demo/main', aRN: arn })],
    ['a deletion by ARN', aCall('DeleteSecret', arn, { name: 'tokens/demo/main', aRN: arn })],
    ['a deletion by ARN that does not answer', aCall('DeleteSecret', arn, null)],
    ['a deletion by a part of the ARN', aCall('DeleteSecret', arn.slice(0, -7), { name: 'tokens/demo/main', aRN: arn })],
    ['a restoration', aCall('RestoreSecret', 'tokens/demo/main', null)],
  ])('has the account look at it: %s', async (_, event) => {
    const { handle, asked } = aHandler(() => ({ outcome: 'done' }));
    await handle(event, aContext());
    expect(asked.map(({ command }) => command)).toEqual([change]);
  });

  test.each(['others/demo/main', 'tokens/demo', 'tokens/demo/main/old'])(
    'is nothing where the secret is none of ours: %s',
    async (name) => {
      const { handle, asked } = aHandler();
      expect(await handle({ ...label, detail: { ...label.detail, name } }, aContext())).toBeUndefined();
      expect(asked).toEqual([]);
    },
  );
});

describe('the schedule', () => {
  test('starts the dispatch', async () => {
    const handle = dispatchRenewalsHandler({
      dispatchRenewals: async () => ({ sent: 3, oldestOverdueMs: 7 }),
      telemetry: recordTelemetry(),
    });
    expect(await handle()).toEqual({ sent: 3, oldestOverdueMs: 7 });
  });

  test('sees a failed dispatch as failed, and the log says why', async () => {
    const telemetry = recordTelemetry();
    const error = new TokenVendingError('store_unavailable');
    const handle = dispatchRenewalsHandler({ dispatchRenewals: () => Promise.reject(error), telemetry });
    await expect(handle()).rejects.toBe(error);
    expect(telemetry.logs).toEqual([{ level: 'error', message: 'A dispatch failed', fields: {}, error }]);
  });
});
