import type { LegCheckpoint } from '../call/call-session';
import type { LegId } from '../model/transcript-event';
import type { Logger } from '../observability/logger';
import type { Metrics } from '../observability/metrics';
import type { LeaseStore } from '../store/lease-store';
import { NOBODY, type LegRecord } from '../store/live-leg';
import { attemptOf } from '../call/attempts';
import { forgetOldest } from '../model/forget-oldest';
import { AtMost } from './at-most';
import { LeaseFailures } from './lease-failures';

export interface LegRegisterOptions {
  readonly store: Pick<LeaseStore, 'renew' | 'release' | 'saveLegs' | 'deleteLegs' | 'keepLeg' | 'findLeg'>;
  readonly taskId: string;
  /** The legs of this process, as they stand. */
  readonly checkpoints: () => readonly LegCheckpoint[];
  /** Everything that this process wrote of the call so far is in the table. */
  readonly isFlushed: (callSid: string) => boolean;
  /** Every session of the leg, which is over, was compared with its final result. */
  readonly isReconciled?: (leg: LegId) => boolean;
  /** The leg's call lost its stream, and has no other yet: should this task die, somebody must make one. */
  readonly needsStream?: (streamSid: string) => boolean;
  /** The call's end is this task's to tell, and not told yet: should this task die, somebody must. */
  readonly owesEnd?: (callSid: string) => boolean;
  /** Another task has gone on with a leg of this one. */
  readonly onReplaced: (streamSid: string) => void;
  /** From the start of one renewal to the next; after one that failed, from its end. */
  readonly renewEveryMs: number;
  readonly renewRetryMs: number;
  readonly leaseMs: number;
  /** A new leg is written down this soon: the others that come with it share the request. */
  readonly saveSoonMs: number;
  readonly now: () => number;
  readonly wallNow: () => number;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** A leg that is over. */
export interface EndedLeg extends LegId {
  /** Its sessions were reconciled so often since. */
  readonly tries?: number;
}

/** Each is a request of its own. */
const MOST_KEPT_AT_ONCE = 10;
const REMEMBERED_LEGS = 10_000;

/**
 * Tells the other tasks which legs this one has, and that it lives: one heartbeat for the task, and for each leg what
 * somebody needs to go on with it. Whoever finds the heartbeat missing takes the legs over.
 */
export class LegRegister {
  readonly #options: LegRegisterOptions;
  /** Ended, and not yet taken off: their last words may still wait for the table. */
  readonly #ended = new Map<string, EndedLeg>();
  /** Known to be in the table, by streamSid. */
  readonly #saved = new Map<string, LegRecord>();
  /** Another task may have taken them while the lease had run out, by streamSid. */
  readonly #doubted = new Map<string, LegId>();
  /** Another task has taken them: what the table has of them is that one's to write. */
  readonly #taken = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  #round: Promise<void> = Promise.resolve();
  #renewedAtMs: number | undefined;
  #isSaveDue = false;
  #isBeating = false;
  #isClosed = false;
  readonly #failures: LeaseFailures;
  readonly #onSaved: (() => void)[] = [];

  constructor(options: LegRegisterOptions) {
    this.#options = options;
    this.#failures = new LeaseFailures({ ...options, message: 'The lease could not be renewed' });
    this.#later(0);
  }

  /** Resolves when the legs that there are now are in the table. */
  saved(): Promise<void> {
    this.changed();
    return new Promise((resolve) => this.#onSaved.push(resolve));
  }

  /** A leg began, or has something new that another task would need. */
  changed(): void {
    if (this.#isSaveDue || this.#isClosed) return;
    this.#isSaveDue = true;
    if (!this.#isBeating) this.#later(this.#options.saveSoonMs);
  }

  ended({ callSid, streamSid, tries = 0 }: EndedLeg): void {
    if (!this.#taken.has(streamSid)) this.#ended.set(streamSid, { callSid, streamSid, tries });
  }

  /**
   * Gives the lease up. Legs whose words may not all be in the table are left, for another task to complete.
   * Safe to call twice.
   */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearTimeout(this.#timer);
    await this.#round;
    await this.#try(async () => {
      this.#doubtLegs();
      await this.#keepLegs();
      await this.#deleteEnded();
      await this.#options.store.release(this.#options.taskId);
    });
  }

  #later(waitMs: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#round = this.#beat();
    }, waitMs);
  }

  async #beat(): Promise<void> {
    const { store, taskId, leaseMs, now } = this.#options;
    const beganAtMs = now();
    this.#isSaveDue = false;
    this.#isBeating = true;
    await this.#try(async () => {
      const askedAtMs = now();
      await store.renew(taskId, leaseMs);
      this.#doubtLegs();
      this.#renewedAtMs = askedAtMs;
      await this.#keepLegs();
      await this.#save();
      await this.#deleteEnded();
    });
    this.#isBeating = false;
    if (!this.#isClosed) this.#later(this.#nextInMs(beganAtMs));
  }

  /** One renewal that is lost, by a time-out, must leave time for others before the lease has run out. */
  #nextInMs(beganAtMs: number): number {
    const { now, renewEveryMs, renewRetryMs, saveSoonMs } = this.#options;
    if (this.#failures.isFailing) return renewRetryMs;
    return this.#mustSaveSoon() ? saveSoonMs : Math.max(0, beganAtMs + renewEveryMs - now());
  }

  /** The store was away from this task alone, and others may have gone on with its legs. */
  #doubtLegs(): void {
    const { now, leaseMs, checkpoints } = this.#options;
    if (this.#renewedAtMs === undefined || now() - this.#renewedAtMs < leaseMs) return;
    const legs: LegId[] = [...checkpoints().map(({ start }) => start), ...this.#ended.values()];
    for (const { callSid, streamSid } of legs) this.#doubted.set(streamSid, { callSid, streamSid });
  }

  /** Two legs of one call are one too many. With the lease renewed, and before anything is written over a claim. */
  async #keepLegs(): Promise<void> {
    const atMost = new AtMost(MOST_KEPT_AT_ONCE);
    const legs = [...this.#doubted.values()].filter(({ streamSid }) => !this.#taken.has(streamSid));
    await Promise.all(legs.map((leg) => atMost.run(() => this.#keep(leg))));
  }

  async #keep(leg: LegId): Promise<void> {
    const { store, taskId, onReplaced } = this.#options;
    const { callSid, streamSid } = leg;
    const isOwn =
      (await store.keepLeg(leg, taskId)) ||
      // Whoever took it may be through with it; but one that has never been in the table was nobody's to take.
      (!this.#saved.has(streamSid) && (await store.findLeg(callSid, streamSid)) === undefined);
    this.#doubted.delete(streamSid);
    if (isOwn) return;
    this.#ended.delete(streamSid);
    this.#saved.delete(streamSid);
    this.#taken.add(streamSid);
    forgetOldest(this.#taken, REMEMBERED_LEGS);
    onReplaced(streamSid);
  }

  /** A leg may have come while the beat was under way. */
  #mustSaveSoon(): boolean {
    return this.#isSaveDue;
  }

  async #save(): Promise<void> {
    const { store, checkpoints } = this.#options;
    const own = checkpoints().filter(({ start }) => !this.#taken.has(start.streamSid));
    const records = own.map((checkpoint) => this.#recordOf(checkpoint));
    const { length } = this.#onSaved;
    const notTaken = records.length === 0 ? [] : await store.saveLegs(records);
    for (const record of records) if (!notTaken.includes(record)) this.#saved.set(record.streamSid, record);
    // A table that is short of breath takes the rest with the next beat, unless it is new.
    if (notTaken.length > 0) return this.changed();
    for (const resolve of this.#onSaved.splice(0, length)) resolve();
  }

  async #deleteEnded(): Promise<void> {
    const { store, isFlushed, isReconciled = () => true, wallNow } = this.#options;
    const over = [...this.#ended.values()].filter(
      ({ callSid, streamSid }) => isFlushed(callSid) && !this.#needsStream(streamSid),
    );
    const owing = over.filter((leg) => isReconciled(leg) && this.#owesEnd(leg));
    await this.#leaveForEnd(owing);
    const legs = over.filter((leg) => !owing.includes(leg));
    if (legs.length === 0) return;
    const unreconciled = legs.filter((leg) => !isReconciled(leg)).map((leg) => nobodys(leg, wallNow()));
    // Not taken: the next beat tries all of them again.
    if (unreconciled.length > 0 && (await store.saveLegs(unreconciled)).length > 0) return;
    await store.deleteLegs(legs.filter(isReconciled));
    for (const { streamSid } of legs) {
      this.#ended.delete(streamSid);
      this.#saved.delete(streamSid);
    }
  }

  #owesEnd({ callSid, streamSid }: LegId): boolean {
    return this.#options.owesEnd?.(callSid) === true && this.#saved.has(streamSid);
  }

  /** They stay as legs that nobody needs to go on with. */
  async #leaveForEnd(legs: readonly LegId[]): Promise<void> {
    const known = legs.map(({ streamSid }) => this.#saved.get(streamSid));
    const records = known.flatMap((each) =>
      each?.isStopping === false ? [{ ...each, isStopping: true }] : [],
    );
    if (records.length === 0) return;
    const notTaken = await this.#options.store.saveLegs(records);
    for (const record of records) if (!notTaken.includes(record)) this.#saved.set(record.streamSid, record);
  }

  #recordOf(checkpoint: LegCheckpoint): LegRecord {
    const { start, startedAt, legOriginAt, originAt, leadMs, session, isStopped, ledger } = checkpoint;
    const { callSid, streamSid, accountSid, tracks, parameters } = start;
    const needsStream = this.#needsStream(streamSid);
    return {
      callSid,
      streamSid,
      accountSid,
      taskId: this.#options.taskId,
      tracks,
      parameters,
      startedAt,
      ...(legOriginAt === undefined ? {} : { legOriginAt }),
      ...(originAt === undefined ? {} : { originAt }),
      leadMs,
      ...(session === undefined ? {} : { session }),
      attempts: attemptOf(parameters),
      isStopping: isStopped && !needsStream,
      ...(needsStream ? { needsStream } : {}),
      ledger: ledger.tracks,
      savedAt: new Date(this.#options.wallNow()).toISOString(),
    };
  }

  #needsStream(streamSid: string): boolean {
    return this.#options.needsStream?.(streamSid) === true;
  }

  /** The store may be away: the next beat tries again, and only the change is logged. */
  async #try(act: () => Promise<void>): Promise<void> {
    try {
      await act();
      if (this.#failures.isFailing) this.#options.logger.info('The lease is renewed again');
      this.#failures.worked();
    } catch (error) {
      this.#failures.failed(error);
    }
  }
}

/** Whoever looks at it again finds the rest in the call's items. */
function nobodys({ callSid, streamSid, tries = 0 }: EndedLeg, nowMs: number): LegRecord {
  const nothing = { accountSid: '', tracks: [], parameters: {}, startedAt: '', attempts: 0, ledger: {} };
  const savedAt = new Date(nowMs).toISOString();
  return { ...nothing, callSid, streamSid, taskId: NOBODY, isStopping: true, tries, savedAt };
}
