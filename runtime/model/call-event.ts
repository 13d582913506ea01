import type { Track } from './audio';

/** `<Parameter>`s and `start` message of one media stream (twilio-media-streams.md, 2.2). */
export interface LegStart {
  readonly type: 'started';
  readonly callSid: string;
  readonly streamSid: string;
  readonly accountSid: string;
  /** The stream's tracks in channel order. */
  readonly tracks: readonly Track[];
  readonly parameters: Readonly<Record<string, string>>;
}

/** One media frame. */
export interface LegAudio {
  readonly type: 'audio';
  readonly track: Track;
  /** Twilio's presentation time, milliseconds from the start of the stream, not zero-based (2.3). */
  readonly timestampMs: number;
  /** mu-law samples, any number of them. */
  readonly payload: Buffer;
}

/** Why a leg ended. */
export type LegEndReason =
  /** Twilio sent `stop`. */
  | 'stopped'
  /** The socket closed without `stop`: the call may well be alive. */
  | 'stream-lost'
  /** This process is shutting down. */
  | 'drained'
  /** Another process has taken the call over. */
  | 'handed-over'
  /** Another stream of the same call and tracks came, which nobody had announced: the newest wins. */
  | 'replaced'
  /** Not one frame for longer than the setting allows. */
  | 'idle'
  /** The call is longer than the setting allows. */
  | 'too-long'
  /** The process that had the leg is gone; somebody else wrote down what it left. */
  | 'task-died'
  /** The stream broke the protocol beyond ignoring. */
  | 'protocol-error';

export interface LegEnd {
  readonly type: 'ended';
  readonly reason: LegEndReason;
}

/** What one media stream does, in order: one `started`, any number of `audio`, one `ended`. */
export type CallEvent = LegStart | LegAudio | LegEnd;
