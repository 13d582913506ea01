import {
  METRICS,
  type CounterName,
  type DistributionName,
  type GaugeName,
  type MetricName,
} from '../contract/metrics';
import { Distribution } from './distribution';

/** One series of a counter or a gauge. What is no finite number is left out. */
export class Series {
  #value = 0;

  get value(): number {
    return this.#value;
  }

  add(amount: number): void {
    if (Number.isFinite(amount)) this.#value += amount;
  }

  set(value: number): void {
    if (Number.isFinite(value)) this.#value = value;
  }
}

/**
 * The process's counters, gauges and distributions: plain numbers, read by the two renderers. What is no finite number is
 * left out: CloudWatch would refuse a line that has one, and with it every other metric, and a sum would never recover.
 */
export class Metrics {
  /** By label. */
  readonly #series = new Map<MetricName, Map<string, Series>>();
  readonly #distributions = new Map<MetricName, Distribution>();

  constructor() {
    for (const name of Object.keys(METRICS) as MetricName[]) {
      const { kind, label } = METRICS[name];
      if (kind === 'distribution') this.#distributions.set(name, new Distribution());
      else this.#series.set(name, new Map(label === undefined ? [['', new Series()]] : []));
    }
  }

  /** Adds to a counter. `label` is a value of the metric's one label, from a bounded set. */
  count(name: CounterName, amount = 1, label = ''): void {
    if (Number.isFinite(amount)) this.counter(name, label).add(amount);
  }

  /** What `count` adds to: for whoever counts with each frame, and does not want to look it up each time. */
  counter(name: CounterName, label = ''): Series {
    return this.#seriesOf(name, label);
  }

  /** Sets a gauge. `label` as in `count`. */
  gauge(name: GaugeName, value: number, label = ''): void {
    if (Number.isFinite(value)) this.#seriesOf(name, label).set(value);
  }

  /** Takes one value of a distribution. */
  observe(name: DistributionName, value: number): void {
    this.distribution(name).add(value);
  }

  /** Sum over all labels, or the value of one label. */
  value(name: CounterName | GaugeName, label?: string): number {
    const all = this.#series.get(name) ?? undeclared(name);
    if (label !== undefined) return all.get(label)?.value ?? 0;
    let sum = 0;
    for (const { value } of all.values()) sum += value;
    return sum;
  }

  distribution(name: DistributionName): Distribution {
    return this.#distributions.get(name) ?? undeclared(name);
  }

  /** Every series of a counter or gauge: metric, label value ('' when it has none), number. */
  *series(): Generator<readonly [MetricName, string, number]> {
    for (const [name, all] of this.#series) {
      for (const [label, { value }] of all) yield [name, label, value];
    }
  }

  distributions(): Iterable<readonly [MetricName, Distribution]> {
    return this.#distributions;
  }

  #seriesOf(name: MetricName, label: string): Series {
    const all = this.#series.get(name) ?? undeclared(name);
    let series = all.get(label);
    if (series === undefined) all.set(label, (series = new Series()));
    return series;
  }
}

function undeclared(name: MetricName): never {
  throw new Error(`Metric ${name} is not declared in runtime/contract/metrics.ts`);
}
