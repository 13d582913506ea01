import { readFileSync, writeFileSync } from 'node:fs';
import { ALARMS } from '../lib/monitoring/alarms';
import {
  cloudWatchDimension,
  cloudWatchName,
  METRIC_SUMS,
  METRICS,
  type MetricName,
  type SumName,
} from '../runtime/contract/metrics';
import { prometheusName } from '../runtime/observability/prometheus-text';

const PAGE = 'docs/observability.md';
const BEGIN = '<!-- metrics: npm run metrics-table -->';
const END = '<!-- end of metrics -->';

/** Every metric and every sum, with the alarms on it. */
function metricsTable(): string {
  const metrics = (Object.keys(METRICS) as MetricName[]).map((name) => {
    const { kind, unit, help, label } = METRICS[name];
    const dimension = label === undefined ? '' : `, by \`${cloudWatchDimension(label)}\``;
    const names = `\`${cloudWatchName(name)}\`${dimension}<br>\`${prometheusName(name)}\``;
    return row([names, kind, unit, help, alarmsOn(name)]);
  });
  const sums = (Object.keys(METRIC_SUMS) as SumName[]).map((name) =>
    row([`\`${cloudWatchName(name)}\``, 'sum', 'count', METRIC_SUMS[name].help, alarmsOn(name)]),
  );
  const head = [
    row(['CloudWatch, Prometheus', 'kind', 'unit', 'meaning', 'alarms']),
    row(Array(5).fill('---')),
  ];
  return [...head, ...metrics, ...sums].join('\n');
}

function row(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}

function alarmsOn(name: MetricName | SumName): string {
  const isOn = (metric: (typeof ALARMS)[number]['metric']): boolean =>
    (metric.from === 'relay' && metric.name === name) ||
    (metric.from === 'relay-share' && metric.count === name);
  return ALARMS.filter(({ metric }) => isOn(metric))
    .map(({ id }) => `[${id}](runbook.md#${id})`)
    .join(', ');
}

/** The page with its catalogue as the contract has it. @throws Error when the markers are gone */
export function withMetricsTable(page: string): string {
  const from = page.indexOf(BEGIN);
  const to = page.indexOf(END);
  if (from === -1 || to < from)
    throw new Error(`${PAGE}: the lines ${BEGIN} and ${END} must be there, in this order`);
  return `${page.slice(0, from)}${BEGIN}\n\n${metricsTable()}\n\n${page.slice(to)}`;
}

if (require.main === module) writeFileSync(PAGE, withMetricsTable(readFileSync(PAGE, 'utf8')));
