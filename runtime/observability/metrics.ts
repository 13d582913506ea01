import {
  METRICS,
  type CounterName,
  type DistributionName,
  type GaugeName,
  type MetricName,
} from '../contract/metrics';
import { Distribution } from './distribution';

/**
 * The process's counters, gauges and distributions: plain numbers, read by the two renderers. What is no finite number is
 * left out: CloudWatch would refuse a line that has one, and with it every other metric, and a sum would never recover.
 */
export class Metrics {
  readonly #values = new Map<MetricName, Map<string, number>>();
  readonly #distributions = new Map<MetricName, Distribution>();

  constructor() {
    for (const name of Object.keys(METRICS) as MetricName[]) {
      const { kind, label } = METRICS[name];
      if (kind === 'distribution') this.#distributions.set(name, new Distribution());
      else this.#values.set(name, new Map(label === undefined ? [['', 0]] : []));
    }
  }

  /** Adds to a counter. `label` is a value of the metric's one label, from a bounded set. */
  count(name: CounterName, amount = 1, label = ''): void {
    if (!Number.isFinite(amount)) return;
    const values = this.#valuesOf(name);
    values.set(label, (values.get(label) ?? 0) + amount);
  }

  /** Sets a gauge. `label` as in `count`. */
  gauge(name: GaugeName, value: number, label = ''): void {
    if (Number.isFinite(value)) this.#valuesOf(name).set(label, value);
  }

  /** Takes one value of a distribution. */
  observe(name: DistributionName, value: number): void {
    this.distribution(name).add(value);
  }

  /** Sum over all labels, or the value of one label. */
  value(name: CounterName | GaugeName, label?: string): number {
    const values = this.#valuesOf(name);
    if (label !== undefined) return values.get(label) ?? 0;
    let sum = 0;
    for (const value of values.values()) sum += value;
    return sum;
  }

  distribution(name: DistributionName): Distribution {
    return this.#distributions.get(name) ?? undeclared(name);
  }

  /** Every series of a counter or gauge: metric, label value ('' when it has none), number. */
  *series(): Generator<readonly [MetricName, string, number]> {
    for (const [name, values] of this.#values) {
      for (const [label, value] of values) yield [name, label, value];
    }
  }

  distributions(): Iterable<readonly [MetricName, Distribution]> {
    return this.#distributions;
  }

  #valuesOf(name: MetricName): Map<string, number> {
    return this.#values.get(name) ?? undeclared(name);
  }
}

function undeclared(name: MetricName): never {
  throw new Error(`Metric ${name} is not declared in runtime/contract/metrics.ts`);
}
