export interface BackOff {
  readonly baseMs: number;
  readonly capMs: number;
}

/**
 * Full jitter: any time up to a bound that doubles with each attempt.
 * @param attempt 0 for the first retry
 * @param random from 0 (included) to 1 (excluded)
 */
export function backOffMs(attempt: number, backOff: BackOff, random: () => number): number {
  return random() * Math.min(backOff.capMs, backOff.baseMs * 2 ** attempt);
}

/** Attempts of one leg, for a session or a socket, since something last went well for a while. */
export class Attempts {
  readonly #random: () => number;
  #count = 0;

  constructor(random: () => number) {
    this.#random = random;
  }

  get count(): number {
    return this.#count;
  }

  /** @returns how long to wait before the next one, in ms */
  next(backOff: BackOff): number {
    this.#count += 1;
    return backOffMs(this.#count - 1, backOff, this.#random);
  }

  reset(): void {
    this.#count = 0;
  }
}
