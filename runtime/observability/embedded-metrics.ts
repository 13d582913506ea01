import {
  cloudWatchDimension,
  cloudWatchName,
  METRIC_NAMESPACE,
  METRIC_SUMS,
  METRICS,
  type MetricName,
  type MetricPart,
  type MetricUnit,
  type SumName,
} from '../contract/metrics';
import { embeddedValues } from './embedded-values';
import type { Metrics } from './metrics';

const UNITS: Readonly<Record<MetricUnit, string>> = {
  count: 'Count',
  milliseconds: 'Milliseconds',
  bytes: 'Bytes',
};

/**
 * Turns metrics into lines of CloudWatch's embedded metric format, which CloudWatch Logs makes into metrics: counters
 * as what was added since the line before, gauges as they are. The first line holds every counter, gauge and sum
 * without a dimension, zeros too, because alarms and scaling need them; further lines hold what was added by label,
 * the gauges by label that are not zero or have just become it, and the distributions that got values.
 */
export class EmbeddedMetrics {
  readonly #metrics: Metrics;
  readonly #written = new Map<string, number>();

  constructor(metrics: Metrics) {
    this.#metrics = metrics;
  }

  /** @param nowMs wall clock, milliseconds since 1970 */
  lines(nowMs: number): readonly string[] {
    const totals = new Map<MetricName | SumName, number>();
    const byLabel = new Map<string, Map<MetricName, number>>();
    for (const name of Object.keys(METRICS) as MetricName[])
      if (METRICS[name].kind !== 'distribution') totals.set(name, 0);
    for (const name of Object.keys(METRIC_SUMS) as SumName[]) totals.set(name, 0);
    for (const [name, label, value] of this.#metrics.series()) {
      const { kind, label: labelName } = METRICS[name];
      const added = this.#added(`${name} ${label}`, value);
      const amount = kind === 'counter' ? added : value;
      for (const key of [name, ...sumsOf(name, label)]) totals.set(key, (totals.get(key) ?? 0) + amount);
      const isNews = amount !== 0 || added !== 0;
      if (labelName !== undefined && isNews) groupOf(byLabel, labelName, label).set(name, amount);
    }
    const labelled = [...byLabel].map(([key, group]) => line(nowMs, group, JSON.parse(key) as Dimension));
    return [line(nowMs, totals), ...labelled, ...this.#distributionLines(nowMs)];
  }

  *#distributionLines(nowMs: number): Generator<string> {
    for (const [name, { counts }] of this.#metrics.distributions()) {
      const added = new Map<number, number>();
      for (const [bound, count] of counts) {
        const news = this.#added(`${name} ${bound}`, count);
        if (news > 0) added.set(bound, news);
      }
      for (const values of embeddedValues(added)) yield line(nowMs, new Map([[name, values]]));
    }
  }

  #added(series: string, value: number): number {
    const before = this.#written.get(series) ?? 0;
    this.#written.set(series, value);
    return value - before;
  }
}

export interface EmbeddedMetricsOptions {
  readonly metrics: Metrics;
  /** Takes one line, without its newline; in a container: stdout. */
  readonly writeLine: (line: string) => void;
  /** Default 60 s, CloudWatch's own resolution. */
  readonly intervalMs?: number;
}

/** Writes the metrics regularly, and once more at the end. The returned `close` is safe to call twice. */
export function startEmbeddedMetrics(options: EmbeddedMetricsOptions): { close(): void } {
  const { metrics, writeLine, intervalMs = 60_000 } = options;
  const embedded = new EmbeddedMetrics(metrics);
  const write = (): void => embedded.lines(Date.now()).forEach((text) => writeLine(text));
  const timer = setInterval(write, intervalMs);
  let isClosed = false;
  return {
    close() {
      if (isClosed) return;
      isClosed = true;
      clearInterval(timer);
      write();
    },
  };
}

type Group = ReadonlyMap<MetricName | SumName, unknown>;
/** Name and value of the one label. */
type Dimension = readonly [name: string, value: string];

function sumsOf(name: MetricName, label: string): readonly SumName[] {
  const has = ({ metric, only, except }: MetricPart): boolean =>
    metric === name && only?.includes(label) !== false && except?.includes(label) !== true;
  return (Object.keys(METRIC_SUMS) as SumName[]).filter((sum) => METRIC_SUMS[sum].of.some(has));
}

/** Metrics that share a label and its value share a line. */
function groupOf(
  groups: Map<string, Map<MetricName, number>>,
  labelName: string,
  label: string,
): Map<MetricName, number> {
  const key = JSON.stringify([cloudWatchDimension(labelName), label] satisfies Dimension);
  const group = groups.get(key) ?? new Map<MetricName, number>();
  groups.set(key, group);
  return group;
}

function line(nowMs: number, group: Group, dimension?: Dimension): string {
  const names = [...group.keys()];
  return JSON.stringify({
    _aws: {
      Timestamp: nowMs,
      CloudWatchMetrics: [
        {
          Namespace: METRIC_NAMESPACE,
          Dimensions: [dimension === undefined ? [] : [dimension[0]]],
          Metrics: names.map((name) => ({ Name: cloudWatchName(name), Unit: UNITS[unitOf(name)] })),
        },
      ],
    },
    ...(dimension === undefined ? {} : { [dimension[0]]: dimension[1] }),
    ...Object.fromEntries(names.map((name) => [cloudWatchName(name), group.get(name)])),
  });
}

/** Sums are of counts. */
function unitOf(name: MetricName | SumName): MetricUnit {
  return name in METRICS ? METRICS[name as MetricName].unit : 'count';
}
