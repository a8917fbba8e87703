import { GetQueueAttributesCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import type { DeployedStack } from './cloud.ts';
import { until } from './steps.ts';
import type { Steps } from './steps.ts';

/** Puts a message into the queue that no worker can work on. @returns a step that waits for it among the dead letters */
export async function sendUnworkable(stack: DeployedStack): Promise<(steps: Steps) => Promise<void>> {
  const queues = new SQSClient();
  const feeding = Object.entries(stack.template).find(([, { Properties }]) => Properties?.['RedrivePolicy'] !== undefined)?.[0] ?? '';
  const queueUrl = stack.ids[feeding] ?? '';
  const deadLettersUrl = stack.ofType('AWS::SQS::Queue').find((url) => url !== queueUrl) ?? '';
  await queues.send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: 'no message of ours', MessageGroupId: 'e2e' }));

  const waiting = async (): Promise<true | undefined> => {
    const input = { QueueUrl: deadLettersUrl, AttributeNames: ['ApproximateNumberOfMessages' as const] };
    const { Attributes } = await queues.send(new GetQueueAttributesCommand(input));
    return Attributes?.['ApproximateNumberOfMessages'] === '1' ? true : undefined;
  };
  return async (steps) => {
    await steps.check('a message that fails five times ends among the dead letters', async () => {
      await until('a dead letter', 240_000, waiting);
    });
  };
}
