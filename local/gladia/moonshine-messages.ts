/** Asks the worker for the text of a stretch of audio. */
export interface DecodeRequest {
  readonly id: number;
  /** Tracks are told apart by number, over all sessions. */
  readonly track: number;
  /** A final is always decoded; a partial only until a newer one of its track comes. */
  readonly final: boolean;
  /** mu-law at 8 kHz. */
  readonly muLaw: Uint8Array;
}

export interface DecodedWord {
  readonly text: string;
  /** The smallest softmax of the word's tokens. */
  readonly confidence: number;
}

/** What the worker says. `words` is null for a partial that a newer one has superseded. */
export type WorkerMessage =
  | { readonly kind: 'progress'; readonly share: number }
  | { readonly kind: 'ready' }
  | { readonly kind: 'decoded'; readonly id: number; readonly words: readonly DecodedWord[] | null }
  | { readonly kind: 'broken'; readonly id: number; readonly message: string };
