import type { Template } from 'aws-cdk-lib/assertions';

/** A plain alarm as it stands in a template. */
export interface PlainAlarm {
  AlarmName: string;
  MetricName: string;
  Namespace: string;
  Dimensions: { Name: string; Value: string }[];
  Statistic: 'Maximum' | 'Sum' | 'SampleCount';
  Period: number;
  EvaluationPeriods: number;
  DatapointsToAlarm?: number;
  Threshold: number;
  ComparisonOperator: 'GreaterThanOrEqualToThreshold';
  TreatMissingData: 'notBreaching' | 'breaching';
}

/** A metric as it was sent. */
export interface Sample {
  name: string;
  dimension: string;
  value: number;
  atMs: number;
}

/** @returns the alarm of that name; throws where it is none or watches an expression */
export function plainAlarm(template: Template, name: string): PlainAlarm {
  const alarms = Object.values(template.findResources('AWS::CloudWatch::Alarm')) as { Properties: PlainAlarm }[];
  const alarm = alarms.map(({ Properties }) => Properties).find(({ AlarmName }) => AlarmName.endsWith(`-${name}`));
  if (alarm?.MetricName === undefined) throw new Error(`There is no alarm ${name} over one metric`);
  return alarm;
}

const statistics: Readonly<Record<PlainAlarm['Statistic'], (values: readonly number[]) => number>> = {
  Maximum: (values) => Math.max(...values),
  Sum: (values) => values.reduce((sum, value) => sum + value, 0),
  SampleCount: (values) => values.length,
};

/**
 * What CloudWatch makes of samples: a value a period, and M of the last N of them.
 *
 * @param fromMs where the first period begins: CloudWatch's periods know nothing of when a trouble begins
 * @returns whether it rings, at the end of each period
 */
export function statesOf(
  alarm: PlainAlarm,
  samples: readonly Sample[],
  fromMs: number,
  untilMs: number,
): { atMs: number; rings: boolean }[] {
  const dimension = alarm.Dimensions[0]?.Value;
  const ours = samples.filter((sample) => sample.name === alarm.MetricName && sample.dimension === dimension);
  const breaching: boolean[] = [];
  const states: { atMs: number; rings: boolean }[] = [];
  for (let startMs = fromMs; startMs < untilMs; startMs += alarm.Period * 1_000) {
    const endMs = startMs + alarm.Period * 1_000;
    const values = ours.filter(({ atMs }) => atMs >= startMs && atMs < endMs).map(({ value }) => value);
    breaching.push(values.length === 0 ? alarm.TreatMissingData === 'breaching' : statistics[alarm.Statistic](values) >= alarm.Threshold);
    const broken = breaching.slice(-alarm.EvaluationPeriods).filter(Boolean).length;
    states.push({ atMs: endMs, rings: broken >= (alarm.DatapointsToAlarm ?? alarm.EvaluationPeriods) });
  }
  return states;
}
