import { HANDOVER_PARAMETER, TAKES_OVER_PARAMETER } from '../call/fencing';
import type { LegId } from '../model/transcript-event';
import type { Logger } from '../observability/logger';
import type { Metrics } from '../observability/metrics';
import type { LeaseStore } from '../store/lease-store';
import type { LegRecord } from '../store/live-leg';
import { isCallNotInProgress, TwilioRestError } from '../twilio/twilio-rest';
import { ATTEMPT_PARAMETER, attemptOf, MOST_ATTEMPTS } from '../call/attempts';
import { forgetOldest } from '../model/forget-oldest';
import { pause } from './pause';
import type { StreamOfCall, StreamStarter } from './stream-starter';

/** A stream that is gone while its call may go on. */
export interface LostStream extends StreamOfCall {
  readonly streamSid: string;
  /** Wall clock, ISO 8601. Absent where only the leg's record may tell it. */
  readonly startedAt?: string;
  /** Wall clock, ISO 8601: when its first audio came, if any did. */
  readonly firstAudioAt?: string;
}

export type LossSign =
  /** Its socket closed without `stop`. */
  | 'socket-lost'
  /** Twilio told of an error, such as a refused handshake. */
  | 'stream-error'
  /** Its task does not renew its lease. */
  | 'lease-expired'
  /** It was made for a lost one and never came. */
  | 'never-started'
  /** Its task had to stop it before another task could begin. */
  | 'stopped-first';

export interface ReattachmentOptions {
  readonly store: Pick<LeaseStore, 'claimStream' | 'findLeg' | 'legsOfCall' | 'handOverProof'>;
  readonly starter: Pick<StreamStarter, 'start'>;
  readonly isCallOver: (callSid: string, accountSid: string) => Promise<boolean | 'no-answer' | undefined>;
  readonly taskId: string;
  /** Nobody else tries for a lost stream meanwhile. */
  readonly claimMs: number;
  /** Between attempts, doubling, with full jitter. */
  readonly firstBackOffMs: number;
  readonly maxBackOffMs: number;
  /** Longest time in which one stream is asked for again and again. */
  readonly giveUpAfterMs: number;
  /** A new stream has sent its first message by then, or never will; looked at so often. */
  readonly startWithinMs: number;
  readonly startPollMs: number;
  /** A stream that was good for so long starts the count of attempts anew. */
  readonly goodAfterMs: number;
  readonly signal: AbortSignal;
  readonly now: () => number;
  readonly wallNow: () => number;
  readonly random: () => number;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

const REMEMBERED_STREAMS = 10_000;
/** A store that is away takes longer to say so. */
const AT_ONCE_MS = 500;

/**
 * Gives a call that lost its stream a new one (twilio-media-streams.md, 5.5: nothing forbids it). Every task may see the
 * same loss: a claim by the lost stream's sid lets one of them act. Never rejects.
 */
export class Reattachment {
  readonly #options: ReattachmentOptions;
  /** Lost streams that this task has acted on: it may see each loss in several ways. */
  readonly #seen = new Set<string>();

  constructor(options: ReattachmentOptions) {
    this.#options = options;
  }

  async reattach(lost: LostStream, sign: LossSign): Promise<void> {
    const { wallNow, logger, metrics, signal } = this.#options;
    if (!this.#isNews(lost.streamSid)) return;
    const log = logger.child({ callSid: lost.callSid, streamSid: lost.streamSid, sign });
    const attempt = this.#attemptAfter(lost);
    if (attempt > MOST_ATTEMPTS) {
      metrics.count('reattachmentsFailed', 1, 'attempts');
      return log.error({ attempts: MOST_ATTEMPTS }, 'A call lost one stream after another: given up');
    }
    try {
      const startedAt = new Date(wallNow()).toISOString();
      const newSid = await this.#start(lost, attempt, log);
      if (newSid === undefined) return;
      metrics.count('streamsReattached', 1, sign);
      log.info({ newStreamSid: newSid, attempt }, 'A call that lost its stream has a new one');
      if (await this.#hasStarted(lost.callSid, newSid)) return;
      const next = { ...lost, streamSid: newSid, startedAt, parameters: parametersAfter(lost, attempt) };
      await this.reattach(withoutAudio(next), 'never-started');
    } catch (error) {
      if (signal.aborted) return;
      metrics.count('reattachmentsFailed', 1, error instanceof TwilioRestError ? error.code : 'unexpected');
      return log.error({ err: error }, 'A call that lost its stream got no new one');
    }
  }

  /** This stream goes on purpose, though Twilio may call it an error: nobody shall make a new one for it. */
  async forgo({ callSid, streamSid }: LegId): Promise<void> {
    this.#isNews(streamSid);
    try {
      await this.#tryClaim({ callSid, streamSid });
    } catch (error) {
      const { logger } = this.#options;
      logger.warn({ err: error, callSid, streamSid }, 'The claim on a stream could not be stored');
    }
  }

  /** As `reattach`, for a stream that was forgone and is needed now. */
  reattachAfterAll(lost: LostStream, sign: LossSign): Promise<void> {
    this.#seen.delete(lost.streamSid);
    return this.reattach(lost, sign);
  }

  #isNews(streamSid: string): boolean {
    if (this.#seen.has(streamSid)) return false;
    this.#seen.add(streamSid);
    forgetOldest(this.#seen, REMEMBERED_STREAMS);
    return true;
  }

  #attemptAfter({ parameters, firstAudioAt }: LostStream): number {
    const { wallNow, goodAfterMs } = this.#options;
    const wasGood = firstAudioAt !== undefined && wallNow() - Date.parse(firstAudioAt) >= goodAfterMs;
    return (wasGood ? 0 : attemptOf(parameters)) + 1;
  }

  /** A store that does not answer must not cost the call: two streams are one too many, and fencing ends the older. */
  async #claim(lost: LostStream, log: Logger): Promise<boolean> {
    try {
      return await this.#tryClaim(lost);
    } catch (error) {
      log.warn({ err: error }, 'The claim on a lost stream could not be stored');
      return true;
    }
  }

  /** What fails at once was a connection that nobody used for a while, and says nothing of the store: once more. */
  async #tryClaim({ callSid, streamSid }: LegId): Promise<boolean> {
    const { store, taskId, claimMs, now } = this.#options;
    const beganAtMs = now();
    try {
      return await store.claimStream(callSid, streamSid, taskId, claimMs);
    } catch (error) {
      if (now() - beganAtMs >= AT_ONCE_MS) throw error;
      return store.claimStream(callSid, streamSid, taskId, claimMs);
    }
  }

  /**
   * Whoever has the claim may die of it; when it has run out, another leg hears the call, or it is our turn. One's own
   * may run out in a long queue of requests, and while Twilio refuses: so it is renewed for each of them.
   * @returns the new stream's sid; nothing when the call is over, or heard by another leg
   */
  async #start(lost: LostStream, attempt: number, log: Logger): Promise<string | undefined> {
    const { starter, now, claimMs, giveUpAfterMs, signal } = this.#options;
    const stream = { ...lost, parameters: parametersAfter(lost, attempt) };
    let giveUpAtMs: number | undefined;
    // The first new stream at once; after one that failed as well there is time to breathe.
    let tries = attempt - 1;
    if (tries > 0) await pause(this.#backOffMs(tries), signal);
    for (;;) {
      signal.throwIfAborted();
      const claimUntilMs = now() + claimMs;
      const isClaimed = await this.#claim(lost, log);
      if (await this.#isHeard(lost)) return undefined;
      if (!isClaimed) {
        await pause(claimMs, signal);
        continue;
      }
      giveUpAtMs ??= now() + giveUpAfterMs;
      try {
        const newSid = await starter.start(stream, () => !signal.aborted && now() < claimUntilMs);
        if (newSid !== undefined) return newSid;
      } catch (error) {
        if (isCallNotInProgress(error) && (await this.#isOver(stream))) {
          log.info('The call of a lost stream is over');
          return undefined;
        }
        if (!mayWorkLater(error) || now() >= giveUpAtMs) throw error;
        await pause(this.#backOffMs((tries += 1)), signal);
      }
    }
  }

  /**
   * One that takes a call over may yet find that nobody waits for it. A store that does not tell must not cost the call.
   */
  async #isHeard(lost: LostStream): Promise<boolean> {
    const { store } = this.#options;
    try {
      const legs = await store.legsOfCall(lost.callSid);
      const own = legs.find(({ streamSid }) => streamSid === lost.streamSid);
      const startedAt = lost.startedAt ?? own?.startedAt ?? lost.firstAudioAt;
      for (const { callSid, streamSid, parameters } of hearing(legs, { ...lost, startedAt })) {
        const nonce = parameters[HANDOVER_PARAMETER];
        if (nonce === undefined) return true;
        if ((await store.handOverProof(callSid, nonce))?.streamSid === streamSid) return true;
      }
    } catch {
      return false;
    }
    return false;
  }

  #backOffMs(tries: number): number {
    const { firstBackOffMs, maxBackOffMs, random } = this.#options;
    return random() * Math.min(maxBackOffMs, firstBackOffMs * 2 ** (tries - 1));
  }

  async #isOver({ callSid, accountSid }: StreamOfCall): Promise<boolean> {
    const isOver = await this.#options.isCallOver(callSid, accountSid);
    return isOver === true || isOver === undefined;
  }

  /** That Twilio made a stream does not mean that its handshake worked (5.1); it may say so, and may not. */
  async #hasStarted(callSid: string, streamSid: string): Promise<boolean> {
    const { store, startWithinMs, startPollMs, now, signal } = this.#options;
    const untilMs = now() + startWithinMs;
    let isTold = true;
    while (now() < untilMs) {
      await pause(startPollMs, signal);
      try {
        if ((await store.findLeg(callSid, streamSid)) !== undefined) return true;
        isTold = true;
      } catch {
        isTold = false;
      }
    }
    // A store that does not tell is no reason for a third stream.
    return !isTold;
  }
}

/**
 * Legs that hear the call in place of the lost one. One that stops hears nothing. One that began before may be lost, too,
 * and have its books closed only now.
 */
export function hearing(
  legs: readonly LegRecord[],
  lost: Pick<LostStream, 'streamSid' | 'tracks'> & { readonly startedAt?: string | undefined },
): readonly LegRecord[] {
  return legs.filter(
    ({ streamSid, startedAt, tracks, isStopping }) =>
      streamSid !== lost.streamSid &&
      !isStopping &&
      startedAt > (lost.startedAt ?? '') &&
      tracks.some((track) => lost.tracks.includes(track)),
  );
}

/** The track of a dead stream may be taken for a while yet, which is a refusal (5.5: UNKNOWN). */
function mayWorkLater(error: unknown): boolean {
  return (
    error instanceof TwilioRestError &&
    (error.retryable || error.code === 'refused' || error.code === 'not-found')
  );
}

function withoutAudio({ firstAudioAt: _heard, ...lost }: LostStream): LostStream {
  return lost;
}

function parametersAfter({ parameters }: LostStream, attempt: number): Readonly<Record<string, string>> {
  const { [HANDOVER_PARAMETER]: _nonce, [TAKES_OVER_PARAMETER]: _old, ...kept } = parameters;
  return { ...kept, [ATTEMPT_PARAMETER]: String(attempt) };
}
