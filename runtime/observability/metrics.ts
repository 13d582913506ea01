import { METRICS, type MetricName } from '../contract/metrics';

/** The process's counters and gauges: plain numbers, read by the two renderers. */
export class Metrics {
  readonly #values = new Map<MetricName, Map<string, number>>();

  constructor() {
    for (const name of Object.keys(METRICS) as MetricName[]) {
      this.#values.set(name, new Map(METRICS[name].label === undefined ? [['', 0]] : []));
    }
  }

  /** Adds to a counter. `label` is a value of the metric's one label, from a bounded set. */
  count(name: MetricName, amount = 1, label = ''): void {
    const values = this.#valuesOf(name);
    values.set(label, (values.get(label) ?? 0) + amount);
  }

  /** Sets a gauge. `label` as in `count`. */
  gauge(name: MetricName, value: number, label = ''): void {
    this.#valuesOf(name).set(label, value);
  }

  /** Sum over all labels, or the value of one label. */
  value(name: MetricName, label?: string): number {
    const values = this.#valuesOf(name);
    if (label !== undefined) return values.get(label) ?? 0;
    let sum = 0;
    for (const value of values.values()) sum += value;
    return sum;
  }

  /** Every series: metric, label value ('' when it has none), number. */
  *series(): Generator<readonly [MetricName, string, number]> {
    for (const [name, values] of this.#values) {
      for (const [label, value] of values) yield [name, label, value];
    }
  }

  #valuesOf(name: MetricName): Map<string, number> {
    const values = this.#values.get(name);
    if (values === undefined)
      throw new Error(`Metric ${name} is not declared in runtime/contract/metrics.ts`);
    return values;
  }
}
