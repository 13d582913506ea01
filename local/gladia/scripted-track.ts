import type {
  RecognisedUtterance,
  RecognisedWord,
  RecogniserTrack,
  ScriptedAddOns,
  TrackOptions,
} from './recogniser';
import type { ScriptedUtterance } from './script';

const BYTES_PER_MS = 8;

interface SpokenWord extends RecognisedWord {
  readonly text: string;
}

/** Says a channel's script: each word is a partial when the audio passes its end, the final comes after the endpointing. */
export class ScriptedTrack implements RecogniserTrack {
  readonly #options: TrackOptions;
  readonly #script: readonly ScriptedUtterance[];
  #bytes = 0;
  #number = 0;
  #spoken = -1;
  #speaking = false;
  #closed = false;

  constructor(options: TrackOptions, script: readonly ScriptedUtterance[]) {
    this.#options = options;
    this.#script = script;
  }

  push(muLaw: Buffer): void {
    this.#bytes += muLaw.length;
    while (this.#advance()) {
      // One long push may pass several utterances.
    }
  }

  finish(): Promise<void> {
    const utterance = this.#script[this.#number];
    if (utterance !== undefined && this.#speaking)
      this.#end(utterance, Math.min(utterance.endMs, this.#positionMs));
    this.#closed = true;
    return Promise.resolve();
  }

  close(): void {
    this.#closed = true;
  }

  get #positionMs(): number {
    return this.#bytes / BYTES_PER_MS;
  }

  /** Gives what the current utterance has come to; true when it is over. */
  #advance(): boolean {
    const utterance = this.#script[this.#number];
    if (this.#closed || utterance === undefined || this.#positionMs < utterance.startMs) return false;
    this.#start(utterance);
    this.#speak(utterance);
    if (this.#positionMs < utterance.endMs + this.#options.endpointingMs) return false;
    this.#end(utterance, utterance.endMs);
    return true;
  }

  #start(utterance: ScriptedUtterance): void {
    if (this.#speaking) return;
    this.#speaking = true;
    this.#spoken = 0;
    this.#options.listener.speechStart(utterance.startMs);
  }

  #speak(utterance: ScriptedUtterance): void {
    const words = wordsOf(utterance).filter((word) => word.endMs <= this.#positionMs);
    for (let count = this.#spoken + 1; count <= words.length; count += 1) {
      this.#options.listener.partial(this.#heard(utterance, words.slice(0, count)));
    }
    this.#spoken = words.length;
  }

  #end(utterance: ScriptedUtterance, endMs: number): void {
    const words = wordsOf(utterance).filter((word) => word.endMs <= endMs);
    const heard = this.#heard(utterance, words);
    this.#speaking = false;
    this.#number += 1;
    this.#options.listener.speechEnd(endMs);
    if (words.length > 0) this.#options.listener.final({ ...heard, endMs, ...addOnsOf(utterance) });
  }

  #heard(utterance: ScriptedUtterance, words: readonly SpokenWord[]): RecognisedUtterance {
    return {
      number: this.#number,
      startMs: utterance.startMs,
      endMs: words.at(-1)?.endMs ?? utterance.startMs,
      text: words.map((word) => word.text).join(' '),
      confidence: utterance.confidence ?? 1,
      language: utterance.language ?? this.#options.language ?? 'en',
      words,
    };
  }
}

/** The words with equal shares of the utterance's time. */
function wordsOf({ text, startMs, endMs, confidence = 1 }: ScriptedUtterance): SpokenWord[] {
  const words = text.split(/\s+/).filter((word) => word !== '');
  const timeOf = (index: number): number => startMs + ((endMs - startMs) * index) / words.length;
  return words.map((word, index) => ({
    text: word,
    startMs: timeOf(index),
    endMs: timeOf(index + 1),
    confidence,
  }));
}

function addOnsOf({ translations, entities, sentiment }: ScriptedUtterance): { addOns?: ScriptedAddOns } {
  const addOns = {
    ...(translations && { translations }),
    ...(entities && { entities }),
    ...(sentiment && { sentiment }),
  };
  return Object.keys(addOns).length === 0 ? {} : { addOns };
}
