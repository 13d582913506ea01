import type { Track } from '../../runtime/model/audio';
import type { StoredCall } from '../../runtime/store/stored-call';
import type { AudioAccount } from '../fleet/audio-account';
import type { AudioRange } from '../twilio/sent-audio';
import type { Speech } from './spoken-audio';
import type { TimeRange } from './time-ranges';

/** One stream of a call, as Twilio sees it. */
export interface StreamFacts {
  readonly streamSid: string;
  /** Where in the call's audio it begins. */
  readonly startMs: number;
  readonly sent: Readonly<Partial<Record<Track, readonly AudioRange[]>>>;
  /** It ended with a `stop`: everything that was sent has been read. */
  readonly isOrderly: boolean;
}

/** A final that Gladia has made, delivered or not. */
export interface FinalFacts {
  readonly sessionId: string;
  readonly streamSid: string;
  readonly channel: number;
  readonly inSession: TimeRange;
  /** Where in the call's audio that was said, found by the audio itself. */
  readonly inCall: TimeRange;
}

/** All that is known of a call when it is over: from Twilio's side, from Gladia's, and from the table. */
export interface CallFacts {
  readonly callSid: string;
  /** Where the call's audio ended. */
  readonly endMs: number;
  readonly streams: readonly StreamFacts[];
  readonly speech: Readonly<Partial<Record<Track, readonly Speech[]>>>;
  /** Counted from outside. */
  readonly counted: Readonly<Partial<Record<Track, AudioAccount>>>;
  readonly finals: readonly FinalFacts[];
  readonly stored: StoredCall;
}
