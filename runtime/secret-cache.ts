import type { Clock } from './model/clock';

export interface SecretCacheOptions<T> {
  /** Gives nothing when there is no value yet. Rejects when nobody can tell; then the last value is kept. */
  readonly fetch: () => Promise<T | undefined>;
  /** Age at which a value is fetched again. */
  readonly refreshAgeMs: number;
  /** How soon a value that is missing, or could not be fetched, is looked for again. */
  readonly retryMs: number;
  /** Shortest time between two fetches because of refusals. */
  readonly refusalGapMs: number;
  /** Monotonic milliseconds. */
  readonly now: Clock;
  /** Resolves after so many milliseconds. */
  readonly sleep: (ms: number) => Promise<unknown>;
}

/** One value from elsewhere, kept while it is fresh and while it cannot be fetched. Never rejects. */
export class SecretCache<T> {
  readonly #options: SecretCacheOptions<T>;
  #value: T | undefined;
  #fetchedAt = -Infinity;
  #renewedAt = -Infinity;
  #hasFailed = false;
  #pending: Promise<T | undefined> | undefined;
  /** The next fetch because of a refusal: it has not begun, so it serves everybody who was refused until it does. */
  #renewal: Promise<T | undefined> | undefined;

  constructor(options: SecretCacheOptions<T>) {
    this.#options = options;
  }

  /** The value, fetched when it is missing or old. */
  async get(): Promise<T | undefined> {
    const { refreshAgeMs, retryMs } = this.#options;
    const isSettled = this.#value !== undefined && !this.#hasFailed;
    if (this.#age() < (isSettled ? refreshAgeMs : retryMs)) return this.#value;
    const fetched = this.#fetch();
    // Once a fetch has failed, nobody waits for the next: calls go on with what is known.
    return this.#hasFailed && this.#value !== undefined ? this.#value : fetched;
  }

  /**
   * Somebody refused the value: fetches it again. The fetch begins after this was called, so that it sees a value that
   * was rotated before; a crowd of refusals shares one, and two are `refusalGapMs` apart.
   */
  refresh(): Promise<T | undefined> {
    this.#renewal ??= this.#renew();
    return this.#renewal;
  }

  async #renew(): Promise<T | undefined> {
    const { refusalGapMs, now, sleep } = this.#options;
    for (;;) {
      // One that is under way may have begun before the refusal.
      await this.#pending;
      const waitMs = refusalGapMs - (now() - this.#renewedAt);
      if (waitMs <= 0) break;
      await sleep(waitMs);
    }
    this.#renewal = undefined;
    this.#renewedAt = now();
    return this.#fetch();
  }

  #age(): number {
    return this.#options.now() - this.#fetchedAt;
  }

  #fetch(): Promise<T | undefined> {
    this.#pending ??= this.#fetchOnce().finally(() => (this.#pending = undefined));
    return this.#pending;
  }

  async #fetchOnce(): Promise<T | undefined> {
    try {
      this.#value = await this.#options.fetch();
      this.#hasFailed = false;
    } catch {
      this.#hasFailed = true;
    }
    this.#fetchedAt = this.#options.now();
    return this.#value;
  }
}
