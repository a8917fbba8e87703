import { Stack } from 'aws-cdk-lib';
import { StringParameter } from 'aws-cdk-lib/aws-ssm';
import type { Construct } from 'constructs';
import { operationsParameter } from '../operations.ts';
import type { Operations } from '../operations.ts';

/** Writes down where an operator's tools find what they need; a stack's outputs would be found by the stack's name only. */
export function describeOperations(scope: Construct, deployment: string, operations: Operations): void {
  new StringParameter(scope, 'Operations', {
    parameterName: operationsParameter(deployment),
    description: 'Names that the tools of an operator need',
    stringValue: Stack.of(scope).toJsonString(operations),
  });
}
