import { Stack } from 'aws-cdk-lib';
import { Alarm, ComparisonOperator, MathExpression, Stats, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import type { IMetric } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import type { HttpApi } from 'aws-cdk-lib/aws-apigatewayv2';
import { ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { Topic } from 'aws-cdk-lib/aws-sns';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { timing } from '../../functions/core/timing.ts';
import { createDashboard } from './dashboard.ts';
import { ownMetric, overFunctions, period } from './metrics.ts';

export interface MonitoringProps {
  deployment: string;
  api: HttpApi;
  functions: readonly IFunction[];
  deadLetters: IQueue;
  /** absent: a topic of its own, to which operators subscribe */
  topic: ITopic | undefined;
}

interface AlarmSpec {
  metric: IMetric;
  threshold: number;
  /** how many periods in a row; with `of`, how many of the last so many */
  periods: number;
  of?: number;
  /** what happened and where to read what to do */
  description: string;
  missing?: TreatMissingData;
  /** it tells of a moment: that it is over does not mean that anything was mended, so nobody is told */
  momentary?: true;
}

/** A share of a few calls says nothing; a few errors, one period after the other, say it also where a caller a minute is all there is. */
const fewestErrors = 3;

/** Dashboard and alarms of a deployment; docs/runbook.md has an entry for each alarm. */
export class Monitoring extends Construct {
  readonly topic: ITopic;
  private readonly props: MonitoringProps;

  constructor(scope: Construct, id: string, props: MonitoringProps) {
    super(scope, id);
    this.props = props;
    this.topic = props.topic ?? this.addTopic();
    const action = new SnsAction(this.topic);
    for (const [name, spec] of Object.entries(this.alarms())) {
      const alarm = new Alarm(this, name, {
        alarmName: `${props.deployment}-${name}`,
        alarmDescription: spec.description,
        metric: spec.metric,
        threshold: spec.threshold,
        evaluationPeriods: spec.of ?? spec.periods,
        datapointsToAlarm: spec.periods,
        comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
        treatMissingData: spec.missing ?? TreatMissingData.NOT_BREACHING,
      });
      alarm.addAlarmAction(action);
      if (spec.momentary !== true) alarm.addOkAction(action);
    }
    createDashboard(this, props);
  }

  private alarms(): Readonly<Record<string, AlarmSpec>> {
    const { deployment, api, deadLetters } = this.props;
    const share = new MathExpression({
      expression: `IF(errors >= ${fewestErrors}, 100 * errors / calls, 0)`,
      usingMetrics: { errors: api.metricServerError({ period }), calls: api.metricCount({ period }) },
      label: 'answers with 5xx, %',
      period,
    });
    return {
      VendErrors: { metric: share, threshold: 5, periods: 3, description: 'At least 5 % of the calls get a 5xx. Runbook: VendErrors' },
      PersonNeeded: {
        metric: ownMetric(deployment, 'PersonNeeded', 'renew-token-sets', Stats.SUM),
        threshold: 1,
        periods: 1,
        momentary: true,
        description: 'A provider refuses an account until a person acts. Runbook: PersonNeeded',
      },
      RenewalsFailing: {
        metric: ownMetric(deployment, 'BackOff', 'renew-token-sets', Stats.MAXIMUM),
        // As long as back-off ever chooses: the ninth failure in a row.
        threshold: timing.backOff.atMostMs / 1_000,
        // The next try comes that late, and waits for a caller or a tick besides: what rings does not stop between two tries.
        periods: 1,
        of: 3,
        description: 'An account has failed again and again, or has to be left alone for 5 minutes. Runbook: RenewalsFailing',
      },
      DeadLetters: {
        metric: deadLetters.metricApproximateNumberOfMessagesVisible({ period, statistic: Stats.MAXIMUM }),
        threshold: 1,
        periods: 1,
        description: 'A worker crashed on a message five times. Runbook: DeadLetters',
      },
      OldestOverdue: {
        metric: ownMetric(deployment, 'OldestOverdue', 'dispatch-renewals', Stats.MAXIMUM),
        threshold: 300,
        periods: 1,
        description: 'A token set has been due for 5 minutes, or the schedule does not run. Runbook: OldestOverdue',
        // The dispatcher reports every minute: silence is the failure.
        missing: TreatMissingData.BREACHING,
      },
      ClockSkew: {
        metric: ownMetric(deployment, 'ClockSkew', 'dynamodb', Stats.SAMPLE_COUNT),
        // Each instance has a clock of its own, and the one that is wrong may be called once a minute.
        threshold: 1,
        periods: 2,
        description: 'Functions and DynamoDB disagree about the time by more than 2 s. Runbook: ClockSkew',
      },
      FunctionErrors: {
        metric: overFunctions(this.props.functions, 'errors'),
        threshold: 1,
        periods: 2,
        description: 'A function ended with an error, ran out of time or memory. Runbook: FunctionErrors',
      },
    };
  }

  private addTopic(): Topic {
    const topic = new Topic(this, 'Alarms', { enforceSSL: true });
    // A policy of one's own replaces the one that let every service of the account publish.
    const { account } = Stack.of(this);
    topic.grantPublish(
      new ServicePrincipal('cloudwatch.amazonaws.com', { conditions: { StringEquals: { 'aws:SourceAccount': account } } }),
    );
    return topic;
  }
}
