import { Endpointer, FRAME_MS, type SpeechSegment } from './endpointer';
import type { MoonshineDecoder } from './moonshine-decoder';
import type { DecodedWord } from './moonshine-messages';
import { partialIsDue } from './partial-cadence';
import type { RecognisedUtterance, RecogniserTrack, TrackOptions } from './recogniser';
import { estimateWordTimes, meanConfidence } from './word-times';

/** The model hears an utterance on its own: cut at Gladia's default of 50 ms, words would be torn apart. */
const LEAST_ENDPOINTING_MS = 300;
/** Decoding time and memory grow with the length: 20 s take some 1.3 s on one core. */
const LONGEST_UTTERANCE_MS = 20_000;

/** One channel: finds utterances, has them decoded, again and again while they grow, and once when they are over. */
export class MoonshineTrack implements RecogniserTrack {
  readonly #options: TrackOptions;
  readonly #decoder: MoonshineDecoder;
  readonly #track: number;
  readonly #endpointer: Endpointer;
  readonly #finals = new Set<Promise<void>>();
  #partialMs = 0;
  #partialPending = false;
  /** Partials of utterances before this one come too late. */
  #endedUtterances = 0;
  #closed = false;

  constructor(options: TrackOptions, decoder: MoonshineDecoder, track: number) {
    this.#options = options;
    this.#decoder = decoder;
    this.#track = track;
    const limits = {
      endpointingMs: Math.max(options.endpointingMs, LEAST_ENDPOINTING_MS),
      maximumUtteranceMs: Math.min(options.maximumUtteranceMs, LONGEST_UTTERANCE_MS),
    };
    this.#endpointer = new Endpointer(limits, {
      speechStart: (segment) => this.#speechStart(segment),
      speechContinues: (segment) => this.#speechContinues(segment),
      speechEnd: (segment) => this.#speechEnd(segment),
    });
  }

  push(muLaw: Buffer): void {
    if (!this.#closed) this.#endpointer.push(muLaw);
  }

  async finish(): Promise<void> {
    if (!this.#closed) this.#endpointer.finish();
    await Promise.all(this.#finals);
    this.close();
  }

  close(): void {
    this.#closed = true;
  }

  #speechStart(segment: SpeechSegment): void {
    this.#partialMs = 0;
    this.#options.listener.speechStart(segment.startMs);
  }

  #speechContinues(segment: SpeechSegment): void {
    const openMs = segment.frames.length * FRAME_MS;
    if (this.#partialPending || !partialIsDue(this.#partialMs, openMs)) return;
    this.#partialMs = openMs;
    this.#partialPending = true;
    void this.#decode(segment, false).finally(() => (this.#partialPending = false));
  }

  #speechEnd(segment: SpeechSegment): void {
    this.#endedUtterances = segment.number + 1;
    this.#options.listener.speechEnd(segment.endMs);
    const final = this.#decode(segment, true);
    this.#finals.add(final);
    void final.finally(() => this.#finals.delete(final));
  }

  async #decode(segment: SpeechSegment, final: boolean): Promise<void> {
    // The open segment grows while the model works.
    const heard = { ...segment, frames: [...segment.frames] };
    const muLaw = Buffer.concat(heard.frames.map((frame) => frame.audio));
    try {
      const words = await this.#decoder.decode({ track: this.#track, final, muLaw });
      if (words !== null && words.length > 0) this.#give(toUtterance(heard, words), final);
    } catch (error) {
      if (!this.#closed)
        this.#options.listener.failed(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #give(utterance: RecognisedUtterance, final: boolean): void {
    if (this.#closed) return;
    if (final) this.#options.listener.final(utterance);
    else if (utterance.number >= this.#endedUtterances) this.#options.listener.partial(utterance);
  }
}

function toUtterance(segment: SpeechSegment, decoded: readonly DecodedWord[]): RecognisedUtterance {
  const words = estimateWordTimes(decoded, segment);
  const { number, startMs, endMs } = segment;
  const text = words.map((word) => word.text).join(' ');
  return { number, startMs, endMs, text, words, confidence: meanConfidence(words), language: 'en' };
}
