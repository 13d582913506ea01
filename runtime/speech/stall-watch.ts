import type { Clock } from '../model/clock';
import type { StallTiming } from './recognition-timing';
import type { SpeechDetector } from './speech-detector';

/**
 * Notices a session that acknowledges audio with speech in it and says nothing about it. Listens only when nothing was
 * said for a while, so that a conversation costs nothing.
 */
export class StallWatch {
  readonly #timing: StallTiming;
  readonly #detector: SpeechDetector;
  readonly #now: Clock;
  #sinceMs: number;
  #patienceMs: number;
  #isListening = false;

  constructor(options: { timing: StallTiming; detector: SpeechDetector; now: Clock }) {
    this.#timing = options.timing;
    this.#detector = options.detector;
    this.#now = options.now;
    this.#sinceMs = options.now();
    this.#patienceMs = options.timing.stallAfterMs;
  }

  /** Whether the detector is to be given the audio. */
  get isListening(): boolean {
    return this.#isListening;
  }

  /** The service has said something about audio. */
  heard(): void {
    this.#patienceMs = this.#timing.stallAfterMs;
    this.begin();
  }

  /** A socket is open: the time begins anew. */
  begin(): void {
    this.#sinceMs = this.#now();
    this.#isListening = false;
  }

  /** Called every now and then. @returns whether the session is stalled */
  tick(): boolean {
    const mutedMs = this.#now() - this.#sinceMs;
    if (!this.#isListening && mutedMs >= this.#timing.stallAfterMs / 4) {
      this.#isListening = true;
      this.#detector.reset();
    }
    return mutedMs >= this.#patienceMs && this.#detector.speechMs >= this.#timing.stallSpeechMs;
  }

  /** Another session is tried. */
  recycled(): void {
    this.#patienceMs = Math.min(this.#patienceMs * 2, this.#timing.stallAtMostMs);
    this.begin();
  }
}
