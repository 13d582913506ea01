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
