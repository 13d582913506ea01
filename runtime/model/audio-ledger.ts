import type { Track } from './audio';

/** Why audio is in no transcript. */
export type LossCause =
  /** The backlog was full and its oldest audio went. */
  | 'backlog-overflow'
  /** The speech service took it, but the session ended without accounting for it. */
  | 'session-ended'
  /** The speech service refused the call. */
  | 'transcription-failed'
  /** The relay shut down before it could be sent. */
  | 'relay-stopped'
  /** The process that had the leg died, and what it had not handed on went with it. */
  | 'task-died';

/** Why no leg of a call took its audio for a while: Twilio keeps none (design 3). */
export type NoStreamCause =
  /** The stream's socket, or the process behind it, was lost. */
  | 'stream-lost'
  /** Somebody stopped the stream and another one began later, as in a PCI pause. */
  | 'stream-stopped'
  | 'task-died';

/**
 * Where every millisecond of one track went.
 * `receivedMs = framesMs + filledMs = acceptedMs + lateMs + unconfirmedMs + sum(lostMs)`.
 */
export interface TrackLedger {
  readonly receivedMs: number;
  /** Of that: sent by Twilio. */
  readonly framesMs: number;
  /** Of that: silence where Twilio sent nothing. */
  readonly filledMs: number;
  /** Acknowledged by a session that ended well and reported this much audio. */
  readonly acceptedMs: number;
  /** Accepted, but more than 5 s after it was received. */
  readonly lateMs: number;
  /** Sent, and the session did not say in the end that it has it. */
  readonly unconfirmedMs: number;
  readonly lostMs: Readonly<Partial<Record<LossCause, number>>>;
}

export interface AudioLedger {
  readonly tracks: Readonly<Partial<Record<Track, TrackLedger>>>;
}
