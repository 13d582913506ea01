/** Knows when a call's first audio was: the zero of its times, also when that was on another leg or another task. */
export interface CallOrigins {
  /**
   * @param originAt ISO 8601: when this leg's first audio came
   * @returns ISO 8601: when the call's first audio came, the same for all that ask
   */
  claimOrigin(callSid: string, originAt: string): Promise<string>;
}

/** Tells one leg's times as call times: milliseconds since the call's first audio. Between legs by the wall clock. */
export class CallClock {
  readonly #isFirstLeg: boolean;
  #originAtMs: number;
  #legOffsetMs: number;

  constructor(callOriginAtMs: number, legOriginAtMs: number) {
    this.#originAtMs = callOriginAtMs;
    this.#isFirstLeg = legOriginAtMs === callOriginAtMs;
    // A clock that is behind another task's cannot put a leg before the call.
    this.#legOffsetMs = Math.max(0, legOriginAtMs - callOriginAtMs);
  }

  /** Wall clock: when the call's first audio was said, as far as is known. */
  get originAtMs(): number {
    return this.#originAtMs;
  }

  /** Wall clock: when the leg's first audio was said, as far as is known. */
  get legOriginAtMs(): number {
    return this.#originAtMs + this.#legOffsetMs;
  }

  /**
   * The leg turns out to have begun earlier: what piled up while its stream was made, or its task was busy, came late.
   * The first leg is the zero of the call's times, however late it came: with it the zero moves on the wall clock.
   */
  legBeganAt(legOriginAtMs: number): void {
    if (this.#isFirstLeg) this.#originAtMs = Math.min(this.#originAtMs, legOriginAtMs);
    else this.#legOffsetMs = Math.max(0, Math.min(this.#legOffsetMs, legOriginAtMs - this.#originAtMs));
  }

  /** @param legMs milliseconds since the leg's first audio; before it counts as then */
  toCallMs(legMs: number): number {
    return Math.round(this.#legOffsetMs + Math.max(0, legMs));
  }

  at(callMs: number): string {
    return new Date(this.#originAtMs + callMs).toISOString();
  }
}
