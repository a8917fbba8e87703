import { Dashboard, GraphWidget, MathExpression, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import type { IMetric } from 'aws-cdk-lib/aws-cloudwatch';
import type { Construct } from 'constructs';
import { providersById } from '../../functions/providers/index.ts';
import { ownMetric, overFunctions, period, sumOf } from './metrics.ts';
import type { MonitoringProps } from './monitoring.ts';

/** What a deployment does, on one page. */
export function createDashboard(scope: Construct, { deployment, api, functions, deadLetters }: Omit<MonitoringProps, 'topic'>): void {
  const ours = (name: string, part: string, statistic: string) => ownMetric(deployment, name, part, statistic);
  const overAll = (names: readonly string[], statistic: string) => names.map((name) => overProviders(deployment, name, statistic));
  new Dashboard(scope, 'Dashboard', {
    dashboardName: deployment,
    widgets: [
      [
        graph('Vends', overAll(['VendSuccess', 'VendRefusal', 'VendFailure'], Stats.SAMPLE_COUNT)),
        graph(
          'Vend latency, ms',
          [Stats.p(50), Stats.p(99)].flatMap((statistic) => overAll(['VendSuccess'], statistic)),
        ),
      ],
      [
        graph('Renewals', overAll(['Renewals', 'RenewalFailures', 'ProviderFailure'], Stats.SUM), [
          ours('PersonNeeded', 'renew-token-sets', Stats.SUM),
          ours('BackOff', 'renew-token-sets', Stats.MAXIMUM),
        ]),
        graph(
          'Provider calls, ms',
          [...providersById().keys()].map((provider) => ours('ProviderCall', provider, Stats.p(90))),
        ),
      ],
      [
        graph(
          'Schedule',
          [ours('OldestOverdue', 'dispatch-renewals', Stats.MAXIMUM)],
          [ours('RenewalsDispatched', 'dispatch-renewals', Stats.SUM)],
        ),
        graph('Dead letters', [deadLetters.metricApproximateNumberOfMessagesVisible({ period })]),
      ],
      [
        graph('API', [api.metricCount({ period }), api.metricClientError({ period }), api.metricServerError({ period })]),
        graph('Functions', [overFunctions(functions, 'errors'), overFunctions(functions, 'throttles')]),
      ],
    ],
  });
}

function overProviders(deployment: string, metricName: string, statistic: string): MathExpression {
  const entries = [...providersById().keys()].map(
    (provider, index) => [`${idOf(metricName, statistic)}${index}`, ownMetric(deployment, metricName, provider, statistic)] as const,
  );
  const ids = entries.map(([id]) => id);
  const worst = statistic.startsWith('p');
  const expression = worst ? `MAX([${ids.join(', ')}])` : sumOf(ids);
  const label = worst ? `${metricName} ${statistic}` : metricName;
  return new MathExpression({ expression, usingMetrics: Object.fromEntries(entries), label, period });
}

function graph(title: string, left: IMetric[], right: IMetric[] = []): GraphWidget {
  return new GraphWidget({ title, left, right, width: 12 });
}

/** Names in an expression begin in lower case, hold letters and digits, and differ within a graph. */
function idOf(metricName: string, statistic: string): string {
  return `${metricName.charAt(0).toLowerCase()}${metricName.slice(1)}${statistic.replaceAll(/\W/g, '')}`;
}
