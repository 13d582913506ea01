import type { AdoptedLeg } from '../call/calls';
import type { LegSummary, TranscriptEvent } from '../model/transcript-event';
import type { Logger } from '../observability/logger';
import type { LeaseStore, UnreconciledSession } from '../store/lease-store';
import { NOBODY, type LegRecord } from '../store/live-leg';
import type { StoredCall } from '../store/stored-call';
import { lateBooks } from './late-books';
import { sessionEvents, type FoundSession } from './orphan-books';
import { recoverSessions, type RecoverSession } from './recover-sessions';

export interface LateReconciliationOptions {
  readonly store: Pick<LeaseStore, 'saveLegs' | 'deleteLegs'>;
  readonly recoverSession: RecoverSession;
  readonly tell: (event: TranscriptEvent) => void;
  readonly adopt: (leg: AdoptedLeg & { readonly tries: number }, summary: LegSummary) => void;
  /** After a leg's end, until its sessions are asked about again; twice as long with every try in vain. */
  readonly reconcileAfterMs: number;
  /** This task ends: it tells nothing more, and another one finds the leg. */
  readonly signal: AbortSignal;
  readonly wallNow: () => number;
  readonly logger: Logger;
}

const MOST_BETWEEN_TRIES_MS = 3_600_000;
/** About a day of them. */
const MOST_TRIES = 30;

/**
 * Looks again at legs that are over and have sessions that are not reconciled: lines could not be written, or the final
 * result could not be had. Between looks such a leg is nobody's, so that any task may go on.
 */
export class LateReconciliation {
  readonly #options: LateReconciliationOptions;

  constructor(options: LateReconciliationOptions) {
    this.#options = options;
  }

  /** Whether it is time for this leg. A leg that is a task's is that one's, or due at once. */
  isDue({ taskId, savedAt, tries = 0 }: LegRecord): boolean {
    const { reconcileAfterMs, wallNow } = this.#options;
    const waitMs = Math.min(MOST_BETWEEN_TRIES_MS, reconcileAfterMs * 2 ** tries);
    if (taskId !== NOBODY) return true;
    return tries < MOST_TRIES && wallNow() >= Date.parse(savedAt) + waitMs;
  }

  /**
   * @param sessions of the leg, which has its end in the table; those that are not reconciled
   * @throws when the table does not take what is left for later: it may be repeated
   */
  async reconcile(
    record: LegRecord,
    stored: StoredCall,
    sessions: readonly UnreconciledSession[],
  ): Promise<void> {
    const { recoverSession, signal, tell, adopt } = this.#options;
    const { callSid, streamSid } = record;
    const found = await recoverSessions(sessions, recoverSession, signal);
    if (found === undefined) return;
    const events = lateBooks({ record, stored, sessions: found });
    events.forEach(tell);
    const end = events.find(({ type }) => type === 'leg-ended');
    const accountSid = stored.call.accountSid ?? record.accountSid;
    const isCallEnded = stored.call.endedAt !== undefined;
    if (end?.type !== 'leg-ended' || !end.summary.reconciled) return this.#leave(record, found);
    // What it tells may be lost on its way to the table, again and again.
    const tries = (record.tries ?? 0) + 1;
    adopt({ callSid, streamSid, accountSid, isCallEnded, tries }, end.summary);
  }

  async #leave(record: LegRecord, sessions: readonly FoundSession[]): Promise<void> {
    const { store, tell, wallNow, logger } = this.#options;
    const { callSid, streamSid } = record;
    const tries = (record.tries ?? 0) + 1;
    if (tries < MOST_TRIES) {
      const savedAt = new Date(wallNow()).toISOString();
      const left = await store.saveLegs([{ ...record, taskId: NOBODY, isStopping: true, tries, savedAt }]);
      // It would stay this task's, and nobody would look at it again.
      if (left.length > 0) throw new Error('The table did not take a leg back');
      return;
    }
    logger.error({ callSid, streamSid, tries }, 'Sessions of a leg have no final result, and are given up');
    for (const { session, found } of sessions) {
      // Their urls lead nowhere any more.
      if (found.facts === undefined)
        sessionEvents({ callSid, streamSid }, { session, found: { ...found, isEnded: true } }).forEach(tell);
    }
    await store.deleteLegs([record]);
  }
}
