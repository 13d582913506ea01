/** One stretch of a call's way. Times are ms since 1970. Attributes hold no text, no phone number and no secret. */
export interface CallSpan {
  readonly callSid: string;
  readonly name: SpanName;
  readonly startMs: number;
  readonly endMs: number;
  readonly attributes?: Readonly<Record<string, string | number | boolean>>;
  readonly isFailed?: boolean;
}

/** `call` is the root of the others. */
export type SpanName =
  | 'call'
  | 'webhook'
  | 'handshake'
  | 'session start'
  | 'first partial'
  | 'first final'
  | 'resume'
  | 'stop'
  | 'store';

/** Where spans go. */
export interface SpanExporter {
  /** Takes one, at once. Never throws, never waits; what cannot be sent is dropped. */
  export(span: CallSpan): void;
  /** Sends what is left. Never rejects. */
  close(): Promise<void>;
}
