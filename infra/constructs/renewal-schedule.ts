import { Duration } from 'aws-cdk-lib';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { Schedule, ScheduleExpression } from 'aws-cdk-lib/aws-scheduler';
import { LambdaInvoke } from 'aws-cdk-lib/aws-scheduler-targets';
import type { Construct } from 'constructs';

/** Starts the dispatcher once a minute. Nothing is retried: the next tick finds what this one missed. */
export function createRenewalSchedule(scope: Construct, dispatcher: IFunction): Schedule {
  const role = new Role(scope, 'RenewalScheduleRole', { assumedBy: new ServicePrincipal('scheduler.amazonaws.com') });
  role.addToPolicy(new PolicyStatement({ actions: ['lambda:InvokeFunction'], resources: [dispatcher.functionArn] }));
  return new Schedule(scope, 'RenewalSchedule', {
    description: 'Looks for token sets that are due',
    schedule: ScheduleExpression.rate(Duration.minutes(1)),
    // The target would add every version of the function to the role.
    target: new LambdaInvoke(dispatcher, { role: role.withoutPolicyUpdates(), retryAttempts: 0, maxEventAge: Duration.minutes(1) }),
  });
}
