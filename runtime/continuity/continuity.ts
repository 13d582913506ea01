import { randomBytes } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import type { AdoptedLeg, Calls, LiveLeg } from '../call/calls';
import { HANDOVER_PARAMETER, isAnnounced } from '../call/fencing';
import type { LimitReason } from '../call/leg-limits';
import type { Track } from '../model/audio';
import type { LegEndReason, LegStart } from '../model/call-event';
import type { LegId, LegSummary, TranscriptEvent } from '../model/transcript-event';
import type { Logger } from '../observability/logger';
import type { Metrics } from '../observability/metrics';
import type { RecoveredSession } from '../speech/orphaned-session';
import type { CallReader } from '../store/call-reader';
import type { LeaseStore, UnreconciledSession } from '../store/lease-store';
import type { TaskMail } from '../store/task-mail';
import type { StreamStatusEvent } from '../twilio/stream-status';
import { closedWithin } from './closed-within';
import { CONTINUITY_TIMING, type ContinuityTiming } from './continuity-timing';
import { Fence } from './fence';
import { handAllOver } from './hand-all-over';
import { HandOver } from './hand-over';
import { LeaseFailures } from './lease-failures';
import { LegRegister, type EndedLeg } from './leg-register';
import { LateReconciliation } from './late-reconciliation';
import { pause } from './pause';
import { Reaper } from './reaper';
import { hearing, Reattachment, type LossSign, type LostStream } from './reattachment';
import type { StreamStarter } from './stream-starter';

export interface ContinuityOptions {
  readonly leases: LeaseStore;
  readonly mail: TaskMail;
  readonly reader: Pick<CallReader, 'readCall'>;
  readonly calls: Calls;
  /** Absent where Twilio is not asked: then a lost stream stays lost, and is written down. */
  readonly starter: StreamStarter | undefined;
  readonly isCallOver: (callSid: string, accountSid: string) => Promise<boolean | 'no-answer' | undefined>;
  readonly recoverSession: (session: UnreconciledSession, signal: AbortSignal) => Promise<RecoveredSession>;
  readonly tell: (event: TranscriptEvent) => void;
  /** The tracks of a stream that nobody heard anything of: the setting `TRACKS`. */
  readonly tracks: readonly Track[];
  readonly isFlushed: (callSid: string) => boolean;
  readonly isReconciled: (leg: LegId) => boolean;
  readonly timing?: Partial<ContinuityTiming>;
  readonly now: () => number;
  readonly wallNow: () => number;
  readonly random: () => number;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/**
 * Keeps calls transcribed when something under them goes away: tells the other tasks what this one has, gives a call
 * that lost its stream a new one, hands live calls over before this task ends, and takes over from tasks that died.
 */
export class Continuity {
  readonly #options: ContinuityOptions;
  readonly #timing: ContinuityTiming;
  readonly #taskId = randomBytes(12).toString('hex');
  readonly #ending = new AbortController();
  /** Ends the look for dead tasks: one that ends itself takes nothing over. */
  readonly #leaving = new AbortController();
  readonly #register: LegRegister;
  readonly #fence: Fence;
  readonly #reattachment: Reattachment | undefined;
  readonly #handOver: HandOver | undefined;
  readonly #loops: Promise<unknown>;
  readonly #reattaching = new Set<Promise<void>>();
  /** First audio, wall clock, of legs that go on with a call and have not proved it, by streamSid. */
  readonly #unproven = new Map<string, number>();
  /** Lost streams whose calls have no other yet, by streamSid. */
  readonly #lost = new Set<string>();

  constructor(options: ContinuityOptions) {
    this.#options = options;
    const { leases, mail, calls, starter, isFlushed } = options;
    // Every call of the task may wait for them.
    setMaxListeners(Infinity, this.#ending.signal, this.#leaving.signal);
    const timing = (this.#timing = { ...CONTINUITY_TIMING, ...options.timing });
    const shared = {
      ...options,
      ...timing,
      taskId: this.#taskId,
      signal: this.#ending.signal,
      store: leases,
    };
    this.#register = new LegRegister({
      ...shared,
      checkpoints: () => calls.checkpoints(),
      isFlushed,
      needsStream: (streamSid) => this.#lost.has(streamSid),
      owesEnd: (callSid) => calls.owesEnd(callSid),
      onReplaced: (streamSid) => calls.replace(streamSid, options.wallNow()),
    });
    this.#fence = new Fence({
      ...shared,
      mail,
      saved: () => this.#register.saved(),
      forgo: async (leg) => this.#reattachment?.forgo(leg),
      replace: (streamSid, fromMs) => calls.replace(streamSid, fromMs),
    });
    if (starter !== undefined) {
      const reattachment = new Reattachment({ ...shared, starter });
      this.#reattachment = reattachment;
      this.#handOver = new HandOver({
        ...shared,
        starter,
        forgo: (leg) => reattachment.forgo(leg),
        reattach: (start, sign) => this.#settle(start, reattachment.reattachAfterAll(start, sign)),
      });
    }
    const books = {
      ...shared,
      signal: this.#leaving.signal,
      recoverSession: (session: UnreconciledSession) => options.recoverSession(session, this.#leaving.signal),
      adopt: (leg: AdoptedLeg & EndedLeg, summary: LegSummary) => {
        calls.adopt(leg, summary);
        this.#register.ended(leg);
      },
    };
    const reaper = new Reaper({
      ...books,
      reattach: (lost) => this.#reattach(lost, 'lease-expired'),
      late: new LateReconciliation(books),
    });
    this.#loops = Promise.all([reaper.run(), this.#readMail(mail)]);
  }

  /** A leg began: other tasks learn of it, and of its call there shall be no other leg. */
  legStarted(start: LegStart): void {
    this.#register.changed();
    if (!isAnnounced(start)) this.#fence.fence(start).catch((error: unknown) => this.#onFault(error, start));
  }

  /** It hears the call: the leg that waits for this proof may go. */
  firstAudio(start: LegStart, atMs: number): void {
    this.#register.changed();
    const nonce = start.parameters[HANDOVER_PARAMETER];
    if (nonce === undefined) return;
    this.#unproven.set(start.streamSid, atMs);
    this.#prove(start, nonce, atMs).catch((error: unknown) => this.#onFault(error, start));
  }

  /**
   * It takes no more audio.
   * @param firstAudioAt wall clock, ISO 8601
   */
  legFinishing(start: LegStart, reason: LegEndReason, firstAudioAt: string | undefined): void {
    const unprovenFromMs = this.#unproven.get(start.streamSid);
    this.#unproven.delete(start.streamSid);
    // The leg that it was to take the call over from has kept it.
    if (unprovenFromMs !== undefined) this.#options.calls.replace(start.streamSid, unprovenFromMs);
    if (reason === 'replaced') void this.#reattachment?.forgo(start);
    if (reason !== 'stream-lost' && reason !== 'protocol-error') return;
    this.#reattach({ ...start, ...(firstAudioAt === undefined ? {} : { firstAudioAt }) }, 'socket-lost');
  }

  /**
   * A leg costs more than it may. Twilio is asked to stop its stream, because one whose socket is closed looks lost to
   * whoever hears of it. Never rejects.
   */
  async endLeg(leg: LiveLeg, reason: LimitReason): Promise<void> {
    const { session, stream } = leg;
    const { starter, logger } = this.#options;
    const { start } = session;
    if (start === undefined) return;
    const { callSid, streamSid } = start;
    session.endAs(reason);
    logger.warn({ callSid, streamSid, reason }, 'A leg is ended: it costs more than it may');
    try {
      if (starter !== undefined) {
        await starter.stop(start, streamSid);
        await closedWithin(leg, this.#timing.stopWithinMs);
      }
    } catch (error) {
      logger.warn(
        { err: error, callSid, streamSid },
        'The stream of a leg that is ended could not be stopped',
      );
      await this.#reattachment?.forgo(start);
    }
    stream.close(reason);
  }

  /** @param start nothing when it never began */
  legEnded(start: LegStart | undefined): void {
    if (start !== undefined) this.#register.ended(start);
  }

  /** A stream was refused, or lost, says Twilio: possibly one of a task that is no more. */
  onStreamStatus(event: StreamStatusEvent): void {
    if (event.streamEvent !== 'stream-error' || this.#reattachment === undefined) return;
    this.#onStreamError(event).catch((error: unknown) => this.#onFault(error, event));
  }

  /** Whether another task has a live leg of the call. A store that does not tell counts as no. */
  async isHeardElsewhere(callSid: string): Promise<boolean> {
    try {
      const legs = await this.#options.leases.legsOfCall(callSid);
      return legs.some(({ taskId, isStopping }) => taskId !== this.#taskId && !isStopping);
    } catch {
      return false;
    }
  }

  /**
   * Gives every live call to other tasks, as far as that works within `timeoutMs`, and a fifth of it for last resorts.
   * May be called again, for calls that came since. Never rejects.
   */
  async handOver(timeoutMs: number): Promise<void> {
    this.#leaving.abort();
    if (this.#handOver === undefined) return;
    await handAllOver({
      handOver: this.#handOver,
      calls: this.#options.calls,
      reattaching: this.#reattaching,
      timeoutMs,
      pollMs: this.#timing.proofPollMs,
    });
  }

  /** Gives up the lease; what could not be written is left for another task. Safe to call twice. */
  async close(): Promise<void> {
    this.#leaving.abort();
    this.#ending.abort();
    await this.#loops;
    await this.#register.close();
  }

  #reattach(lost: LostStream, sign: LossSign): void {
    if (this.#reattachment === undefined) return;
    const settled = this.#settle(lost, this.#reattachment.reattach(lost, sign));
    const done = settled.finally(() => this.#reattaching.delete(done));
    this.#reattaching.add(done);
  }

  /** Until the call has a new stream, or needs none, the table says of the lost one that it does. */
  async #settle({ streamSid }: LegId, reattached: Promise<void>): Promise<void> {
    // A second sign of the same loss settles nothing.
    if (this.#lost.has(streamSid)) return reattached;
    this.#lost.add(streamSid);
    this.#register.changed();
    await reattached;
    // When this task ends first, another one makes the stream.
    if (this.#ending.signal.aborted) return;
    this.#lost.delete(streamSid);
    this.#register.changed();
  }

  /** While the store does not tell whose stream it was, this task must not act: its owner may, and knows more of it. */
  async #onStreamError(event: StreamStatusEvent): Promise<void> {
    const { now } = this.#options;
    const untilMs = now() + this.#timing.claimMs;
    for (;;) {
      try {
        return await this.#reattachAfter(event);
      } catch (error) {
        if (now() >= untilMs) throw error;
        await pause(this.#timing.renewRetryMs, this.#ending.signal);
      }
    }
  }

  async #reattachAfter({ callSid, streamSid, accountSid }: StreamStatusEvent): Promise<void> {
    const record = await this.#options.leases.findLeg(callSid, streamSid);
    if (record?.isStopping === true) return;
    if (record !== undefined) {
      const { tracks, parameters, legOriginAt } = record;
      const heard = legOriginAt === undefined ? {} : { firstAudioAt: legOriginAt };
      return this.#reattach({ ...record, tracks, parameters, ...heard }, 'stream-error');
    }
    const { tracks, calls, leases, reader } = this.#options;
    if (accountSid === undefined || calls.hasHad(streamSid)) return;
    // Its task ended it, because it cost too much, or made another one for it.
    const stored = await reader.readCall(callSid);
    if (stored?.call.legs[streamSid]?.endedAt !== undefined) return;
    // Nobody has had it: a task that was full or draining refused it. Unless the call has another leg: then it was a
    // second stream, whose maker tries again.
    const legs = await leases.legsOfCall(callSid);
    if (hearing(legs, { streamSid, tracks }).length > 0) return;
    // One that stops knows the call.
    const [{ parameters } = { parameters: {} }] = legs;
    this.#reattach({ callSid, streamSid, accountSid, tracks, parameters }, 'stream-error');
  }

  /** What other tasks tell this one. Until this task has ended. */
  async #readMail(mail: TaskMail): Promise<void> {
    const { signal } = this.#ending;
    const { calls } = this.#options;
    const failures = new LeaseFailures({
      ...this.#options,
      leaseMs: this.#timing.leaseMs,
      message: 'What other tasks tell this one cannot be read',
    });
    while (!signal.aborted) {
      try {
        await mail.takeReplaced(this.#taskId, ({ streamSid, from }) =>
          calls.replace(streamSid, Date.parse(from)),
        );
        failures.worked();
      } catch (error) {
        failures.failed(error);
      }
      await pause(this.#timing.readMailEveryMs, signal).catch(() => undefined);
    }
  }

  /** The leg that hands over waits for it: a store that fails for a moment must not cost the hand-over. */
  async #prove(start: LegStart, nonce: string, atMs: number): Promise<void> {
    const { leases, calls, now } = this.#options;
    const { callSid, streamSid } = start;
    const untilMs = now() + this.#timing.proofWithinMs;
    for (;;) {
      try {
        const isWanted = await leases.proveHandOver(callSid, nonce, streamSid, new Date(atMs).toISOString());
        if (isWanted) {
          this.#unproven.delete(streamSid);
          calls.replaceOthers(start);
          return await this.#fence.fence(start);
        }
        // Its maker has given it up, and made another one or kept the call.
        this.#unproven.delete(streamSid);
        await this.#reattachment?.forgo({ callSid, streamSid });
        return calls.replace(streamSid, atMs);
      } catch (error) {
        if (now() >= untilMs) throw error;
        await pause(this.#timing.proofPollMs, this.#ending.signal);
      }
    }
  }

  #onFault(error: unknown, { callSid, streamSid }: LegId): void {
    if (this.#ending.signal.aborted) return;
    this.#options.metrics.count('leaseFailures');
    this.#options.logger.warn(
      { err: error, callSid, streamSid },
      'What other tasks have of a call could not be read, or told',
    );
  }
}
