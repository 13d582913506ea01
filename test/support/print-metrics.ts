import { prometheusText } from '../../runtime/observability/prometheus-text';
import { drivenMetrics } from './driven-metrics';

// Every metric with a value and, where it has a label, with one: for promtool, which judges names, units and help.
process.stdout.write(prometheusText(drivenMetrics('some-reason')));
