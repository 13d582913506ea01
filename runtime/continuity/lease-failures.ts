import type { Logger } from '../observability/logger';
import type { Metrics } from '../observability/metrics';

export interface LeaseFailuresOptions {
  /** Logged when a first try fails after one that worked. */
  readonly message: string;
  readonly leaseMs: number;
  readonly now: () => number;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/**
 * Follows one thing that must work again and again for leases to be of use, such as renewing this task's own. Counts not
 * the tries that failed, of which a store that is away for a moment makes many, but every stretch as long as a lease in
 * which none worked: from then on this task may be taken for dead, or a dead one is not found.
 */
export class LeaseFailures {
  readonly #options: LeaseFailuresOptions;
  #sinceMs: number;
  #isFailing = false;

  constructor(options: LeaseFailuresOptions) {
    this.#options = options;
    this.#sinceMs = options.now();
  }

  /** The last try failed. */
  get isFailing(): boolean {
    return this.#isFailing;
  }

  worked(): void {
    this.#isFailing = false;
    this.#sinceMs = this.#options.now();
  }

  failed(error: unknown): void {
    const { message, leaseMs, now, logger, metrics } = this.#options;
    if (!this.#isFailing) logger.warn({ err: error }, message);
    this.#isFailing = true;
    const nowMs = now();
    if (nowMs - this.#sinceMs < leaseMs) return;
    this.#sinceMs = nowMs;
    metrics.count('leaseFailures');
  }
}
