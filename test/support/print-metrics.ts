import { Metrics } from '../../runtime/observability/metrics';
import { prometheusText } from '../../runtime/observability/prometheus-text';
import { METRICS, type MetricName } from '../../runtime/contract/metrics';

// Every metric with a value and, where it has a label, with one: for promtool, which judges names, units and help.
const metrics = new Metrics();
for (const [name, { kind, label }] of Object.entries(METRICS) as [
  MetricName,
  (typeof METRICS)[MetricName],
][]) {
  if (kind === 'gauge') metrics.gauge(name, 1.5);
  else metrics.count(name, 1_234, label === undefined ? '' : 'some-reason');
}
process.stdout.write(prometheusText(metrics));
