/** A word with its place in the track's audio. */
export interface RecognisedWord {
  readonly text: string;
  readonly startMs: number;
  readonly endMs: number;
  /** 0 to 1. */
  readonly confidence: number;
}

/** Add-on results that a script brings along; recognised speech has none. */
export interface ScriptedAddOns {
  /** Text by target language code. */
  readonly translations?: Readonly<Record<string, string>>;
  readonly entities?: readonly { readonly type: string; readonly text: string }[];
  readonly sentiment?: { readonly sentiment: string; readonly emotion: string };
}

/** What was said between two pauses. Times are milliseconds of the track's audio. */
export interface RecognisedUtterance {
  /** Counts from 0 on each track; a partial and its final have the same number. */
  readonly number: number;
  readonly startMs: number;
  readonly endMs: number;
  readonly text: string;
  /** 0 to 1, the mean over the words. */
  readonly confidence: number;
  readonly language: string;
  readonly words: readonly RecognisedWord[];
  readonly addOns?: ScriptedAddOns;
}

/** Told what is heard on one track. All of it may come after `push` has returned, until `finish` has resolved. */
export interface TrackListener {
  speechStart(atMs: number): void;
  /** Replaces the partial before it. */
  partial(utterance: RecognisedUtterance): void;
  speechEnd(atMs: number): void;
  /** At most one for each utterance; none where nothing was understood. */
  final(utterance: RecognisedUtterance): void;
  /** The recogniser is broken; nothing more comes. */
  failed(error: Error): void;
}

/** What the scripts are chosen by. */
export interface RecognisedSession {
  readonly customMetadata: Readonly<Record<string, unknown>>;
  readonly channels: number;
}

export interface TrackOptions {
  readonly session: RecognisedSession;
  /** From 0. */
  readonly channel: number;
  /** Silence that ends an utterance. */
  readonly endpointingMs: number;
  /** An utterance is cut when it gets this long. */
  readonly maximumUtteranceMs: number;
  /** The one language asked for, or undefined to detect it. */
  readonly language: string | undefined;
  readonly listener: TrackListener;
}

/** One channel of one session. */
export interface RecogniserTrack {
  /** Takes the next audio, mu-law at 8 kHz, any number of bytes. Does not keep the buffer. */
  push(muLaw: Buffer): void;
  /** The audio is over: ends the open utterance and resolves when every final has been given. */
  finish(): Promise<void>;
  /** Drops the track and what is pending on it. Idempotent. */
  close(): void;
}

/** Speech to text, behind the local Gladia server. One of them serves every session. */
export interface Recogniser {
  /** For people: which recogniser it is and what it can do. */
  readonly name: string;
  /** Language codes that can be asked for, or `any`. */
  readonly languages: readonly string[] | 'any';
  /** True when results may carry translations and summaries; then a session may ask for them. */
  readonly scriptsAddOns: boolean;
  openTrack(options: TrackOptions): RecogniserTrack;
  /** The summary that the session's script carries. */
  summaryOf(session: RecognisedSession): string | undefined;
  /** Frees everything. Idempotent. */
  close(): Promise<void>;
}
