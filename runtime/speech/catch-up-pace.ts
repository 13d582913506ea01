/** What may go at once: audio comes in bursts, such as Twilio's at the start of a stream. */
const BURST_MS = 1_000;

/**
 * How fast audio may be sent that had to wait: not more than so many times faster than it is spoken. How much faster
 * Gladia takes it is UNKNOWN (gladia-live.md, 2.2); without a factor there is no limit.
 */
export class CatchUpPace {
  readonly #bytesPerMs: number;
  /** What was sent is earned by then; a whole burst at most is saved up. */
  #earnedAtMs = -Infinity;

  /** @param options.factor above 1; `Infinity` for no limit */
  constructor(options: { readonly bytesPerMs: number; readonly factor: number }) {
    this.#bytesPerMs = options.bytesPerMs * options.factor;
  }

  /** @returns bytes that may be sent now */
  allowedBytes(nowMs: number): number {
    this.#earnedAtMs = Math.max(this.#earnedAtMs, nowMs - BURST_MS);
    return Math.max(0, (nowMs - this.#earnedAtMs) * this.#bytesPerMs);
  }

  /** After `allowedBytes`. */
  sent(bytes: number): void {
    this.#earnedAtMs += bytes / this.#bytesPerMs;
  }
}
