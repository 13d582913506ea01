interface Trouble {
  /** Failures in a row. */
  readonly attempts: number;
  /** On the monotonic clock. */
  readonly untilMs: number;
}

/**
 * Calls whose requests fail while others' work: only these wait. While everything fails, the whole lane waits, and no
 * call waits longer than the lane.
 */
export class TroubledCalls {
  readonly #backOffMs: (attempt: number) => number;
  readonly #calls = new Map<string, Trouble>();
  #failedLast: ReadonlySet<string> = new Set();

  /** @param backOffMs wait before attempt n (from 1) of a call's request */
  constructor(backOffMs: (attempt: number) => number) {
    this.#backOffMs = backOffMs;
  }

  /** Calls of the last request, if it failed. */
  get failedLast(): ReadonlySet<string> {
    return this.#failedLast;
  }

  /** @param laneAttempts requests in a row that failed, of whatever call */
  note(callSids: ReadonlySet<string>, laneAttempts: number): void {
    this.#failedLast = callSids;
    for (const callSid of callSids) {
      const attempts = (this.#calls.get(callSid)?.attempts ?? 0) + 1;
      const waitMs = attempts > laneAttempts ? this.#backOffMs(attempts) : 0;
      this.#calls.set(callSid, { attempts, untilMs: performance.now() + waitMs });
    }
  }

  mustWait(callSid: string): boolean {
    return (this.#calls.get(callSid)?.untilMs ?? 0) > performance.now();
  }

  /** Until the first of the waiting calls may go on. */
  shortestWaitMs(): number {
    const now = performance.now();
    const waits = [...this.#calls.values()].map(({ untilMs }) => untilMs - now).filter((ms) => ms > 0);
    return waits.length === 0 ? 0 : Math.min(...waits);
  }

  /** A request of the call worked, or was given up. */
  forget(callSid: string): void {
    this.#failedLast = new Set();
    this.#calls.delete(callSid);
  }

  clear(): void {
    this.#failedLast = new Set();
    this.#calls.clear();
  }
}
