import { Duration } from 'aws-cdk-lib';
import { Rule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import { arnOf } from './service-function.ts';

/**
 * Tells the renewing function at once when an account's secret changes or goes. A new version is Secrets Manager's own event;
 * a deletion shows only as CloudTrail's record of the call, so that rule is silent in an account without a trail, and the next
 * renewal notices instead.
 *
 * @param prefix what the names of the accounts' secrets begin with, without the last slash
 * @see https://docs.aws.amazon.com/secretsmanager/latest/userguide/event-detail-secret-label-updated-secretsmanager.html
 */
export function watchSecrets(scope: Construct, prefix: string, renewer: IFunction): void {
  const target = () => new LambdaFunction(renewer, { retryAttempts: 2, maxEventAge: Duration.hours(1) });
  new Rule(scope, 'SecretChanged', {
    description: 'An account has a new version of its secret',
    eventPattern: {
      source: ['aws.secretsmanager'],
      detailType: ['Secret Label Updated'],
      detail: { name: [{ prefix: `${prefix}/` }], labelUpdated: ['AWSCURRENT'] },
    },
    targets: [target()],
  });
  new Rule(scope, 'SecretDeleted', {
    description: 'The secret of an account was marked for deletion, or restored',
    eventPattern: {
      source: ['aws.secretsmanager'],
      detailType: ['AWS API Call via CloudTrail'],
      detail: {
        eventSource: ['secretsmanager.amazonaws.com'],
        eventName: ['DeleteSecret', 'RestoreSecret'],
        requestParameters: { secretId: [{ prefix: `${prefix}/` }, { prefix: arnOf(scope, 'secretsmanager', `secret:${prefix}/`) }] },
      },
    },
    targets: [target()],
  });
}
