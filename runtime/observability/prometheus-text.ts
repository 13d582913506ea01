import { METRICS, type MetricDeclaration, type MetricName, type MetricUnit } from '../contract/metrics';
import type { Metrics } from './metrics';

export const PROMETHEUS_CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** Prometheus counts in base units: seconds, bytes. */
const UNITS: Readonly<Record<MetricUnit, { readonly suffix: string; readonly divisor: number }>> = {
  count: { suffix: '', divisor: 1 },
  milliseconds: { suffix: '_seconds', divisor: 1000 },
  bytes: { suffix: '_bytes', divisor: 1 },
};

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
  return (Object.keys(METRICS) as MetricName[])
    .map((name) => declaration(name, METRICS[name]) + (samples.get(name) ?? []).join(''))
    .join('');
}

function declaration(name: MetricName, { kind, help }: MetricDeclaration): string {
  const full = prometheusName(name);
  return `# HELP ${full} ${help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}\n# TYPE ${full} ${kind}\n`;
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

function escapeLabel(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
