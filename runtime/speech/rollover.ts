import type { Clock } from '../model/clock';
import type { RolloverTiming } from './recognition-timing';
import type { MintedSession, MintRefused } from './session-mint';

export interface RolloverOptions {
  readonly timing: RolloverTiming;
  /** Asks for a session until there is one, or the signal aborts. */
  readonly mint: (unwanted: AbortSignal) => Promise<MintedSession | MintRefused | undefined>;
  /** A successor is not needed after all. */
  readonly discard: (minted: MintedSession) => void;
  readonly onFault: (error: unknown) => void;
  readonly now: Clock;
}

/** When a session has to hand on to its successor, and where: in a pause, so that no word is cut, said twice or lost. */
export class Rollover {
  readonly #options: RolloverOptions;
  #bornAtMs: number | undefined;
  #preparation: AbortController | undefined;
  #successor: MintedSession | undefined;
  #readyAtMs = 0;

  constructor(options: RolloverOptions) {
    this.#options = options;
  }

  /** Pauses are looked for: the audio must be listened to. */
  get isDue(): boolean {
    const { now, timing } = this.#options;
    return this.#bornAtMs !== undefined && now() - this.#bornAtMs >= timing.rolloverAfterMs;
  }

  /** A session is in use that was made then. A successor that another one had is not needed any more. */
  begin(bornAtMs: number): void {
    this.close();
    this.#bornAtMs = bornAtMs;
  }

  /** Called every now and then while the session in use is well. @returns whether to hand on, and how */
  step(quietMs: number): 'stay' | 'hand-on-in-pause' | 'hand-on-now' {
    const { now, timing } = this.#options;
    if (!this.isDue) return 'stay';
    if (this.#successor === undefined) {
      this.#prepare();
      return 'stay';
    }
    if (quietMs >= timing.rolloverPauseMs) return 'hand-on-in-pause';
    return now() - this.#readyAtMs >= timing.rolloverWaitMs ? 'hand-on-now' : 'stay';
  }

  /** @returns the successor, if there is one; it is the caller's then */
  take(): MintedSession | undefined {
    const successor = this.#successor;
    this.#successor = undefined;
    return successor;
  }

  /** No successor is needed. Safe to call twice. */
  close(): void {
    this.#preparation?.abort(new Error('No successor is needed'));
    this.#preparation = undefined;
    this.#bornAtMs = undefined;
    const successor = this.take();
    if (successor !== undefined) this.#options.discard(successor);
  }

  #prepare(): void {
    if (this.#preparation !== undefined) return;
    const { mint, discard, onFault, now } = this.#options;
    const preparation = new AbortController();
    this.#preparation = preparation;
    mint(preparation.signal)
      .then((minted) => {
        // What was refused for good is not asked for again: the session in use goes on as long as it can.
        if (minted === undefined || !('grant' in minted)) return;
        if (preparation.signal.aborted) discard(minted);
        else {
          this.#successor = minted;
          this.#readyAtMs = now();
        }
      })
      .catch(onFault);
  }
}
