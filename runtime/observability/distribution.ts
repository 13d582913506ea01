/** Longer than anything that is measured: all above counts as this. */
const MAX_VALUE = 10_000_000;
/** Up to here buckets are a tenth wide. */
const FINE_UP_TO = 10;
const TENTHS = 10;

/** Percentiles of milliseconds. */
export interface Percentiles {
  readonly count: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
}

/**
 * How often which values came, in buckets as wide as two significant digits are, a tenth at least: at most a twentieth
 * off, bounded, and as cheap as a counter. Bounds are round numbers, so that a coarser histogram can be made of it exactly.
 */
export class Distribution {
  /** By upper bound, which belongs to the bucket. */
  readonly #counts = new Map<number, number>();
  #count = 0;
  #sum = 0;

  /** @param value below 0, as after a clock was set back, counts as 0; one that is no number is left out */
  add(value: number): void {
    if (Number.isNaN(value)) return;
    const taken = Math.min(Math.max(0, value), MAX_VALUE);
    const bound = upperBound(taken);
    this.#counts.set(bound, (this.#counts.get(bound) ?? 0) + 1);
    this.#count += 1;
    this.#sum += taken;
  }

  get count(): number {
    return this.#count;
  }

  get sum(): number {
    return this.#sum;
  }

  /** Buckets that hold something: upper bound and count, in no order. */
  get counts(): ReadonlyMap<number, number> {
    return this.#counts;
  }

  /** `undefined` without a value. */
  percentiles(): Percentiles | undefined {
    if (this.#count === 0) return undefined;
    const sorted = [...this.#counts].toSorted(([one], [other]) => one - other);
    const at = (share: number): number => {
      let left = Math.ceil(this.#count * share);
      for (const [bound, count] of sorted) if ((left -= count) <= 0) return middleOf(bound);
      return MAX_VALUE;
    };
    return { count: this.#count, p50Ms: at(0.5), p95Ms: at(0.95), p99Ms: at(0.99) };
  }

  /** @param bound with at most two significant digits */
  countUpTo(bound: number): number {
    let sum = 0;
    for (const [upper, count] of this.#counts) if (upper <= bound) sum += count;
    return sum;
  }
}

/** The value that stands for a bucket. */
export function middleOf(bound: number): number {
  // In whole hundredths: a tenth has no exact half.
  return bound <= FINE_UP_TO ? Math.round(bound * 100 - 5) / 100 : bound - widthAt(bound) / 2;
}

function upperBound(value: number): number {
  if (value <= FINE_UP_TO) return Math.max(1, Math.ceil(value * TENTHS)) / TENTHS;
  const width = widthAt(value);
  return Math.ceil(value / width) * width;
}

function widthAt(value: number): number {
  let width = 1;
  while (value > 100 * width && width < MAX_VALUE / 100) width *= 10;
  return width;
}
