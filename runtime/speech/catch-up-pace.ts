import type { Clock } from '../model/clock';

/** What may go at once: audio comes in bursts, such as Twilio's at the start of a stream. */
const BURST_MS = 1_000;

/**
 * How fast audio may be sent that had to wait: not more than so many times faster than it is spoken. How much faster
 * Gladia takes it is UNKNOWN (gladia-live.md, 2.2); without a factor there is no limit.
 */
export class CatchUpPace {
  readonly #bytesPerMs: number;
  readonly #factor: number;
  readonly #now: Clock;
  readonly #mostBytes: number;
  #allowedBytes: number;
  #atMs: number;

  /** @param options.factor above 1; `Infinity` for no limit */
  constructor(options: { readonly bytesPerMs: number; readonly factor: number; readonly now: Clock }) {
    this.#bytesPerMs = options.bytesPerMs;
    this.#factor = options.factor;
    this.#now = options.now;
    this.#mostBytes = BURST_MS * options.bytesPerMs * options.factor;
    this.#allowedBytes = this.#mostBytes;
    this.#atMs = options.now();
  }

  /** @returns bytes that may be sent now */
  allowedBytes(): number {
    if (this.#factor === Infinity) return Infinity;
    const nowMs = this.#now();
    const earnedBytes = (nowMs - this.#atMs) * this.#bytesPerMs * this.#factor;
    this.#atMs = nowMs;
    this.#allowedBytes = Math.min(this.#mostBytes, this.#allowedBytes + earnedBytes);
    return Math.max(0, this.#allowedBytes);
  }

  sent(bytes: number): void {
    this.#allowedBytes -= bytes;
  }
}
