import { Duration } from 'aws-cdk-lib';
import { MathExpression, Metric, type IMetric } from 'aws-cdk-lib/aws-cloudwatch';
import type { ITable } from 'aws-cdk-lib/aws-dynamodb';
import type { FargateService, ICluster } from 'aws-cdk-lib/aws-ecs';
import type { ApplicationLoadBalancer, ApplicationTargetGroup } from 'aws-cdk-lib/aws-elasticloadbalancingv2';
import {
  cloudWatchDimension,
  cloudWatchName,
  METRIC_NAMESPACE,
  METRICS,
  type MetricName,
} from '../../runtime/contract/metrics';
import type { AlarmDeclaration, AwsMetric, RelayMetric, RelayShare } from './alarms';

/** What the relay is made of, and AWS measures. */
export interface MonitoredResources {
  readonly cluster: Pick<ICluster, 'clusterName'>;
  readonly service: FargateService;
  readonly targetGroup: ApplicationTargetGroup;
  readonly loadBalancer: ApplicationLoadBalancer;
  readonly table: Pick<ITable, 'tableName'>;
}

interface Reading {
  /** Seconds. */
  readonly period: number;
  readonly statistic: AlarmDeclaration['statistic'] | 'p50' | 'p99';
  /** In a graph; default: the metric's own name. */
  readonly label?: string;
}

/** Metrics for alarms and graphs, by what they are called in the program. */
export class MetricSources {
  readonly #dimensions: Readonly<
    Record<AwsMetric['from'], { readonly namespace: string; readonly dimensionsMap: Record<string, string> }>
  >;

  constructor({ cluster, service, targetGroup, loadBalancer, table }: MonitoredResources) {
    const LoadBalancer = loadBalancer.loadBalancerFullName;
    this.#dimensions = {
      service: {
        namespace: 'AWS/ECS',
        dimensionsMap: { ClusterName: cluster.clusterName, ServiceName: service.serviceName },
      },
      'target-group': {
        namespace: 'AWS/ApplicationELB',
        dimensionsMap: { TargetGroup: targetGroup.targetGroupFullName, LoadBalancer },
      },
      'load-balancer': { namespace: 'AWS/ApplicationELB', dimensionsMap: { LoadBalancer } },
      table: { namespace: 'AWS/DynamoDB', dimensionsMap: { TableName: table.tableName } },
    };
  }

  metric(metric: RelayMetric | RelayShare | AwsMetric, reading: Reading): IMetric {
    switch (metric.from) {
      case 'relay':
        return relayMetric(metric, reading);
      case 'relay-share':
        return share(metric, reading);
      default:
        return this.#awsMetric(metric, reading);
    }
  }

  #awsMetric({ from, name, plus }: AwsMetric, reading: Reading): IMetric {
    const single = (metricName: string): Metric =>
      new Metric({ ...this.#dimensions[from], metricName, ...propsOf(reading) });
    if (plus === undefined) return single(name);
    return new MathExpression({
      expression: 'FILL(one, 0) + FILL(other, 0)',
      usingMetrics: { one: single(name), other: single(plus) },
      label: reading.label ?? `${name} + ${plus}`,
      period: Duration.seconds(reading.period),
    });
  }

  /** One line for each value of a metric's label. */
  byLabel(name: MetricName, { period, statistic }: Reading): IMetric {
    const dimension = cloudWatchDimension(METRICS[name].label ?? '');
    const search = `{${METRIC_NAMESPACE},${dimension}} MetricName="${cloudWatchName(name)}"`;
    return new MathExpression({
      expression: `SEARCH('${search}', '${statistic}', ${period})`,
      label: '',
      period: Duration.seconds(period),
    });
  }
}

function relayMetric({ name, label }: RelayMetric, reading: Reading): Metric {
  return new Metric({
    namespace: METRIC_NAMESPACE,
    metricName: cloudWatchName(name),
    ...(label === undefined ? {} : { dimensionsMap: { [labelOf(name)]: label } }),
    ...propsOf(reading),
  });
}

function labelOf(name: RelayMetric['name']): string {
  const label = name in METRICS ? METRICS[name as MetricName].label : undefined;
  if (label === undefined) throw new Error(`Metric ${name} has no label: name a metric that has one`);
  return cloudWatchDimension(label);
}

function share({ count, among, least }: RelayShare, reading: Reading): MathExpression {
  return new MathExpression({
    expression: `IF(part >= ${least}, 100 * part / whole, 0)`,
    usingMetrics: {
      part: relayMetric({ from: 'relay', name: count }, reading),
      whole: relayMetric({ from: 'relay', name: among }, reading),
    },
    label: reading.label ?? `${cloudWatchName(count)}, % of ${cloudWatchName(among)}`,
    period: Duration.seconds(reading.period),
  });
}

function propsOf({ period, statistic, label }: Reading): {
  period: Duration;
  statistic: string;
  label?: string;
} {
  return { period: Duration.seconds(period), statistic, ...(label === undefined ? {} : { label }) };
}
