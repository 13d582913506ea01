import {
  METRICS,
  type CounterName,
  type DistributionName,
  type GaugeName,
} from '../../runtime/contract/metrics';
import { Metrics } from '../../runtime/observability/metrics';

/** A registry in which every metric has a value and, where it has a label, one under `label`. */
export function drivenMetrics(label: string): Metrics {
  const metrics = new Metrics();
  for (const [name, { kind, label: labelName }] of Object.entries(METRICS)) {
    const value = labelName === undefined ? '' : label;
    if (kind === 'gauge') metrics.gauge(name as GaugeName, 1.5, value);
    else if (kind === 'distribution') metrics.observe(name as DistributionName, 1_234);
    else metrics.count(name as CounterName, 1_234, value);
  }
  return metrics;
}
