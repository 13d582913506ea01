import type { Clock } from '../model/clock';

/** At most so many in a second, all of them at once if need be. */
export class RateLimit {
  readonly #perSecond: number;
  readonly #now: Clock;
  #left: number;
  #countedAtMs: number;

  /** @param now monotonic milliseconds */
  constructor(perSecond: number, now: Clock) {
    this.#perSecond = perSecond;
    this.#now = now;
    this.#left = perSecond;
    this.#countedAtMs = now();
  }

  /** @returns whether there is room for one more now, and takes it */
  take(): boolean {
    const nowMs = this.#now();
    const regained = ((nowMs - this.#countedAtMs) / 1_000) * this.#perSecond;
    this.#left = Math.min(this.#perSecond, this.#left + regained);
    this.#countedAtMs = nowMs;
    if (this.#left < 1) return false;
    this.#left -= 1;
    return true;
  }
}
