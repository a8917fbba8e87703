import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import { Key } from 'aws-cdk-lib/aws-kms';
import type { Construct } from 'constructs';

/**
 * The one KMS key of a deployment: it wraps the data key of each day, and those seal the token sets. Production retains it,
 * because a table without its key is lost; a sandbox's key waits the shortest time that KMS allows and is gone.
 */
export function createSealingKey(scope: Construct, deployment: string, production: boolean): Key {
  return new Key(scope, 'SealingKey', {
    description: `Wraps the daily data keys that seal the token sets of ${deployment}`,
    enableKeyRotation: true,
    removalPolicy: production ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
    ...(production ? {} : { pendingWindow: Duration.days(7) }),
  });
}
