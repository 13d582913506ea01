/** Longer than anything that is measured: all above counts as this. */
const MAX_VALUE = 10_000_000;

/**
 * How often which values came, in buckets as wide as two significant digits are: at most a twentieth off, bounded,
 * and as cheap as a counter. Bounds are round numbers, so that a coarser histogram can be made of it exactly.
 */
export class Distribution {
  /** By upper bound, which belongs to the bucket. */
  readonly #counts = new Map<number, number>();
  #count = 0;
  #sum = 0;

  /** @param value 0 or more */
  add(value: number): void {
    const bound = upperBound(value);
    this.#counts.set(bound, (this.#counts.get(bound) ?? 0) + 1);
    this.#count += 1;
    this.#sum += value;
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

  /** @param bound with at most two significant digits */
  countUpTo(bound: number): number {
    let sum = 0;
    for (const [upper, count] of this.#counts) if (upper <= bound) sum += count;
    return sum;
  }
}

/** The value that stands for a bucket. */
export function middleOf(bound: number): number {
  return bound - widthAt(bound) / 2;
}

function upperBound(value: number): number {
  const width = widthAt(value);
  return Math.min(Math.max(1, Math.ceil(value / width)) * width, MAX_VALUE);
}

function widthAt(value: number): number {
  let width = 1;
  while (value > 100 * width && width < MAX_VALUE / 100) width *= 10;
  return width;
}
