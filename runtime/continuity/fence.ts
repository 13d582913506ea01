import { isAnnounced, isReplaced } from '../call/fencing';
import type { LegStart } from '../model/call-event';
import type { LegId } from '../model/transcript-event';
import type { Logger } from '../observability/logger';
import type { Metrics } from '../observability/metrics';
import type { LeaseStore } from '../store/lease-store';
import type { LegRecord } from '../store/live-leg';
import type { TaskMail } from '../store/task-mail';
import { LeaseFailures } from './lease-failures';
import { pause } from './pause';

export interface FenceOptions {
  readonly store: Pick<LeaseStore, 'legsOfCall'>;
  readonly mail: Pick<TaskMail, 'tellReplaced'>;
  readonly taskId: string;
  /** Resolves when the legs that this task has now are in the table. */
  readonly saved: () => Promise<void>;
  /** Nobody shall make a new stream for one that is replaced. */
  readonly forgo: (leg: LegId) => Promise<void>;
  /** Closes a leg of this task; wall clock, ms: from when on another one hears the call. */
  readonly replace: (streamSid: string, fromMs: number) => void;
  /** Until the next try, when the store does not answer. */
  readonly renewRetryMs: number;
  readonly leaseMs: number;
  readonly signal: AbortSignal;
  readonly now: () => number;
  readonly wallNow: () => number;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** Of one call and track there is one leg, on whichever task: the newest. */
export class Fence {
  readonly #options: FenceOptions;

  constructor(options: FenceOptions) {
    this.#options = options;
  }

  /**
   * Closes whatever the new leg replaces; the new one itself, if another task has a newer one. Tries until the store
   * has answered. @throws when this task ends first
   */
  async fence(start: LegStart): Promise<void> {
    const { saved, wallNow, renewRetryMs, signal, logger } = this.#options;
    const { callSid, streamSid } = start;
    const failures = new LeaseFailures({
      ...this.#options,
      message: 'Other tasks cannot be told yet of a leg',
      logger: logger.child({ callSid, streamSid }),
    });
    const from = new Date(wallNow()).toISOString();
    // Of two that come at once, whoever looks last finds the other one.
    await saved();
    for (;;) {
      try {
        return await this.#look(start, from);
      } catch (error) {
        failures.failed(error);
        await pause(renewRetryMs, signal);
      }
    }
  }

  async #look(start: LegStart, from: string): Promise<void> {
    const { store, mail, taskId, forgo, replace } = this.#options;
    const legs = await store.legsOfCall(start.callSid);
    const own = legs.find(({ streamSid }) => streamSid === start.streamSid);
    if (own === undefined || own.isStopping) return;
    const others = legs.filter((leg) => leg.taskId !== taskId && !leg.isStopping && isReplaced(leg, start));
    const newer = others.filter((leg) => isNewer(leg, own));
    await Promise.all(
      others
        .filter((leg) => !newer.includes(leg))
        .map(async (leg) => {
          await forgo(leg);
          await mail.tellReplaced(leg.taskId, { streamSid: leg.streamSid, from });
        }),
    );
    // One that takes a call over has yet to prove that it is wanted, and tells then.
    const newest = newer.find((leg) => !isAnnounced(leg));
    if (newest !== undefined) replace(start.streamSid, Date.parse(newest.startedAt));
  }
}

/** By the clocks of two tasks, which may differ by milliseconds: then it matters only that both come to the same end. */
function isNewer(leg: LegRecord, than: LegRecord): boolean {
  if (leg.startedAt !== than.startedAt) return leg.startedAt > than.startedAt;
  return leg.streamSid > than.streamSid;
}
