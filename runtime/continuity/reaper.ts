import type { AdoptedLeg } from '../call/calls';
import type { LegSummary, TranscriptEvent } from '../model/transcript-event';
import type { Logger } from '../observability/logger';
import type { Metrics } from '../observability/metrics';
import type { CallReader } from '../store/call-reader';
import type { LeaseStore, UnreconciledSession } from '../store/lease-store';
import { endedLegs } from '../store/ended-legs';
import { NOBODY, type LegRecord } from '../store/live-leg';
import { forgetOldest } from '../model/forget-oldest';
import { AtMost } from './at-most';
import type { LateReconciliation } from './late-reconciliation';
import { LeaseFailures } from './lease-failures';
import type { LostStream } from './reattachment';
import { closeBooks } from './orphan-books';
import { pause } from './pause';
import { recoverSessions, type RecoverSession } from './recover-sessions';

export interface ReaperOptions {
  readonly store: Pick<LeaseStore, 'deadTasks' | 'expiredLegs' | 'claimLeg' | 'unreconciledSessions'>;
  readonly reader: Pick<CallReader, 'readCall'>;
  readonly taskId: string;
  readonly recoverSession: RecoverSession;
  readonly reattach: (lost: LostStream) => void;
  /** For legs that are over and have sessions without a result. Without it nobody looks at those. */
  readonly late?: Pick<LateReconciliation, 'isDue' | 'reconcile'>;
  readonly tell: (event: TranscriptEvent) => void;
  /** The leg's books are closed: its call is this task's to end. */
  readonly adopt: (leg: AdoptedLeg, summary: LegSummary) => void;
  /** Between looks for dead tasks, with jitter, so that tasks do not look all at once. */
  readonly lookEveryMs: number;
  /** Every so many looks at all legs: a task that gave its lease back may have left some. */
  readonly thoroughEvery: number;
  readonly retryMs: number;
  readonly leaseMs: number;
  readonly signal: AbortSignal;
  readonly now: () => number;
  readonly wallNow: () => number;
  readonly random: () => number;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** Sessions are ended and asked about for minutes: so many legs of a dead task at once. */
const MOST_AT_ONCE = 20;
const MOST_LATE_AT_ONCE = 10;

const LOOKS_AT_A_DEAD_TASK = 40;
const REMEMBERED_TASKS = 1_000;

/**
 * Looks for legs whose task is dead. One task claims each; it gives the call a new stream, ends the speech session,
 * which would hold one of the account's places, and writes down what became of the leg's audio.
 */
export class Reaper {
  readonly #options: ReaperOptions;
  readonly #atMost = new AtMost(MOST_AT_ONCE);
  readonly #underWay = new Set<string>();
  readonly #looksAt = new Map<string, number>();
  #lateUnderWay = 0;
  #looks = 0;
  readonly #failures: LeaseFailures;

  constructor(options: ReaperOptions) {
    this.#options = options;
    this.#failures = new LeaseFailures({ ...options, message: 'Dead tasks could not be looked for' });
  }

  /** Looks until the signal aborts. Never rejects. */
  async run(): Promise<void> {
    const { lookEveryMs, random, signal } = this.#options;
    while (!signal.aborted) {
      await this.#look();
      await pause(lookEveryMs * (0.75 + random() / 2), signal).catch(() => undefined);
    }
  }

  async #look(): Promise<void> {
    const { store, thoroughEvery } = this.#options;
    try {
      const dead = (await store.deadTasks()).filter((taskId) => this.#isNews(taskId));
      const isThorough = this.#looks++ % thoroughEvery === 0;
      if (dead.length > 0 || isThorough) {
        const legs = this.#chosenOf(await store.expiredLegs());
        await Promise.all(legs.map((leg) => this.#takeOver(leg)));
      }
      this.#failures.worked();
    } catch (error) {
      this.#failures.failed(error);
    }
  }

  /** A dead task's lease lies there for a day; all legs are looked at so often because of it. */
  #isNews(taskId: string): boolean {
    const looks = (this.#looksAt.get(taskId) ?? 0) + 1;
    this.#looksAt.set(taskId, looks);
    forgetOldest(this.#looksAt, REMEMBERED_TASKS);
    return looks <= LOOKS_AT_A_DEAD_TASK;
  }

  /** Legs of dead tasks, and few of those that are over, when it is time for them: the others cannot wait. */
  #chosenOf(legs: readonly LegRecord[]): readonly LegRecord[] {
    const { late } = this.#options;
    const isLate = ({ taskId }: LegRecord): boolean => taskId === NOBODY;
    const due = legs.filter((leg) => isLate(leg) && late?.isDue(leg) === true);
    const places = Math.max(0, MOST_LATE_AT_ONCE - this.#lateUnderWay);
    return [...legs.filter((leg) => !isLate(leg)), ...due.slice(0, places)];
  }

  async #takeOver(record: LegRecord): Promise<void> {
    const { store, taskId, metrics, logger, signal } = this.#options;
    const { callSid, streamSid } = record;
    if (signal.aborted || this.#underWay.has(streamSid) || !(await store.claimLeg(record, taskId))) return;
    const isLate = record.taskId === NOBODY;
    this.#underWay.add(streamSid);
    if (isLate) this.#lateUnderWay += 1;
    else {
      metrics.count('legsTakenOver');
      logger.warn(
        { callSid, streamSid, isStopping: record.isStopping },
        'A leg of a dead task was taken over',
      );
    }
    const done = this.#reattachIfLost(record).then(() => this.#atMost.run(() => this.#closeBooks(record)));
    void done
      .catch((error: unknown) => {
        if (!signal.aborted)
          logger.error({ err: error, callSid, streamSid }, 'The books of a dead leg could not be closed');
      })
      .finally(() => {
        this.#underWay.delete(streamSid);
        if (isLate) this.#lateUnderWay -= 1;
      });
  }

  /** A leg that has its end in the table needs nobody, unless it says so; one that cannot be read may need a stream. */
  async #reattachIfLost(record: LegRecord): Promise<void> {
    const { reader, reattach } = this.#options;
    if (record.isStopping) return;
    const call = await reader.readCall(record.callSid).catch(() => undefined);
    const isOver = call?.call.legs[record.streamSid]?.endedAt !== undefined;
    if (!isOver || record.needsStream === true) reattach(lostStreamOf(record));
  }

  /** Until it is done, or this task ends: then nothing more is told, and another one finds the leg. */
  async #closeBooks(record: LegRecord): Promise<void> {
    const { reader, store, recoverSession, retryMs, signal, late, tell, adopt, wallNow, logger, metrics } =
      this.#options;
    const { callSid, streamSid, accountSid } = record;
    for (;;) {
      try {
        const call = await reader.readCall(callSid);
        const ended = endedLegs(call?.call.legs)[streamSid];
        const isCallEnded = call?.call.endedAt !== undefined;
        const unreconciled = await store.unreconciledSessions(callSid);
        if (this.#isLeaving()) return;
        // Its last word is written after all the others.
        if (call !== undefined && ended !== undefined) {
          const left = unreconciled.filter((each) => each.streamSid === streamSid);
          if (left.length > 0 && late !== undefined) return await late.reconcile(record, call, left);
          const of = call.call.accountSid ?? accountSid;
          return adopt({ callSid, streamSid, accountSid: of, isCallEnded }, ended);
        }
        // Nothing but its name is known, and its end could never be written.
        if (record.startedAt === '') return;
        const sessions = await recoverSessions(sessionsOf(record, unreconciled), recoverSession, signal);
        if (sessions === undefined) return;
        // Its task may live after all, and have told more while the sessions were asked: that has other keys.
        const { segments = [] } = (await reader.readCall(callSid)) ?? {};
        if (this.#isLeaving()) return;
        const events = closeBooks({ record, sessions, segments, nowMs: wallNow() });
        events.forEach(tell);
        const last = events.at(-1);
        if (last?.type !== 'leg-ended') return;
        const tracks = Object.values(last.summary.ledger.tracks);
        const lostMs = tracks.reduce((sum, track) => sum + (track.lostMs['task-died'] ?? 0), 0);
        if (lostMs > 0) metrics.count('audioLost', lostMs, 'task-died');
        adopt({ callSid, streamSid, accountSid, isCallEnded }, last.summary);
        return;
      } catch (error) {
        logger.warn({ err: error, callSid, streamSid }, 'A dead leg could not be read');
        await pause(retryMs, signal);
      }
    }
  }

  #isLeaving(): boolean {
    return this.#options.signal.aborted;
  }
}

/** The one the leg had last may not have reached its own item. */
function sessionsOf(
  { streamSid, session }: LegRecord,
  stored: readonly UnreconciledSession[],
): readonly UnreconciledSession[] {
  const own = stored.filter((each) => each.streamSid === streamSid);
  const isThere = own.some(({ sessionId }) => sessionId === session?.sessionId);
  const all = session === undefined || isThere ? own : [...own, { ...session, streamSid }];
  return all.toSorted((one, other) => one.sessionNumber - other.sessionNumber);
}

function lostStreamOf(record: LegRecord): LostStream {
  const { callSid, streamSid, accountSid, tracks, parameters, legOriginAt } = record;
  return {
    callSid,
    streamSid,
    accountSid,
    tracks,
    parameters,
    ...(legOriginAt === undefined ? {} : { firstAudioAt: legOriginAt }),
  };
}
