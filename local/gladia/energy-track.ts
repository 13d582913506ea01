import { Endpointer, type SpeechSegment } from './endpointer';
import type { RecognisedUtterance, RecogniserTrack, TrackOptions } from './recogniser';
import { estimateWordTimes } from './word-times';
import { partialIsDue } from './partial-cadence';

/** Makes text of where the audio is loud, such as "utterance 3 of channel 0, 1240 ms": no words are recognised. */
export class EnergyTrack implements RecogniserTrack {
  readonly #options: TrackOptions;
  readonly #endpointer: Endpointer;
  #partialMs = 0;
  #closed = false;

  constructor(options: TrackOptions) {
    this.#options = options;
    this.#endpointer = new Endpointer(options, {
      speechStart: (segment) => this.#speechStart(segment),
      speechContinues: (segment) => this.#speechContinues(segment),
      speechEnd: (segment) => this.#speechEnd(segment),
    });
  }

  push(muLaw: Buffer): void {
    if (!this.#closed) this.#endpointer.push(muLaw);
  }

  finish(): Promise<void> {
    if (!this.#closed) this.#endpointer.finish();
    this.close();
    return Promise.resolve();
  }

  close(): void {
    this.#closed = true;
  }

  #speechStart(segment: SpeechSegment): void {
    this.#partialMs = 0;
    this.#options.listener.speechStart(segment.startMs);
  }

  #speechContinues(segment: SpeechSegment): void {
    const openMs = segment.endMs - segment.startMs;
    if (!partialIsDue(this.#partialMs, openMs)) return;
    this.#partialMs = openMs;
    this.#options.listener.partial(
      this.#utterance(segment, `utterance ${segment.number} of channel ${this.#options.channel}`),
    );
  }

  #speechEnd(segment: SpeechSegment): void {
    this.#options.listener.speechEnd(segment.endMs);
    const lengthMs = segment.endMs - segment.startMs;
    const text = `utterance ${segment.number} of channel ${this.#options.channel}, ${lengthMs} ms`;
    this.#options.listener.final(this.#utterance(segment, text));
  }

  #utterance(segment: SpeechSegment, text: string): RecognisedUtterance {
    const { number, startMs, endMs } = segment;
    const words = estimateWordTimes(
      text.split(' ').map((word) => ({ text: word, confidence: 1 })),
      segment,
    );
    return { number, startMs, endMs, text, confidence: 1, language: this.#options.language ?? 'en', words };
  }
}
