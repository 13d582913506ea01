/** Where the audio of a call is: it runs on whether or not a stream is there to carry it. */
export class CallClock {
  readonly #paceFactor: number;
  #startedAt: number | undefined;
  #aheadMs = 0;
  #stoppedAtMs: number | undefined;

  /** @param paceFactor 1 is real time */
  constructor(paceFactor: number) {
    this.#paceFactor = paceFactor;
  }

  get isRunning(): boolean {
    return this.#startedAt !== undefined;
  }

  /** Milliseconds of the call's audio that have been spoken; 0 before the start. */
  get positionMs(): number {
    if (this.#startedAt === undefined) return 0;
    if (this.#stoppedAtMs !== undefined) return this.#stoppedAtMs;
    return this.#aheadMs + (performance.now() - this.#startedAt) * this.#paceFactor;
  }

  /** Safe to call twice: the first one counts. */
  start(aheadMs: number): void {
    if (this.#startedAt !== undefined) return;
    this.#startedAt = performance.now();
    this.#aheadMs = aheadMs;
  }

  /** The call is over: nothing is said any more. Safe to call twice. */
  stop(): void {
    this.#stoppedAtMs ??= this.positionMs;
  }
}
