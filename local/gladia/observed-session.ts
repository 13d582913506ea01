import type { CutKind, OddMessage } from './faults';
import type { TranscriptData } from './live-messages';
import type { JobStatus, SessionEndReason, SessionState } from './session-state';

/** What a test can see of a session, and do to it. */
export interface ObservedSession {
  readonly id: string;
  /** In order of creation, from 0. */
  readonly number: number;
  /** The body of its POST, as sent. */
  readonly body: Readonly<Record<string, unknown>>;
  readonly customMetadata: Readonly<Record<string, unknown>>;
  readonly channels: number;
  readonly createdAt: Date;
  readonly state: SessionState;
  readonly endReason: SessionEndReason | undefined;
  readonly jobStatus: JobStatus;
  readonly connected: boolean;
  readonly connections: number;
  /** Connections after the first. */
  readonly resumes: number;
  /** Close code of each connection that is over; 1006 where it was cut. */
  readonly closeCodes: readonly number[];
  /** Every byte that came before the stop, also what was forgotten at a drop. */
  readonly receivedBytes: number;
  /** Bytes that are the session's audio. */
  readonly acceptedBytes: number;
  readonly acceptedSha256: string;
  /** The session's audio; undefined when the server keeps the digest only. */
  accepted(): Buffer | undefined;
  /** Acks sent, and the end of the last one's range over the session. */
  readonly acks: number;
  readonly ackedBytes: number;
  readonly stopReceived: boolean;
  /** Stops that the `loseStop` fault has swallowed. */
  readonly lostStops: number;
  /** Audio frames that came after the stop. */
  readonly lateFrames: number;
  readonly finals: readonly TranscriptData[];
  /** As in `result.messages`. */
  readonly messages: readonly string[];
  /** Cuts the socket now, if there is one. */
  cut(how: CutKind): void;
  /** Sends an odd message now, if there is a socket. */
  inject(message: OddMessage): void;
}
