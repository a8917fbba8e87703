import { describe, expect, test } from '@jest/globals';
import { Match } from 'aws-cdk-lib/assertions';
import { Vpc } from 'aws-cdk-lib/aws-ec2';
import { Certificate } from 'aws-cdk-lib/aws-certificatemanager';
import type { IVpc } from 'aws-cdk-lib/aws-ec2';
import { HostedZone } from 'aws-cdk-lib/aws-route53';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { configurations, readConfiguration } from '../../functions/configuration.ts';
import { timing } from '../../functions/core/timing.ts';
import { triedAgainSeconds } from '../../functions/handlers/renew-token-sets.ts';
import { routeKeyOf, routes } from '../../functions/routes.ts';
import { createTableInput, tableDefinition } from '../../infra/table-definition.ts';
import { synthesize } from './support/synthesize.ts';

const jwt = { issuer: 'https://issuer.example', audience: 'tokens', scope: 'tokens:use' };
const sandbox = synthesize();
const production = synthesize({ production: true, callers: jwt });

interface Resource<T> {
  Properties: T;
  DeletionPolicy?: string;
}

function resources<T>({ template }: typeof sandbox, type: string): Resource<T>[] {
  return Object.values(template.findResources(type)) as unknown as Resource<T>[];
}

describe('routes', () => {
  type RouteProperties = { RouteKey: string; AuthorizationType?: string; AuthorizationScopes?: string[] };
  const open = new Set(routes.filter(({ auth }) => auth === 'none').map(routeKeyOf));

  test('the stack has the routes of the HTTP surface and no others', () => {
    const keys = resources<RouteProperties>(sandbox, 'AWS::ApiGatewayV2::Route').map(({ Properties }) => Properties.RouteKey);
    expect(keys.toSorted()).toEqual(routes.map(routeKeyOf).toSorted());
  });

  test('IAM callers: every route asks for a signature but the open ones', () => {
    for (const { Properties: route } of resources<RouteProperties>(sandbox, 'AWS::ApiGatewayV2::Route')) {
      expect(`${route.RouteKey} ${route.AuthorizationType}`).toBe(`${route.RouteKey} ${open.has(route.RouteKey) ? 'NONE' : 'AWS_IAM'}`);
    }
  });

  test('JWT callers: every route asks for a token with the scope but the open ones', () => {
    for (const { Properties: route } of resources<RouteProperties>(production, 'AWS::ApiGatewayV2::Route')) {
      const isOpen = open.has(route.RouteKey);
      expect(route.AuthorizationType).toBe(isOpen ? 'NONE' : 'JWT');
      expect(route.AuthorizationScopes).toEqual(isOpen ? undefined : [jwt.scope]);
    }
    production.template.hasResourceProperties('AWS::ApiGatewayV2::Authorizer', {
      AuthorizerType: 'JWT',
      IdentitySource: ['$request.header.Authorization'],
      JwtConfiguration: { Issuer: jwt.issuer, Audience: [jwt.audience] },
    });
  });

  test('the API is throttled, and its access log holds no header, query or body', () => {
    sandbox.template.hasResourceProperties('AWS::ApiGatewayV2::Stage', {
      DefaultRouteSettings: { ThrottlingRateLimit: 100, ThrottlingBurstLimit: 200 },
      AccessLogSettings: { Format: Match.not(Match.stringLikeRegexp('header|queryString|\\$request')) },
    });
  });
});

describe('a domain of its own', () => {
  const name = 'tokens.company.example';
  const certificateArn = 'arn:aws:acm:eu-central-1:111122223333:certificate/1';
  const withDomain = (zoned: boolean) =>
    synthesize((stack) => {
      const certificate = Certificate.fromCertificateArn(stack, 'Certificate', certificateArn);
      const zone = { hostedZoneId: 'Z1', zoneName: 'company.example' };
      const hostedZone = zoned ? HostedZone.fromHostedZoneAttributes(stack, 'Zone', zone) : undefined;
      return { domain: { name, certificate, hostedZone } };
    });
  const zoned = withDomain(true);
  const unzoned = withDomain(false);

  test('is mapped to the API, over TLS 1.2 and up, and is the address that callers are told', () => {
    for (const { template, stack, vending } of [zoned, unzoned]) {
      template.hasResourceProperties('AWS::ApiGatewayV2::DomainName', {
        DomainName: name,
        DomainNameConfigurations: [{ CertificateArn: certificateArn, EndpointType: 'REGIONAL', SecurityPolicy: 'TLS_1_2' }],
      });
      template.hasResourceProperties('AWS::ApiGatewayV2::ApiMapping', { Stage: '$default' });
      expect(stack.resolve(vending.url)).toBe(`https://${name}`);
    }
  });

  test('leaves no second way in: the generated name is switched off, and only then', () => {
    const switchedOff = { DisableExecuteApiEndpoint: true };
    zoned.template.hasResourceProperties('AWS::ApiGatewayV2::Api', switchedOff);
    sandbox.template.hasResourceProperties('AWS::ApiGatewayV2::Api', { DisableExecuteApiEndpoint: Match.not(true) });
  });

  test('is written into its zone, or the template says where it must point', () => {
    zoned.template.hasResourceProperties('AWS::Route53::RecordSet', {
      Name: `${name}.`,
      Type: 'A',
      HostedZoneId: 'Z1',
      AliasTarget: { DNSName: { 'Fn::GetAtt': [Match.stringLikeRegexp('Domain'), 'RegionalDomainName'] } },
    });
    expect(zoned.template.findOutputs('*')).toEqual({});
    unzoned.template.resourceCountIs('AWS::Route53::RecordSet', 0);
    const targets = Object.values(unzoned.template.findOutputs('*')).map((output: unknown) => output);
    expect(targets).toEqual([
      {
        Description: `Where ${name} must point`,
        Value: { 'Fn::GetAtt': [expect.stringMatching(/Domain/), 'RegionalDomainName'] },
      },
    ]);
  });
});

describe('functions', () => {
  type FunctionProperties = {
    Description: string;
    Environment: { Variables: Record<string, unknown> };
    Timeout: number;
    ReservedConcurrentExecutions?: number;
    VpcConfig?: object;
  };
  const byDescription = (from: typeof sandbox) =>
    new Map(resources<FunctionProperties>(from, 'AWS::Lambda::Function').map(({ Properties }) => [Properties.Description, Properties]));
  const timeoutMs = (description: string) => (byDescription(sandbox).get(description)?.Timeout ?? 0) * 1_000;

  test.each([
    ['Hands out access tokens; holds no credential', configurations.vendToken],
    ['Shows, revokes and resets accounts', configurations.manageAccounts],
    ['Finds what is due and queues it', configurations.dispatchRenewals],
    ['Talks to the providers, alone', configurations.renewTokenSets],
  ])('%s: its environment is what the function reads, no more and no less', (description, schema) => {
    for (const from of [sandbox, production]) {
      const variables = byDescription(from).get(description)?.Environment.Variables ?? {};
      // What is known only at deploy time stands for itself.
      const environment = Object.fromEntries(
        Object.entries(variables).map(([name, value]) => [name, typeof value === 'string' ? value : 'https://known-at-deploy-time']),
      );
      expect(() => readConfiguration<unknown>(schema, environment)).not.toThrow();
      expect(Object.keys(environment).filter((name) => !(name in schema.shape))).toEqual([]);
    }
  });

  test('all run on Node 24 and arm64, log JSON with the platform at WARN into groups of their own, and are traced', () => {
    for (const { Properties } of resources<object>(sandbox, 'AWS::Lambda::Function')) {
      expect(Properties).toMatchObject({
        Runtime: 'nodejs24.x',
        Architectures: ['arm64'],
        LoggingConfig: { LogFormat: 'JSON', SystemLogLevel: 'WARN', LogGroup: { Ref: expect.any(String) } },
        TracingConfig: { Mode: 'Active' },
      });
    }
  });

  test('each is ended in time for whoever waits for it, and not before it can have done its work', () => {
    const minute = 60_000;
    const vend = timeoutMs('Hands out access tokens; holds no credential');
    const renew = timeoutMs('Talks to the providers, alone');
    // API Gateway gives up at 30 s.
    expect(vend).toBeGreaterThan(timing.vendDeadlineMs);
    expect(vend).toBeLessThan(30_000);
    expect(timeoutMs('Shows, revokes and resets accounts')).toBe(vend);
    expect(renew).toBeGreaterThanOrEqual(timing.acquireNeedsMs + timing.renewalDeadlineMs);
    // Two ticks never run at once.
    expect(timeoutMs('Finds what is due and queues it')).toBeLessThan(minute);
    expect(timeoutMs('Finds what is due and queues it')).toBeGreaterThan(minute / 2);
  });

  test('no function reserves concurrency, which a new account refuses', () => {
    expect(sandbox.text).not.toContain('ReservedConcurrentExecutions');
  });

  test('only the renewing function stands in the network', () => {
    expect(sandbox.text).not.toContain('VpcConfig');
    const inNetwork = synthesize((stack) => ({ vpc: new Vpc(stack, 'Network', { maxAzs: 1 }) as IVpc }));
    const placed = resources<FunctionProperties>(inNetwork, 'AWS::Lambda::Function').filter(({ Properties }) => Properties.VpcConfig);
    expect(placed.map(({ Properties }) => Properties.Description)).toEqual(['Talks to the providers, alone']);
  });
});

describe('renewal', () => {
  test('the schedule ticks every minute and retries nothing', () => {
    sandbox.template.hasResourceProperties('AWS::Scheduler::Schedule', {
      ScheduleExpression: 'rate(1 minute)',
      Target: { RetryPolicy: { MaximumRetryAttempts: 0 } },
    });
  });

  describe('the numbers of the queue', () => {
    type QueueProperties = {
      RedrivePolicy?: { maxReceiveCount: number };
      VisibilityTimeout: number;
      MessageRetentionPeriod: number;
    };
    const queue = resources<QueueProperties>(sandbox, 'AWS::SQS::Queue').find(({ Properties }) => Properties.RedrivePolicy !== undefined);
    const { RedrivePolicy, VisibilityTimeout = 0, MessageRetentionPeriod = 0 } = queue?.Properties ?? {};
    const receives = RedrivePolicy?.maxReceiveCount ?? 0;
    const workers = resources<{ Description: string; Timeout: number }>(sandbox, 'AWS::Lambda::Function');
    const worker = workers.find(({ Properties }) => Properties.Description.startsWith('Talks to'))?.Properties;
    const staleSeconds = timing.staleMessageMs / 1_000;

    test('are those that AWS advises where Lambda receives, so that a throttled worker has time to be tried again', () => {
      expect(VisibilityTimeout).toBeGreaterThanOrEqual(6 * (worker?.Timeout ?? 0));
      expect(receives).toBeGreaterThanOrEqual(5);
    });

    test('let the queue forget what no worker could be started for, before that can be taken for a crash', () => {
      expect(VisibilityTimeout * receives).toBeGreaterThan(MessageRetentionPeriod);
    });

    test('let a crash reach the dead letters: before a worker would drop it for its age, and before the queue forgets it', () => {
      expect((receives - 1) * triedAgainSeconds).toBeLessThan(staleSeconds);
      expect(receives * triedAgainSeconds + timing.spreadMs / 1_000).toBeLessThan(MessageRetentionPeriod);
      // What a crash leaves is a lease; a worker that meets one waits, and has not crashed.
      expect(triedAgainSeconds * 1_000).toBeGreaterThan(timing.leaseMs + timing.skewMs);
    });

    test('keep what is too old to be worth doing for a worker to drop and count', () => {
      expect(staleSeconds).toBeLessThan(MessageRetentionPeriod);
      expect(MessageRetentionPeriod).toBe(300);
    });
  });

  test('workers report each message, and no more of them run than were asked for', () => {
    synthesize({ renewalConcurrency: 7 }).template.hasResourceProperties('AWS::Lambda::EventSourceMapping', {
      FunctionResponseTypes: ['ReportBatchItemFailures'],
      ScalingConfig: { MaximumConcurrency: 7 },
    });
  });

  test('a new version of a secret under the prefix, and its deletion, reach the renewing function', () => {
    sandbox.template.hasResourceProperties('AWS::Events::Rule', {
      EventPattern: {
        source: ['aws.secretsmanager'],
        'detail-type': ['Secret Label Updated'],
        detail: { name: [{ prefix: 'tokens-test/' }], labelUpdated: ['AWSCURRENT'] },
      },
    });
    sandbox.template.hasResourceProperties('AWS::Events::Rule', {
      EventPattern: { 'detail-type': ['AWS API Call via CloudTrail'], detail: { eventName: ['DeleteSecret', 'RestoreSecret'] } },
    });
  });
});

describe('what stays when the stack goes', () => {
  test('a sandbox leaves nothing', () => {
    expect(retained(sandbox)).toEqual([]);
    sandbox.template.hasResourceProperties('AWS::KMS::Key', { PendingWindowInDays: 7 });
  });

  test('production keeps table and key, and can restore the table', () => {
    expect(retained(production).toSorted()).toEqual(['AWS::DynamoDB::Table', 'AWS::KMS::Key']);
    production.template.hasResourceProperties('AWS::DynamoDB::Table', {
      PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
      DeletionProtectionEnabled: true,
    });
  });

  test('every log group has an end to what it keeps', () => {
    for (const { Properties } of resources<{ RetentionInDays?: number }>(production, 'AWS::Logs::LogGroup')) {
      expect(Properties.RetentionInDays).toBe(90);
    }
  });
});

describe('table and key', () => {
  test('the table is the one that the functions were written for', () => {
    sandbox.template.hasResourceProperties('AWS::DynamoDB::Table', {
      BillingMode: 'PAY_PER_REQUEST',
      TimeToLiveSpecification: { AttributeName: tableDefinition.ttlAttribute, Enabled: true },
      GlobalSecondaryIndexes: tableDefinition.indexes.map(({ name }) => Match.objectLike({ IndexName: name })),
    });
  });

  test('the due index holds the tag of the origin besides its keys, the listing nothing, and neither what is sealed', () => {
    sandbox.template.hasResourceProperties('AWS::DynamoDB::Table', {
      GlobalSecondaryIndexes: [
        Match.objectLike({ IndexName: 'due', Projection: { ProjectionType: 'INCLUDE', NonKeyAttributes: ['og'] } }),
        Match.objectLike({ IndexName: 'listing', Projection: { ProjectionType: 'KEYS_ONLY' } }),
      ],
    });
  });

  test('an embedded database makes the same indexes as the stack', () => {
    const projections = createTableInput('tokens').GlobalSecondaryIndexes.map(({ IndexName, Projection }) => ({ IndexName, Projection }));
    sandbox.template.hasResourceProperties('AWS::DynamoDB::Table', {
      GlobalSecondaryIndexes: projections.map((index) => Match.objectLike(index)),
    });
  });

  test('the key is rotated', () => {
    sandbox.template.hasResourceProperties('AWS::KMS::Key', { EnableKeyRotation: true });
  });

  test('no secret, password or token stands in a template', () => {
    for (const { text } of [sandbox, production])
      expect(text).not.toMatch(/AWS::SecretsManager::Secret|password|client_secret|dynamic reference/i);
  });
});

interface AlarmRule {
  Threshold: number;
  EvaluationPeriods: number;
  DatapointsToAlarm: number;
  Statistic?: string;
  expression?: string;
}

interface AlarmProperties {
  AlarmName: string;
  Period?: number;
  Metrics?: { Expression?: string; MetricStat?: { Period: number } }[];
}

describe('alarms', () => {
  test('production has a dashboard and an alarm for each entry of the runbook, all sent to a topic', () => {
    const alarms = resources<{ AlarmName: string; AlarmActions: unknown[] }>(production, 'AWS::CloudWatch::Alarm');
    const names = alarms.map(({ Properties }) => Properties.AlarmName.replace('tokens-test-', ''));
    expect(names.toSorted()).toEqual([
      'ClockSkew',
      'DeadLetters',
      'FunctionErrors',
      'OldestOverdue',
      'PersonNeeded',
      'RenewalsFailing',
      'VendErrors',
    ]);
    expect(alarms.every(({ Properties }) => Properties.AlarmActions.length === 1)).toBe(true);
    production.template.resourceCountIs('AWS::CloudWatch::Dashboard', 1);
  });

  test.each([
    ['VendErrors', { Threshold: 5, EvaluationPeriods: 3, DatapointsToAlarm: 3, expression: 'IF(errors >= 3, 100 * errors / calls, 0)' }],
    ['PersonNeeded', { Threshold: 1, EvaluationPeriods: 1, DatapointsToAlarm: 1, Statistic: 'Sum' }],
    ['RenewalsFailing', { Threshold: 300, EvaluationPeriods: 3, DatapointsToAlarm: 1, Statistic: 'Maximum' }],
    ['DeadLetters', { Threshold: 1, EvaluationPeriods: 1, DatapointsToAlarm: 1, Statistic: 'Maximum' }],
    ['OldestOverdue', { Threshold: 300, EvaluationPeriods: 1, DatapointsToAlarm: 1, Statistic: 'Maximum' }],
    ['ClockSkew', { Threshold: 1, EvaluationPeriods: 2, DatapointsToAlarm: 2, Statistic: 'SampleCount' }],
    ['FunctionErrors', { Threshold: 1, EvaluationPeriods: 2, DatapointsToAlarm: 2 }],
  ])('%s rings at what the runbook says, over periods of 5 minutes', (name, { expression, ...rule }: AlarmRule) => {
    const alarms = resources<AlarmProperties>(production, 'AWS::CloudWatch::Alarm').map(({ Properties }) => Properties);
    const alarm = alarms.find(({ AlarmName }) => AlarmName === `tokens-test-${name}`);
    expect(alarm).toMatchObject({ ...rule, ComparisonOperator: 'GreaterThanOrEqualToThreshold' });
    const periods = [alarm?.Period, ...(alarm?.Metrics ?? []).flatMap(({ MetricStat: stat }) => [stat?.Period])];
    expect(new Set(periods.filter((seconds) => seconds !== undefined))).toEqual(new Set([300]));
    expect(alarm?.Metrics?.map(({ Expression }) => Expression).find((given) => given === expression)).toBe(expression);
  });

  test('CloudWatch may publish to the topic, for this account only and over TLS', () => {
    production.template.hasResourceProperties('AWS::SNS::TopicPolicy', {
      PolicyDocument: {
        Statement: Match.arrayWith([
          Match.objectLike({ Effect: 'Deny', Condition: { Bool: { 'aws:SecureTransport': 'false' } } }),
          Match.objectLike({ Effect: 'Allow', Action: 'sns:Publish', Principal: { Service: 'cloudwatch.amazonaws.com' } }),
        ]),
      },
    });
  });

  test('a schedule that does not run raises the alarm too', () => {
    production.template.hasResourceProperties('AWS::CloudWatch::Alarm', {
      AlarmName: 'tokens-test-OldestOverdue',
      TreatMissingData: 'breaching',
    });
  });

  test('the metrics are of this deployment alone, under its name', () => {
    production.template.hasResourceProperties('AWS::CloudWatch::Alarm', { MetricName: 'OldestOverdue', Namespace: 'tokens-test' });
    expect(production.text).not.toContain('"TokenVending"');
  });

  test("a topic of one's own gets every alarm and its end, but for one that says nothing, gives a sandbox its alarms, and no other topic is made", () => {
    const arn = 'arn:aws:sns:eu-central-1:111122223333:on-call';
    for (const props of [{}, { production: true }]) {
      const alarmed = synthesize((stack) => ({ ...props, alarmTopic: Topic.fromTopicArn(stack, 'OnCall', arn) }));
      const alarms = resources<{ AlarmName: string; AlarmActions: unknown[]; OKActions?: unknown[] }>(alarmed, 'AWS::CloudWatch::Alarm');
      expect(alarms).toHaveLength(7);
      for (const { Properties } of alarms) {
        expect(Properties.AlarmActions).toEqual([arn]);
        expect(Properties.OKActions).toEqual(Properties.AlarmName.endsWith('-PersonNeeded') ? undefined : [arn]);
      }
      alarmed.template.resourceCountIs('AWS::SNS::Topic', 0);
    }
  });

  test('a sandbox costs no alarm', () => {
    sandbox.template.resourceCountIs('AWS::CloudWatch::Alarm', 0);
  });
});

function retained({ template }: typeof sandbox): string[] {
  const all = template.toJSON()['Resources'] as Record<string, { Type: string; DeletionPolicy?: string }>;
  return Object.values(all).flatMap(({ Type, DeletionPolicy }) => (DeletionPolicy === 'Retain' ? [Type] : []));
}
