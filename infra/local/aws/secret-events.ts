import { randomUUID } from 'node:crypto';
import { awsAccount, region } from './protocol.ts';
import type { SecretChange } from './secret-store.ts';

const calls = { deleted: 'DeleteSecret', restored: 'RestoreSecret' } as const;

/**
 * What EventBridge hands to the renewing function when a secret changes: Secrets Manager's own event for a new version, and
 * CloudTrail's record of the call for a deletion or a restoration.
 *
 * @see https://docs.aws.amazon.com/secretsmanager/latest/userguide/event-detail-secret-label-updated-secretsmanager.html
 */
export function secretEvent(change: SecretChange): unknown {
  const envelope = {
    version: '0',
    id: randomUUID(),
    source: 'aws.secretsmanager',
    account: awsAccount,
    time: new Date().toISOString().replace(/\.\d+/, ''),
    region,
  };
  if (change.kind === 'label_updated') {
    const detail = { name: change.name, labelUpdated: 'AWSCURRENT', versionId: change.versionId };
    return { ...envelope, 'detail-type': 'Secret Label Updated', resources: [change.arn], detail };
  }
  return {
    ...envelope,
    'detail-type': 'AWS API Call via CloudTrail',
    resources: [],
    detail: {
      eventSource: 'secretsmanager.amazonaws.com',
      eventName: calls[change.kind],
      requestParameters: { secretId: change.name },
      responseElements: { name: change.name, arn: change.arn },
    },
  };
}
