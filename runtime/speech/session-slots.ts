/** A place among the sessions that the service lets this process hold. */
export interface SessionSlot {
  /** Gives it back. Safe to call twice. */
  release(): void;
  /** The service has not refused it for want of places. */
  answered(): void;
  /**
   * The service has no place left (gladia-live.md, 1.7). Gives the slot back; nobody gets one before somebody gives up a
   * session or the time is over, and then one after the other.
   * @param waitMs in ms, of how many refusals there were before in a row
   */
  refused(waitMs: (attempt: number) => number): void;
  /** To wait for another one in the old place of the queue. */
  readonly ticket: number;
}

interface Waiting {
  readonly first: boolean;
  readonly ticket: number;
  readonly onTurn: () => void;
}

/**
 * Gladia sessions this process may hold at once. Who comes first is served first; a leg that goes on with a call that
 * was being transcribed already comes before those that begin. Where the service itself refuses more, all wait in the
 * same queue, and one asks for all: a hundred waiting calls are no hundred requests.
 */
export class SessionSlots {
  readonly #limit: number;
  readonly #waiting: Waiting[] = [];
  #taken = 0;
  #tickets = 0;
  /** The service has refused somebody, and nobody has got a session since while others waited. */
  #isLimited = false;
  /** Somebody asks for all. */
  #isAsking = false;
  #refusals = 0;
  #pause: NodeJS.Timeout | undefined;

  /** @param limit `Infinity` for none */
  constructor(limit: number) {
    this.#limit = limit;
  }

  get taken(): number {
    return this.#taken;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /**
   * Waits for a slot.
   * @param options.first before everybody who is not
   * @param options.ticket of a slot that was refused
   * @throws the signal's reason when it aborts first
   */
  async take(
    signal: AbortSignal,
    options: { readonly first?: boolean; readonly ticket?: number } = {},
  ): Promise<SessionSlot> {
    signal.throwIfAborted();
    const { first = false, ticket = (this.#tickets += 1) } = options;
    if (this.#waiting.length === 0 && this.#isFree) this.#grant();
    else await this.#turn(signal, { first, ticket });
    return this.#slot(ticket);
  }

  get #isFree(): boolean {
    const isHeldBack = this.#isLimited && (this.#isAsking || this.#pause !== undefined);
    return this.#taken < this.#limit && !isHeldBack;
  }

  #grant(): void {
    this.#taken += 1;
    this.#isAsking = this.#isLimited;
  }

  #slot(ticket: number): SessionSlot {
    let isHeld = true;
    let isUnanswered = true;
    const answered = (): void => {
      if (isUnanswered) this.#isAsking = false;
      isUnanswered = false;
    };
    const giveBack = (): boolean => {
      if (!isHeld) return false;
      isHeld = false;
      this.#taken -= 1;
      answered();
      return true;
    };
    return {
      ticket,
      answered: () => {
        answered();
        this.#refusals = 0;
        if (this.#waiting.length === 0) this.#endPause();
        this.#serve();
      },
      release: () => {
        if (!giveBack()) return;
        // There may be a place now.
        clearTimeout(this.#pause);
        this.#pause = undefined;
        this.#serve();
      },
      refused: (waitMs) => {
        if (giveBack()) this.#hold(waitMs(this.#refusals));
      },
    };
  }

  #hold(ms: number): void {
    this.#refusals += 1;
    this.#isLimited = true;
    this.#pause ??= setTimeout(() => {
      this.#pause = undefined;
      this.#serve();
    }, ms);
  }

  #endPause(): void {
    this.#isLimited = false;
    clearTimeout(this.#pause);
    this.#pause = undefined;
  }

  #serve(): void {
    while (this.#isFree) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      // Granted here and not when it wakes up: nobody can take it in between.
      this.#grant();
      next.onTurn();
    }
  }

  #turn(signal: AbortSignal, asked: { first: boolean; ticket: number }): Promise<void> {
    return new Promise((resolve, reject) => {
      const onTurn = (): void => {
        signal.removeEventListener('abort', onAbort);
        resolve();
      };
      const waiting = { ...asked, onTurn };
      const onAbort = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(waiting), 1);
        if (this.#waiting.length === 0) this.#endPause();
        reject(signal.reason instanceof Error ? signal.reason : new Error('No longer wanted'));
      };
      signal.addEventListener('abort', onAbort, { once: true });
      const place = this.#waiting.findIndex((other) => isBefore(waiting, other));
      this.#waiting.splice(place === -1 ? this.#waiting.length : place, 0, waiting);
    });
  }
}

function isBefore(one: Waiting, other: Waiting): boolean {
  return one.first === other.first ? one.ticket < other.ticket : one.first;
}
