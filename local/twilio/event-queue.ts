interface Waiter<E> {
  readonly type: string;
  readonly resolve: (event: E) => void;
  readonly reject: (error: Error) => void;
}

/** Events that are kept until somebody asks for them, so that no test can come too late. A call has a few dozen. */
export class EventQueue<E extends { readonly type: string }> {
  readonly #seen: E[] = [];
  readonly #taken = new Set<E>();
  #waiters: Waiter<E>[] = [];
  #isEnded = false;

  /** All events so far, in order. */
  get seen(): readonly E[] {
    return this.#seen;
  }

  /**
   * The next event of a type that nobody has taken yet, now or when it comes.
   * Rejects when the queue ends without one.
   */
  next<T extends E['type']>(type: T): Promise<Extract<E, { type: T }>> {
    const event = this.#seen.find((each) => each.type === type && !this.#taken.has(each));
    if (event !== undefined) {
      this.#taken.add(event);
      return Promise.resolve(event as Extract<E, { type: T }>);
    }
    return new Promise((resolve, reject) => {
      const waiter = { type, resolve: resolve as (event: E) => void, reject };
      if (this.#isEnded) reject(this.#endedWithout(type));
      else this.#waiters.push(waiter);
    });
  }

  /** The first event of a type, taken or not. */
  async waitFor<T extends E['type']>(type: T): Promise<Extract<E, { type: T }>> {
    const event = this.#seen.find((each) => each.type === type);
    return event === undefined ? this.next(type) : (event as Extract<E, { type: T }>);
  }

  emit(event: E): void {
    this.#seen.push(event);
    const waiter = this.#waiters.find(({ type }) => type === event.type);
    if (waiter === undefined) return;
    this.#waiters = this.#waiters.filter((each) => each !== waiter);
    this.#taken.add(event);
    waiter.resolve(event);
  }

  /** No event comes any more: whoever still waits is told. Safe to call twice. */
  end(): void {
    this.#isEnded = true;
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const { type, reject } of waiters) reject(this.#endedWithout(type));
  }

  #endedWithout(type: string): Error {
    const seen = this.#seen.map((event) => event.type).join(', ');
    return new Error(`it ended without the event ${type}; there was: ${seen || 'nothing'}`);
  }
}
