export interface SecretCacheOptions<T> {
  /** Gives nothing when there is no value yet. Rejects when nobody can tell; then the last value is kept. */
  readonly fetch: () => Promise<T | undefined>;
  /** Age at which a value is fetched again. */
  readonly refreshAgeMs: number;
  /** Shortest time between two fetches, and how soon a missing value is looked for again. */
  readonly retryMs: number;
  /** Monotonic milliseconds. */
  readonly now: () => number;
}

/** One value from elsewhere, kept while it is fresh and while it cannot be fetched. Never rejects. */
export class SecretCache<T> {
  readonly #options: SecretCacheOptions<T>;
  #value: T | undefined;
  #fetchedAt = -Infinity;
  #hasFailed = false;
  #pending: Promise<T | undefined> | undefined;

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

  /** The value, fetched again unless that was just done: somebody refused the one we have. */
  async refresh(): Promise<T | undefined> {
    return this.#age() < this.#options.retryMs ? this.#value : this.#fetch();
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
