import { Duration, Stack } from 'aws-cdk-lib';
import {
  Alarm,
  ComparisonOperator,
  Dashboard,
  GraphWidget,
  MathExpression,
  Metric,
  Stats,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch';
import type { IMetric } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import type { HttpApi } from 'aws-cdk-lib/aws-apigatewayv2';
import { ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { Topic } from 'aws-cdk-lib/aws-sns';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { metricDimension } from '../../functions/adapters/telemetry.ts';
import { providersById } from '../../functions/providers/index.ts';

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
  /** periods in a row */
  periods: number;
  /** what happened and where to read what to do */
  description: string;
  missing?: TreatMissingData;
}

const period = Duration.minutes(5);

/** A share of a few calls says nothing. */
const fewestCalls = 20;

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
        evaluationPeriods: spec.periods,
        comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
        treatMissingData: spec.missing ?? TreatMissingData.NOT_BREACHING,
      });
      alarm.addAlarmAction(action);
      alarm.addOkAction(action);
    }
    this.addDashboard();
  }

  private alarms(): Readonly<Record<string, AlarmSpec>> {
    const { api, deadLetters } = this.props;
    const share = new MathExpression({
      expression: `IF(calls >= ${fewestCalls}, 100 * errors / calls, 0)`,
      usingMetrics: { errors: api.metricServerError({ period }), calls: api.metricCount({ period }) },
      label: 'answers with 5xx, %',
      period,
    });
    return {
      VendErrors: { metric: share, threshold: 5, periods: 3, description: 'At least 5 % of the calls get a 5xx. Runbook: VendErrors' },
      RenewalsFailing: {
        metric: this.overProviders('RenewalFailures', Stats.SUM),
        threshold: 10,
        periods: 3,
        description: 'Providers refuse or fail renewals. Runbook: RenewalsFailing',
      },
      DeadLetters: {
        metric: deadLetters.metricApproximateNumberOfMessagesVisible({ period, statistic: Stats.MAXIMUM }),
        threshold: 1,
        periods: 1,
        description: 'A worker crashed on a message twice. Runbook: DeadLetters',
      },
      OldestOverdue: {
        metric: this.ours('OldestOverdue', 'dispatch-renewals', Stats.MAXIMUM),
        threshold: 300,
        periods: 1,
        description: 'A token set has been due for 5 minutes, or the schedule does not run. Runbook: OldestOverdue',
        // The dispatcher reports every minute: silence is the failure.
        missing: TreatMissingData.BREACHING,
      },
      ClockSkew: {
        metric: this.ours('ClockSkew', 'dynamodb', Stats.SAMPLE_COUNT),
        threshold: 5,
        periods: 2,
        description: 'Functions and DynamoDB disagree about the time by more than 2 s. Runbook: ClockSkew',
      },
      FunctionErrors: {
        metric: this.overFunctions('e', (target) => target.metricErrors({ period })),
        threshold: 1,
        periods: 2,
        description: 'A function ended with an error, ran out of time or memory. Runbook: FunctionErrors',
      },
    };
  }

  private addDashboard(): void {
    const { deployment, api, deadLetters } = this.props;
    new Dashboard(this, 'Dashboard', {
      dashboardName: deployment,
      widgets: [
        [
          graph(
            'Vends',
            ['VendSuccess', 'VendRefusal', 'VendFailure'].map((name) => this.overProviders(name, Stats.SAMPLE_COUNT)),
          ),
          graph(
            'Vend latency, ms',
            [Stats.p(50), Stats.p(99)].map((statistic) => this.overProviders('VendSuccess', statistic)),
          ),
        ],
        [
          graph(
            'Renewals',
            ['Renewals', 'RenewalFailures', 'ProviderFailure'].map((name) => this.overProviders(name, Stats.SUM)),
          ),
          graph(
            'Provider calls, ms',
            [...providersById().keys()].map((provider) => this.ours('ProviderCall', provider, Stats.p(90))),
          ),
        ],
        [
          graph(
            'Schedule',
            [this.ours('OldestOverdue', 'dispatch-renewals', Stats.MAXIMUM)],
            [this.ours('RenewalsDispatched', 'dispatch-renewals', Stats.SUM)],
          ),
          graph('Dead letters', [deadLetters.metricApproximateNumberOfMessagesVisible({ period })]),
        ],
        [
          graph('API', [api.metricCount({ period }), api.metricClientError({ period }), api.metricServerError({ period })]),
          graph('Functions', [
            this.overFunctions('e', (target) => target.metricErrors({ period })),
            this.overFunctions('t', (target) => target.metricThrottles({ period })),
          ]),
        ],
      ],
    });
  }

  private overFunctions(letter: string, metricOf: (target: IFunction) => Metric): MathExpression {
    const entries = this.props.functions.map((target, index) => [`${letter}${index}`, metricOf(target)] as const);
    const label = letter === 'e' ? 'errors' : 'throttles';
    return new MathExpression({ expression: sumOf(entries.map(([id]) => id)), usingMetrics: Object.fromEntries(entries), label, period });
  }

  /** A metric of the service's own. Each deployment has a namespace of its own name, so that stages do not raise each other's alarms. */
  private ours(metricName: string, part: string, statistic: string): Metric {
    const dimensionsMap = { [metricDimension]: part };
    return new Metric({ namespace: this.props.deployment, metricName, dimensionsMap, statistic, period });
  }

  private overProviders(metricName: string, statistic: string): MathExpression {
    const entries = [...providersById().keys()].map(
      (provider, index) => [`${idOf(metricName, statistic)}${index}`, this.ours(metricName, provider, statistic)] as const,
    );
    const ids = entries.map(([id]) => id);
    const worst = statistic.startsWith('p');
    const expression = worst ? `MAX([${ids.join(', ')}])` : sumOf(ids);
    const label = worst ? `${metricName} ${statistic}` : metricName;
    return new MathExpression({ expression, usingMetrics: Object.fromEntries(entries), label, period });
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

/** A metric that nobody has sent is nothing, and one nothing would make nothing of the sum. */
function sumOf(ids: readonly string[]): string {
  return ids.map((id) => `FILL(${id}, 0)`).join(' + ');
}

function graph(title: string, left: IMetric[], right: IMetric[] = []): GraphWidget {
  return new GraphWidget({ title, left, right, width: 12 });
}

/** Names in an expression begin in lower case, hold letters and digits, and differ within a graph. */
function idOf(metricName: string, statistic: string): string {
  return `${metricName.charAt(0).toLowerCase()}${metricName.slice(1)}${statistic.replaceAll(/\W/g, '')}`;
}
