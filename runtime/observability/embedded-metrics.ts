import { METRIC_NAMESPACE, METRICS, type MetricName, type MetricUnit } from '../contract/metrics';
import type { Metrics } from './metrics';

const UNITS: Readonly<Record<MetricUnit, string>> = {
  count: 'Count',
  milliseconds: 'Milliseconds',
  bytes: 'Bytes',
};

/** `audioReceived` is `AudioReceived`. */
export function cloudWatchName(name: MetricName): string {
  return capitalised(name);
}

/**
 * Turns metrics into lines of CloudWatch's embedded metric format, which CloudWatch Logs makes into metrics: counters
 * as what was added since the line before, gauges as they are. The first line holds every metric without a dimension,
 * zeros too, because alarms and scaling need them; further lines hold what was added by label, and the gauges by label
 * that are not zero or have just become it.
 */
export class EmbeddedMetrics {
  readonly #metrics: Metrics;
  readonly #written = new Map<string, number>();

  constructor(metrics: Metrics) {
    this.#metrics = metrics;
  }

  /** @param nowMs wall clock, milliseconds since 1970 */
  lines(nowMs: number): readonly string[] {
    const totals: Group = new Map((Object.keys(METRICS) as MetricName[]).map((name) => [name, 0]));
    const byLabel = new Map<string, Group>();
    for (const [name, label, value] of this.#metrics.series()) {
      const { kind, label: labelName } = METRICS[name];
      const added = this.#added(name, label, value);
      const amount = kind === 'counter' ? added : value;
      totals.set(name, (totals.get(name) ?? 0) + amount);
      const isNews = amount !== 0 || added !== 0;
      if (labelName !== undefined && isNews) groupOf(byLabel, labelName, label).set(name, amount);
    }
    const rest = [...byLabel].map(([key, group]) => line(nowMs, group, JSON.parse(key) as Dimension));
    return [line(nowMs, totals), ...rest];
  }

  #added(name: MetricName, label: string, value: number): number {
    const series = `${name} ${label}`;
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

type Group = Map<MetricName, number>;
/** Name and value of the one label. */
type Dimension = readonly [name: string, value: string];

/** Metrics that share a label and its value share a line. */
function groupOf(groups: Map<string, Group>, labelName: string, label: string): Group {
  const key = JSON.stringify([capitalised(labelName), label] satisfies Dimension);
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
          Metrics: names.map((name) => ({ Name: cloudWatchName(name), Unit: UNITS[METRICS[name].unit] })),
        },
      ],
    },
    ...(dimension === undefined ? {} : { [dimension[0]]: dimension[1] }),
    ...Object.fromEntries(names.map((name) => [cloudWatchName(name), group.get(name)])),
  });
}

function capitalised(name: string): string {
  return name.charAt(0).toUpperCase() + name.slice(1);
}
