import type { BackOff } from './reconnect-policy';

export interface RolloverTiming {
  /** Of a session's age: its successor is made. Gladia ends every session after 3 h (gladia-live.md, 2.6). */
  readonly rolloverAfterMs: number;
  /** All sides are quiet for this long: a pause between two utterances. */
  readonly rolloverPauseMs: number;
  /** Waits this long for a pause once the successor is there; then one utterance is given to both sessions. */
  readonly rolloverWaitMs: number;
  /** Quiet audio of the pause that the successor gets, too: recognisers like to hear a beginning. */
  readonly rolloverOverlapMs: number;
}

export interface StallTiming {
  /** Without a transcript for this long, although somebody speaks, a session is taken for stalled. */
  readonly stallAfterMs: number;
  /** Of that, speech that must have been heard. */
  readonly stallSpeechMs: number;
  /** While new sessions stay mute, too, each is given twice the time of the one before, up to this. */
  readonly stallAtMostMs: number;
}

/** How long things take; every one an option, so that tests pass short ones. */
export interface RecognitionTiming extends StallTiming, RolloverTiming {
  /** Between attempts to get a session or a socket. */
  readonly backOff: BackOff;
  /** One request for a session or a result. */
  readonly requestTimeoutMs: number;
  /** A lost session is resumed for this long; then a new one is opened. */
  readonly resumeForMs: number;
  /** A socket open for this long, with an ack, ends the growth of the back-off. */
  readonly stableAfterMs: number;
  /** Longest wait for the ack of the first message after a resume. */
  readonly probeTimeoutMs: number;
  /** Audio sent and not acknowledged for this long, by a service that does acknowledge: the socket leads nowhere. */
  readonly ackTimeoutMs: number;
  /** After `stop`: without any message for this long the session is taken for finished. */
  readonly finishSilenceMs: number;
  /** A leg is over, but its audio could not be sent: tried for this long. */
  readonly finishForMs: number;
  /** Audio acknowledged later than this after its receipt is late. */
  readonly lateAfterMs: number;
  /** Audio without a final is kept this long for a new session. */
  readonly keepUnsettledMs: number;
  /** Between attempts once sessions end without having answered. */
  readonly deadSessionBackOff: BackOff;
  /** Between looks for the final result, and how long to look. */
  readonly resultBackOff: BackOff;
  readonly resultForMs: number;
}

export const RECOGNITION_TIMING: RecognitionTiming = {
  backOff: { baseMs: 250, capMs: 5_000 },
  requestTimeoutMs: 10_000,
  resumeForMs: 30_000,
  stableAfterMs: 5_000,
  probeTimeoutMs: 2_000,
  ackTimeoutMs: 10_000,
  finishSilenceMs: 15_000,
  finishForMs: 600_000,
  lateAfterMs: 5_000,
  keepUnsettledMs: 30_000,
  deadSessionBackOff: { baseMs: 1_000, capMs: 30_000 },
  resultBackOff: { baseMs: 500, capMs: 5_000 },
  resultForMs: 30_000,
  stallAfterMs: 20_000,
  stallSpeechMs: 6_000,
  stallAtMostMs: 600_000,
  rolloverAfterMs: 10_200_000,
  rolloverPauseMs: 500,
  rolloverWaitMs: 30_000,
  rolloverOverlapMs: 200,
};
