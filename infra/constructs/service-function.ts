import type { Duration } from 'aws-cdk-lib';
import { RemovalPolicy, Stack, Validations } from 'aws-cdk-lib';
import type { ISecurityGroup, IVpc, SubnetSelection } from 'aws-cdk-lib/aws-ec2';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { Architecture } from 'aws-cdk-lib/aws-lambda';
import { Function, LoggingFormat, Runtime, SystemLogLevel, Tracing } from 'aws-cdk-lib/aws-lambda';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import { codeOf, type FunctionStem } from './bundle.ts';

/** Where a function stands that must reach private addresses. */
export interface Network {
  vpc: IVpc;
  subnets: SubnetSelection | undefined;
  securityGroups: readonly ISecurityGroup[] | undefined;
}

/** What one function of the service needs besides its permissions. */
export interface ServiceFunctionProps {
  stem: FunctionStem;
  description: string;
  memoryMb: number;
  timeout: Duration;
  environment: Readonly<Record<string, string>>;
  production: boolean;
  architecture: Architecture;
  network: Network | undefined;
}

const tracingReason = 'X-Ray has no resources to name: PutTraceSegments and PutTelemetryRecords can be allowed on * only';
const networkReason = 'EC2 knows no resource of a network interface before it exists: Lambda asks for these actions on *';

/** A Lambda with a role of its own that starts with nothing but its own log group. */
export class ServiceFunction extends Function {
  readonly ownRole: Role;

  constructor(scope: Construct, id: string, props: ServiceFunctionProps) {
    const logGroup = new LogGroup(scope, `${id}Logs`, {
      retention: props.production ? RetentionDays.THREE_MONTHS : RetentionDays.ONE_WEEK,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const role = new Role(scope, `${id}Role`, { assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
    super(scope, id, {
      description: props.description,
      code: codeOf(props.stem),
      handler: 'index.handler',
      runtime: Runtime.NODEJS_24_X,
      architecture: props.architecture,
      memorySize: props.memoryMb,
      timeout: props.timeout,
      environment: { ...props.environment },
      role,
      logGroup,
      loggingFormat: LoggingFormat.JSON,
      // The platform's start, report and runtime lines cost more than they tell; its warnings stay.
      systemLogLevelV2: SystemLogLevel.WARN,
      tracing: Tracing.ACTIVE,
      ...(props.network === undefined ? {} : networkProps(props.network)),
    });
    this.ownRole = role;
    role.addToPolicy(new PolicyStatement({ actions: ['logs:CreateLogStream', 'logs:PutLogEvents'], resources: [logGroup.logGroupArn] }));
    acknowledge(role, 'AwsSolutions-IAM5[Resource::*]', props.network === undefined ? tracingReason : `${tracingReason}. ${networkReason}`);
    if (props.network !== undefined) role.addToPolicy(networkInterfaces());
  }
}

function networkProps(network: Network) {
  return {
    vpc: network.vpc,
    ...(network.subnets === undefined ? {} : { vpcSubnets: network.subnets }),
    ...(network.securityGroups === undefined ? {} : { securityGroups: [...network.securityGroups] }),
  };
}

function networkInterfaces(): PolicyStatement {
  return new PolicyStatement({
    actions: ['CreateNetworkInterface', 'DescribeNetworkInterfaces', 'DescribeSubnets', 'DeleteNetworkInterface'].map((a) => `ec2:${a}`),
    resources: ['*'],
  });
}

/** Acknowledges one finding of cdk-nag, on the construct that it belongs to, with its reason. */
export function acknowledge(construct: Construct, id: string, reason: string): void {
  Validations.of(construct).acknowledge({ id, reason });
}

/** @returns the ARN of a resource in the stack's own partition, account and region */
export function arnOf(scope: Construct, service: string, resource: string): string {
  return Stack.of(scope).formatArn({ service, resource });
}
