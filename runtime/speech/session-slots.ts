interface Waiting {
  readonly first: boolean;
  readonly onTurn: () => void;
}

/**
 * Gladia sessions this process may hold at once. Who comes first is served first; a leg that goes on with a call that
 * was being transcribed already comes before those that begin.
 */
export class SessionSlots {
  readonly #limit: number;
  readonly #waiting: Waiting[] = [];
  #taken = 0;

  /** @param limit `Infinity` for none */
  constructor(limit: number) {
    this.#limit = limit;
  }

  get taken(): number {
    return this.#taken;
  }

  /**
   * Waits for a slot.
   * @param first before everybody who is not
   * @returns the function that gives it back, safe to call twice
   * @throws the signal's reason when it aborts first
   */
  async take(signal: AbortSignal, { first = false } = {}): Promise<() => void> {
    signal.throwIfAborted();
    if (this.#taken < this.#limit) this.#taken += 1;
    else await this.#turn(signal, first);
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      const next = this.#waiting.shift();
      // Handed over, not given back: nobody can take it in between.
      if (next === undefined) this.#taken -= 1;
      else next.onTurn();
    };
  }

  #turn(signal: AbortSignal, first: boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const onTurn = (): void => {
        signal.removeEventListener('abort', onAbort);
        resolve();
      };
      const waiting = { first, onTurn };
      const onAbort = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(waiting), 1);
        reject(signal.reason instanceof Error ? signal.reason : new Error('No longer wanted'));
      };
      signal.addEventListener('abort', onAbort, { once: true });
      const place = first ? this.#waiting.findIndex((other) => !other.first) : -1;
      this.#waiting.splice(place === -1 ? this.#waiting.length : place, 0, waiting);
    });
  }
}
