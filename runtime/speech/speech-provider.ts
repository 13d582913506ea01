import type { SessionFacts } from '../model/transcript-event';
import type { Secret } from '../model/secret';
import type { Logger } from '../observability/logger';

/**
 * The port to a speech service, in its smallest parts: mint a session, hold one socket on it, fetch its final result.
 * Everything that makes it reliable (backlog, resume, back-off, new sessions) is `recognition.ts` and serves every provider.
 */
export interface SpeechProvider {
  readonly name: string;
  /** Mints a session. One attempt. @throws {SpeechError} */
  createSession(request: SessionRequest, signal: AbortSignal): Promise<SessionGrant>;
  /**
   * Opens one socket on a session; the listener hears of it later, never during this call. Never throws.
   * @param logger that of the leg, where there is one
   */
  connect(grant: SessionGrant, listener: SpeechSocketListener, logger?: Logger): SpeechSocket;
  /** The session's final result, or `undefined` while it is still being made. One attempt. @throws {SpeechError} */
  fetchResult(sessionId: string, signal: AbortSignal): Promise<SessionResult | undefined>;
}

export interface SessionRequest {
  readonly callSid: string;
  readonly streamSid: string;
  /** Interleaved mu-law 8000 Hz channels. */
  readonly channels: number;
  /** For this call only, over what is configured. */
  readonly languages?: readonly string[];
  readonly vocabulary?: readonly string[];
  /** The leg goes on with a call that was being transcribed: its session comes before those of calls that begin. */
  readonly first?: boolean;
}

export interface SessionGrant {
  readonly sessionId: string;
  /** A bearer token: whoever has it can listen and speak. */
  readonly url: Secret;
}

export interface SpeechSocket {
  /** Bytes given to `sendAudio` that the network has not taken yet. */
  readonly bufferedBytes: number;
  /** Sends whole samples of all channels, which it copies. Only while open; dropped silently once the socket is closing. */
  sendAudio(bytes: Buffer): void;
  /** Says that no more audio comes; the service answers with what is left and closes. */
  stop(): void;
  /**
   * `end`: the session is over. `drop`: only this socket is; the session may be resumed. The listener hears of nothing from
   * here on. Safe to call twice.
   */
  close(how: 'end' | 'drop'): void;
}

export interface SpeechSocketListener {
  opened(): void;
  /** The service has buffered audio. */
  acknowledged(range: AcknowledgedRange): void;
  heard(event: SpeechEvent): void;
  /** Once, also when the socket never opened; not when it was closed from here. */
  closed(end: SocketEnd): void;
}

/** As the service words it: offsets in bytes of session audio (or of the socket's: not every service says), time in ms. */
export interface AcknowledgedRange {
  readonly fromByte: number;
  readonly toByte: number;
  readonly fromMs?: number;
}

/** What to do after a socket ended. */
export type SocketDecision =
  /** The service has finished the session. */
  | 'done'
  /** Connect again on the same session. */
  | 'resume'
  /** The session is beyond help; a new one may do. */
  | 'new-session';

export interface SocketEnd {
  readonly decision: SocketDecision;
  /** Close code, or HTTP status of a refused upgrade, or 1006. */
  readonly code: number;
}

export interface SpokenWord {
  readonly text: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly confidence: number;
}

export interface SpokenUtterance {
  readonly channel: number;
  readonly text: string;
  readonly language: string;
  readonly confidence: number;
  readonly startMs: number;
  readonly endMs: number;
  readonly words: readonly SpokenWord[];
}

/** What a session hears. Times are milliseconds of session audio. */
export type SpeechEvent =
  | {
      readonly type: 'transcript';
      readonly isFinal: boolean;
      readonly utteranceId: string;
      readonly utterance: SpokenUtterance;
    }
  | { readonly type: 'add-on'; readonly addOn: SpokenAddOn }
  | { readonly type: 'summary'; readonly text: string }
  /** The service says how much audio it has; `source` is the field that said it. */
  | { readonly type: 'duration'; readonly durationMs: number; readonly source: DurationSource }
  /** Anything else that shows the service at work. */
  | { readonly type: 'alive' };

/** Fields that report a session's length, weakest first. */
export const DURATION_SOURCES = [
  'stop_recording.recording_duration',
  'end_recording.recording_duration',
  'metadata.audio_duration',
] as const;
export type DurationSource = (typeof DURATION_SOURCES)[number];

export interface SpokenAddOn {
  readonly kind: 'translation' | 'entities' | 'sentiment';
  readonly utteranceId: string;
  readonly utterance: SpokenUtterance;
  readonly value: Readonly<Record<string, string>> | readonly unknown[];
}

export interface SessionResult {
  readonly facts: SessionFacts;
  readonly utterances: readonly SpokenUtterance[];
  readonly summary?: string;
}

/** A request to the speech service that failed. `code` is from a bounded set and fit for a metric label. */
export class SpeechError extends Error {
  readonly code: string;
  readonly retryable: boolean;

  constructor(message: string, options: { code: string; retryable: boolean; cause?: unknown }) {
    super(message, { cause: options.cause });
    this.name = 'SpeechError';
    this.code = options.code;
    this.retryable = options.retryable;
  }
}
