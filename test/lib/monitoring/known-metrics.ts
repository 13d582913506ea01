import { cloudWatchName, UNREADY_REASONS } from '../../../runtime/contract/metrics';
import { EmbeddedMetrics } from '../../../runtime/observability/embedded-metrics';
import { drivenMetrics } from '../../support/driven-metrics';

/** Namespace, name, names of dimensions. */
export type MetricId = `${string} ${string} ${string}`;

export function metricId(namespace: string, name: string, dimensions: readonly string[]): MetricId {
  return `${namespace} ${name} ${dimensions.toSorted().join(',')}`;
}

interface Line {
  readonly _aws: {
    readonly CloudWatchMetrics: readonly {
      readonly Namespace: string;
      readonly Dimensions: readonly (readonly string[])[];
      readonly Metrics: readonly { readonly Name: string }[];
    }[];
  };
}

/** What CloudWatch makes of the lines of a relay in which everything has happened once. */
function emittedMetrics(): MetricId[] {
  const lines = new EmbeddedMetrics(drivenMetrics('some-value'))
    .lines(0)
    .map((text) => JSON.parse(text) as Line);
  return lines.flatMap(({ _aws }) =>
    _aws.CloudWatchMetrics.flatMap(({ Namespace, Dimensions, Metrics }) =>
      Metrics.flatMap(({ Name }) => Dimensions.map((names) => metricId(Namespace, Name, names))),
    ),
  );
}

/** From the pages on metrics of each service's user guide. */
const AWS_METRICS: readonly MetricId[] = [
  metricId('AWS/ECS', 'CPUUtilization', ['ClusterName', 'ServiceName']),
  metricId('AWS/ECS', 'MemoryUtilization', ['ClusterName', 'ServiceName']),
  metricId('AWS/ApplicationELB', 'HealthyHostCount', ['TargetGroup', 'LoadBalancer']),
  metricId('AWS/ApplicationELB', 'UnHealthyHostCount', ['TargetGroup', 'LoadBalancer']),
  metricId('AWS/ApplicationELB', 'HTTPCode_Target_5XX_Count', ['TargetGroup', 'LoadBalancer']),
  metricId('AWS/ApplicationELB', 'HTTPCode_ELB_5XX_Count', ['LoadBalancer']),
  metricId('AWS/ApplicationELB', 'HTTPCode_ELB_503_Count', ['LoadBalancer']),
  metricId('AWS/ApplicationELB', 'HTTPCode_ELB_504_Count', ['LoadBalancer']),
  metricId('AWS/DynamoDB', 'WriteThrottleEvents', ['TableName']),
];

export const KNOWN_METRICS: ReadonlySet<MetricId> = new Set([...emittedMetrics(), ...AWS_METRICS]);

/** Label values that alarms may look at: a series of another value would never get data. */
export const KNOWN_LABEL_VALUES: Readonly<Record<string, readonly string[]>> = {
  [cloudWatchName('unready')]: UNREADY_REASONS,
};

/** Namespace, dimension and name within a search of the dashboard. */
export function searchedMetric(expression: string): MetricId {
  const found = /^SEARCH\('\{(\w+),(\w+)\} MetricName="(\w+)"', '\w+', \d+\)$/.exec(expression);
  if (found === null) throw new Error(`not a search as the dashboard makes it: ${expression}`);
  const [, namespace = '', dimension = '', name = ''] = found;
  return metricId(namespace, name, [dimension]);
}
