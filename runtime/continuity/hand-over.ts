import { randomBytes } from 'node:crypto';
import { HANDOVER_PARAMETER, TAKES_OVER_PARAMETER } from '../call/fencing';
import type { LiveLeg } from '../call/calls';
import type { LegStart } from '../model/call-event';
import type { LegId } from '../model/transcript-event';
import type { Logger } from '../observability/logger';
import type { Metrics } from '../observability/metrics';
import type { LeaseStore } from '../store/lease-store';
import { isCallNotInProgress, TwilioRestError } from '../twilio/twilio-rest';
import { closedWithin } from './closed-within';
import { pause } from './pause';
import type { LossSign } from './reattachment';
import type { StreamStarter } from './stream-starter';

export interface HandOverOptions {
  readonly store: Pick<LeaseStore, 'announceHandOver' | 'handOverProof' | 'withdrawHandOver'>;
  readonly starter: Pick<StreamStarter, 'start' | 'stop'>;
  /** Nobody shall make a new stream for the one that is closed. */
  readonly forgo: (leg: LegId) => Promise<void>;
  /** Makes a stream for a call that has none, again and again if need be. Never rejects. */
  readonly reattach: (start: LegStart, sign: LossSign) => Promise<void>;
  /** Between looks for the proof. */
  readonly proofPollMs: number;
  /** Without proof for so long after the stream was asked for, another attempt begins. */
  readonly proofWithinMs: number;
  /** Twilio has sent `stop` by then, or the socket is closed. */
  readonly stopWithinMs: number;
  /** Between attempts, with full jitter. */
  readonly backOffMs: number;
  readonly now: () => number;
  readonly wallNow: () => number;
  readonly random: () => number;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

interface Proof {
  readonly streamSid: string;
  /** Wall clock of this task: when the stream was asked for. */
  readonly askedAtMs: number;
}

/** A second stream is asked for, under a nonce. */
interface Attempt {
  readonly start: LegStart;
  readonly nonce: string;
  /** The first stream is heard, or was lost: one that was stopped on purpose stays stopped. */
  readonly isWanted: () => boolean;
  /** Wall clock. Absent while its turn has not come: every other call of the task may be before it. */
  askedAtMs?: number;
  /** By `now`. */
  proofUntilMs?: number;
  sid?: string;
  error?: unknown;
}

/** Nobody hears the call meanwhile: a stream that was stopped and does not close is not waited for any longer. */
const MOST_AFTER_STOP_MS = 500;

/**
 * Gives live calls to other tasks without losing a word: a second stream of the call is made, which the load balancer
 * gives to another task, and only when that one has proved that it hears the call is the first one stopped. What both
 * heard is marked. On any error the leg is kept, and tried again.
 */
export class HandOver {
  readonly #options: HandOverOptions;
  #isUnanswered = false;

  constructor(options: HandOverOptions) {
    this.#options = options;
  }

  /** Twilio gave no answer when it was asked for a stream last. */
  get isUnanswered(): boolean {
    return this.#isUnanswered;
  }

  /**
   * Resolves when the leg takes no more audio, or when `signal` aborts: it is kept then. Never rejects.
   * @param signal the time for hand-overs is up
   */
  async handOver(leg: LiveLeg, signal: AbortSignal): Promise<void> {
    const { start } = leg.session;
    if (start === undefined) return;
    const { forgo, reattach, logger, metrics, random, backOffMs } = this.#options;
    const log = logger.child({ callSid: start.callSid, streamSid: start.streamSid });
    let isTaken = false;
    try {
      // Should it be lost meanwhile, the stream under way is the one that goes on.
      await forgo(start);
      while (leg.session.state === 'streaming') {
        const proof = await this.#attempt(leg, start, signal);
        if (proof === 'refused') return await this.stopFirst(leg);
        isTaken = proof !== undefined;
        if (proof !== undefined) return await this.#release(leg, start, proof, log);
        metrics.count('handOversFailed');
        await pause(random() * backOffMs, signal);
      }
    } catch (error) {
      if (!signal.aborted) log.error({ err: error }, 'A call could not be handed over');
    } finally {
      // Its stream was forgone: however the attempts ended, nobody else gives the call another one.
      if (!isTaken && leg.session.isLost) await reattach(start, 'socket-lost');
    }
  }

  /**
   * The last resort: stops the leg's stream first, and makes the next one then. The call is not heard in between, which
   * is a gap in its ledger. Never rejects.
   */
  async stopFirst(leg: LiveLeg): Promise<void> {
    const { starter, reattach, stopWithinMs, logger, metrics } = this.#options;
    const { start } = leg.session;
    if (start === undefined || leg.session.state !== 'streaming') return;
    const { callSid, streamSid } = start;
    leg.session.handOver(Infinity);
    metrics.count('callsHandedOver');
    logger.warn({ callSid, streamSid }, 'A call is handed over with a gap');
    try {
      // It ends with its socket, too.
      if (!this.#isUnanswered) {
        await starter.stop(start, streamSid);
        await closedWithin(leg, Math.min(stopWithinMs, MOST_AFTER_STOP_MS));
      }
    } catch (error) {
      logger.warn({ err: error, callSid, streamSid }, 'The stream of a call could not be stopped');
    }
    leg.stream.close('handed-over');
    await reattach(start, 'stopped-first');
  }

  /**
   * @returns nothing when the new leg did not prove itself: its stream is stopped then. `refused`: the call takes no
   * second stream, because of other forks of its audio (twilio-media-streams.md, 1.6).
   */
  async #attempt(
    { session }: LiveLeg,
    start: LegStart,
    signal: AbortSignal,
  ): Promise<Proof | 'refused' | undefined> {
    const { store, starter, stopWithinMs, logger } = this.#options;
    const { callSid, streamSid } = start;
    const log = logger.child({ callSid, streamSid });
    const nonce = newNonce();
    try {
      await store.announceHandOver(callSid, nonce, streamSid);
    } catch (error) {
      log.warn({ err: error }, 'A hand-over could not be announced');
      return undefined;
    }
    const isWanted = (): boolean => !signal.aborted && (session.state === 'streaming' || session.isLost);
    const attempt: Attempt = { start, nonce, isWanted };
    void this.#ask(attempt);
    const proof = await this.#proof(attempt, signal);
    if (proof !== undefined) return proof;
    const { sid, error } = attempt;
    log.warn({ err: error }, 'An attempt to hand a call over failed');
    if (sid !== undefined) await starter.stop(start, sid).catch(() => undefined);
    if (isCallNotInProgress(error)) await pause(stopWithinMs, signal);
    return error instanceof TwilioRestError && error.code === 'refused' ? 'refused' : undefined;
  }

  async #ask(attempt: Attempt): Promise<void> {
    const { starter, now, wallNow, proofWithinMs } = this.#options;
    const { start, nonce, isWanted } = attempt;
    try {
      const sid = await starter.start({ ...start, parameters: withNonce(start, nonce) }, () => {
        if (!isWanted()) return false;
        attempt.askedAtMs = wallNow();
        attempt.proofUntilMs = now() + proofWithinMs;
        return true;
      });
      if (sid === undefined) return;
      attempt.sid = sid;
      this.#isUnanswered = false;
    } catch (error) {
      attempt.error = error;
      this.#isUnanswered = !isDefinite(error);
    }
  }

  /** Also while Twilio has not answered: a request whose answer is lost may have worked (5.5). */
  async #proof(attempt: Attempt, signal: AbortSignal): Promise<Proof | undefined> {
    const { store, now, proofPollMs } = this.#options;
    const { start, nonce, isWanted } = attempt;
    const look = async (): Promise<Proof | undefined> => {
      const { askedAtMs } = attempt;
      if (askedAtMs === undefined) return undefined;
      const proof = await store.handOverProof(start.callSid, nonce).catch(() => undefined);
      return proof && { streamSid: proof.streamSid, askedAtMs };
    };
    while (isWanted() && now() < (attempt.proofUntilMs ?? Infinity) && !isDefinite(attempt.error)) {
      const proof = await look();
      if (proof !== undefined) return proof;
      await pause(proofPollMs, signal).catch(() => undefined);
    }
    if (attempt.askedAtMs === undefined) return undefined;
    // A stream that comes later finds that nobody waits for it, and closes; one that came just now has the call.
    const isWithdrawn = await store.withdrawHandOver(start.callSid, nonce).catch(() => true);
    return isWithdrawn ? undefined : look();
  }

  async #release(leg: LiveLeg, start: LegStart, proof: Proof, log: Logger): Promise<void> {
    const { starter, forgo, stopWithinMs, metrics } = this.#options;
    // Its first audio may have come late, but was not said before.
    leg.session.handOver(proof.askedAtMs);
    metrics.count('callsHandedOver');
    log.info({ newStreamSid: proof.streamSid }, 'A call was handed over');
    try {
      await starter.stop(start, start.streamSid);
      await closedWithin(leg, stopWithinMs);
    } catch (error) {
      log.warn({ err: error }, 'The stream of a call that was handed over could not be stopped');
      await forgo(start);
    } finally {
      leg.stream.close('handed-over');
    }
  }
}

/** Twilio has said no; without an answer nobody knows. */
function isDefinite(error: unknown): boolean {
  return error !== undefined && !(error instanceof TwilioRestError && error.status === undefined);
}

function newNonce(): string {
  return randomBytes(8).toString('hex');
}

function withNonce({ parameters, streamSid }: LegStart, nonce: string): Readonly<Record<string, string>> {
  return { ...parameters, [HANDOVER_PARAMETER]: nonce, [TAKES_OVER_PARAMETER]: streamSid };
}
