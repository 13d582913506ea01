import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { alarmName, ALARMS, rollbackAlarmNames } from '../../../lib/monitoring/alarms';
import { UNREADY_REASONS } from '../../../runtime/contract/metrics';
import { KNOWN_LABEL_VALUES, KNOWN_METRICS, metricId } from './known-metrics';
import { monitoredStack } from './monitored-stack';

interface AlarmProperties {
  readonly AlarmName: string;
  readonly AlarmDescription: string;
  readonly AlarmActions: readonly unknown[];
  readonly OKActions: readonly unknown[];
  readonly Period?: number;
  readonly EvaluationPeriods: number;
  readonly DatapointsToAlarm: number;
  readonly Threshold: number;
  readonly ComparisonOperator: string;
  readonly TreatMissingData: string;
  readonly Metrics?: readonly { readonly MetricStat?: MetricStat; readonly Expression?: string }[];
  readonly Namespace?: string;
  readonly MetricName?: string;
  readonly Statistic?: string;
  readonly ExtendedStatistic?: string;
  readonly Dimensions?: readonly Dimension[];
}
interface Dimension {
  readonly Name: string;
  readonly Value: unknown;
}
interface MetricStat {
  readonly Period: number;
  readonly Metric: {
    readonly Namespace: string;
    readonly MetricName: string;
    readonly Dimensions?: readonly Dimension[];
  };
}
interface Resource {
  readonly Properties: AlarmProperties;
  readonly DependsOn?: readonly string[];
}

const { template } = monitoredStack();
const resources = template.findResources('AWS::CloudWatch::Alarm') as Record<string, Resource>;
const byName = new Map(Object.values(resources).map((alarm) => [alarm.Properties.AlarmName, alarm]));
const [topicId] = Object.keys(template.findResources('AWS::SNS::Topic'));
const [serviceId] = Object.keys(template.findResources('AWS::ECS::Service'));
const runbook = readFileSync(join(__dirname, '../../../docs/runbook.md'), 'utf8');
const headings = [...runbook.matchAll(/^#+ (.+)$/gm)].map(([, heading]) => heading);

function statsOf({ Metrics, ...alarm }: AlarmProperties): MetricStat[] {
  if (Metrics !== undefined) return Metrics.flatMap(({ MetricStat }) => MetricStat ?? []);
  const { Namespace = '', MetricName = '', Dimensions = [], Period = 0 } = alarm;
  return [{ Period, Metric: { Namespace, MetricName, Dimensions } }];
}

describe.each(ALARMS)('the alarm $id', (declaration) => {
  const { id, severity } = declaration;
  const { Properties: alarm, DependsOn = [] } = byName.get(alarmName('Test', declaration))!;

  it('tells people when it goes off and when it is over', () => {
    expect([alarm.AlarmActions, alarm.OKActions]).toEqual([[{ Ref: topicId }], [{ Ref: topicId }]]);
  });

  it('says what is wrong, how urgent it is and where to read on', () => {
    const { AlarmDescription: text } = alarm;
    expect(text).toMatch(
      new RegExp(`^${severity.toUpperCase()}: [A-Z].*\\. What to do: docs/runbook\\.md#${id}$`),
    );
    expect(text.length).toBeLessThanOrEqual(1_024);
  });

  it('has its heading in the runbook', () => {
    expect(headings).toContain(id);
  });

  it('looks at metrics that the relay or AWS emits', () => {
    for (const { Metric } of statsOf(alarm)) {
      const dimensions = Metric.Dimensions ?? [];
      const names = dimensions.map(({ Name }) => Name);
      expect(KNOWN_METRICS).toContain(metricId(Metric.Namespace, Metric.MetricName, names));
      if (Metric.Namespace !== 'Callscript' || dimensions.length === 0) continue;
      expect(KNOWN_LABEL_VALUES[Metric.MetricName]).toContain(dimensions[0]!.Value);
    }
    expect(statsOf(alarm).length).toBeGreaterThan(0);
  });

  it('has periods and an evaluation that CloudWatch takes', () => {
    for (const { Period } of statsOf(alarm)) {
      expect(Period % 60).toBe(0);
      expect(Period).toBeGreaterThanOrEqual(60);
      expect(Period * alarm.EvaluationPeriods).toBeLessThanOrEqual(86_400);
    }
    expect(alarm.DatapointsToAlarm).toBeLessThanOrEqual(alarm.EvaluationPeriods);
    expect(alarm.DatapointsToAlarm).toBeGreaterThanOrEqual(1);
  });

  it('is made before what it rolls back, or after what it watches', () => {
    expect(DependsOn.includes(serviceId!)).toBe(declaration.rollsBack !== true);
  });
});

it('is one entry, and nothing else, that makes an alarm', () => {
  expect([...byName.keys()].toSorted()).toEqual(ALARMS.map((alarm) => alarmName('Test', alarm)).toSorted());
  expect(new Set(ALARMS.map(({ id }) => id)).size).toBe(ALARMS.length);
});

it('says so when nothing is emitted at all', () => {
  const { Properties } = byName.get('Test-page-nothing-emitted')!;
  expect(Properties).toMatchObject({
    TreatMissingData: 'breaching',
    Statistic: 'SampleCount',
    ComparisonOperator: 'LessThanThreshold',
  });
});

it('measures too few tasks against the least of the service', () => {
  expect(byName.get('Test-ticket-too-few-tasks')!.Properties).toMatchObject({
    Threshold: 3,
    TreatMissingData: 'breaching',
  });
});

it('looks at the 95th percentile of the latency of finals', () => {
  expect(byName.get('Test-ticket-finals-late')!.Properties.ExtendedStatistic).toBe('p95');
});

it('has an alarm for every reason why a deployed relay would not be ready', () => {
  // Where Twilio's secret is named, as in AWS, a relay without its URL does not start.
  const deployed = UNREADY_REASONS.filter((reason) => reason !== 'no-public-url');
  const reasons = ALARMS.flatMap(({ metric }) => (metric.from === 'relay' ? (metric.label ?? []) : []));
  expect(reasons.toSorted()).toEqual(deployed.toSorted());
});

it('calls two wordless calls of ten an alarm, but not one of one', () => {
  const { Metrics = [] } = byName.get('Test-page-calls-untranscribed')!.Properties;
  expect(Metrics.map(({ Expression }) => Expression)).toContain('IF(part >= 2, 100 * part / whole, 0)');
});

it('rolls a deployment back for faults of the relay alone, under the names that the service knows', () => {
  expect(rollbackAlarmNames('Test')).toEqual(['Test-page-relay-faults', 'Test-page-unhealthy-targets']);
  const service = template.findResources('AWS::ECS::Service')[serviceId!] as {
    DependsOn: string[];
    Properties: { DeploymentConfiguration: { Alarms: { AlarmNames: string[] } } };
  };
  const { AlarmNames } = service.Properties.DeploymentConfiguration.Alarms;
  expect(AlarmNames).toEqual(rollbackAlarmNames('Test'));
  const idOf = (name: string): string | undefined =>
    Object.entries(resources).find(([, { Properties }]) => Properties.AlarmName === name)?.[0];
  expect(service.DependsOn).toEqual(expect.arrayContaining(AlarmNames.map(idOf)));
});

it.each(['no-gladia-key', 'no-twilio-token', 'calls-refused', 'relay-5xx'])(
  'does not roll back for %s, which empty secrets or a hand-over move',
  (id) => {
    expect(ALARMS.find((alarm) => alarm.id === id)?.rollsBack).toBeUndefined();
  },
);

it.each([
  'audioDropped',
  'audioLost',
  'callsFailed',
  'callsRefused',
  'legsUntranscribed',
  'reattachmentsFailed',
  'signaturesRefused',
  'storeFailures',
] as const)('has an alarm for what costs words: %s', (name) => {
  const counted = ALARMS.flatMap(({ metric }) =>
    metric.from === 'relay' ? [metric.name] : metric.from === 'relay-share' ? [metric.count] : [],
  );
  expect(counted).toContain(name);
});
