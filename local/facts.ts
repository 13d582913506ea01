export interface WaitOptions {
  /** Default 10 s. */
  readonly timeoutMs?: number;
  /** For the error message. */
  readonly what?: string;
}

/** Tells whoever waits for a fact that something has happened; the fact is asked and not announced. */
export class Facts {
  readonly #listeners = new Set<() => void>();
  #isPending = false;

  /** Something happened: a burst of it is one question. */
  changed(): void {
    if (this.#isPending || this.#listeners.size === 0) return;
    this.#isPending = true;
    setImmediate(() => {
      this.#isPending = false;
      for (const listener of [...this.#listeners]) listener();
    });
  }

  /**
   * Resolves with the first value of `fact` that is neither undefined, null nor false; asked now and after everything
   * that happens. Rejects after the time-out, or with what `fact` throws.
   */
  waitFor<T>(fact: () => T | undefined | null | false, options: WaitOptions = {}): Promise<T> {
    const { timeoutMs = 10_000, what = 'a fact' } = options;
    return new Promise((resolve, reject) => {
      const finish = (): void => {
        this.#listeners.delete(check);
        clearTimeout(timer);
      };
      const check = (): void => {
        try {
          const value = fact();
          if (value === undefined || value === null || value === false) return;
          finish();
          resolve(value);
        } catch (error) {
          finish();
          reject(error instanceof Error ? error : new Error(String(error)));
        }
      };
      const timer = setTimeout(() => {
        finish();
        reject(new Error(`waited ${timeoutMs} ms for ${what}`));
      }, timeoutMs);
      this.#listeners.add(check);
      check();
    });
  }
}
