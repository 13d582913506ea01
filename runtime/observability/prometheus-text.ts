import { METRICS, type MetricDeclaration, type MetricName, type MetricUnit } from '../contract/metrics';
import type { Distribution } from './distribution';
import type { Metrics } from './metrics';

export const PROMETHEUS_CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** Prometheus counts in base units: seconds, bytes. */
const UNITS: Readonly<Record<MetricUnit, { readonly suffix: string; readonly divisor: number }>> = {
  count: { suffix: '', divisor: 1 },
  milliseconds: { suffix: '_seconds', divisor: 1000 },
  bytes: { suffix: '_bytes', divisor: 1 },
};

/** Upper bounds of a histogram's buckets: each is also one of `Distribution`. */
const BOUNDS_MS = [
  1, 2, 5, 10, 20, 50, 100, 200, 300, 500, 750, 1_000, 1_500, 2_000, 3_000, 5_000, 10_000, 30_000, 60_000,
];

/** `audioReceived`, a counter of milliseconds, is `callscript_audio_received_seconds_total`. */
export function prometheusName(name: MetricName): string {
  const { kind, unit } = METRICS[name];
  const words = name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  return `callscript_${words}${UNITS[unit].suffix}${kind === 'counter' ? '_total' : ''}`;
}

/** Every metric in Prometheus' text format; one that has labels and was never counted is declared and has no sample. */
export function prometheusText(metrics: Metrics): string {
  const samples = new Map<MetricName, string[]>();
  for (const [name, label, value] of metrics.series()) {
    const lines = samples.get(name) ?? [];
    lines.push(sample(name, METRICS[name], label, value));
    samples.set(name, lines);
  }
  for (const [name, distribution] of metrics.distributions())
    samples.set(name, histogram(name, distribution));
  return (Object.keys(METRICS) as MetricName[])
    .map((name) => declaration(name, METRICS[name]) + (samples.get(name) ?? []).join(''))
    .join('');
}

function declaration(name: MetricName, { kind, help }: MetricDeclaration): string {
  const full = prometheusName(name);
  const type = kind === 'distribution' ? 'histogram' : kind;
  return `# HELP ${full} ${help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}\n# TYPE ${full} ${type}\n`;
}

function sample(
  name: MetricName,
  { label: labelName, unit }: MetricDeclaration,
  label: string,
  value: number,
): string {
  const labels = labelName === undefined ? '' : `{${labelName}="${escapeLabel(label)}"}`;
  return `${prometheusName(name)}${labels} ${value / UNITS[unit].divisor}\n`;
}

function histogram(name: MetricName, distribution: Distribution): string[] {
  const full = prometheusName(name);
  const { divisor } = UNITS[METRICS[name].unit];
  const { count, sum } = distribution;
  return [
    ...BOUNDS_MS.map((bound) => `${full}_bucket{le="${bound / divisor}"} ${distribution.countUpTo(bound)}\n`),
    `${full}_bucket{le="+Inf"} ${count}\n`,
    `${full}_sum ${sum / divisor}\n`,
    `${full}_count ${count}\n`,
  ];
}

function escapeLabel(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
