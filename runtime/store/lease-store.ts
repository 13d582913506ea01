import { setTimeout } from 'node:timers/promises';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import {
  claimKey,
  handOverKey,
  LIVE_TASKS,
  liveLegKey,
  liveShard,
  liveShardKey,
  SESSION_PREFIX,
  SORT_KEY,
  taskIdOf,
  taskKey,
  TTL_ATTRIBUTE,
} from '../contract/transcripts-table';
import type { Clock } from '../model/clock';
import { Secret } from '../model/secret';
import type { LegId } from '../model/transcript-event';
import {
  legRecordOf,
  legRecordToItem,
  LIVE_SHARD_NUMBERS,
  liveLegItemKey,
  type LegRecord,
  type LegSession,
} from './live-leg';
import type { ItemChange } from './store-write';
import { openSession } from './stored-call';
import { BATCH_ITEMS, createTableWriter, type TableWriter } from './table-writer';
import { TableRequests, type Item } from './table-requests';

export interface LeaseStoreOptions {
  readonly client: DynamoDBDocumentClient;
  readonly tableName: string;
  /** Leases are compared between machines, so this must be the wall clock. */
  readonly wallNow?: Clock;
  /** For one request. */
  readonly timeoutMs?: number;
}

/** The stream that took a call over, and the wall-clock time of its first audio, ISO 8601. */
export interface HandOverProof {
  readonly streamSid: string;
  readonly firstAudioAt: string;
}

/** A speech session whose final result nobody has compared with what came live. */
export interface UnreconciledSession extends Omit<LegSession, 'url'> {
  readonly streamSid: string;
  /** Absent once the session is closed. */
  readonly url?: Secret;
}

/** Items that nobody will look for again go by themselves after a day. */
const SPENT_TTL_SECONDS = 86_400;
/** Making a batch of items ready takes milliseconds in which no audio moves: one at a time. */
const BETWEEN_BATCHES_MS = 20;

/**
 * Who has which live leg: one lease for each task, and leg items that name their task. Claims and hand-overs are
 * here, too. Every method makes one attempt of each request and throws `CallStoreError`; all may be
 * repeated.
 */
export class LeaseStore {
  readonly #requests: TableRequests;
  readonly #writer: TableWriter;
  readonly #now: Clock;
  /** The last renewal failed, or there was none yet: a task may begin right after the store was down for all. */
  #isFailing = true;
  /** The others' leases say something from here on. */
  #trustedFromMs = -Infinity;

  constructor(options: LeaseStoreOptions) {
    this.#requests = new TableRequests(options);
    this.#now = options.wallNow ?? Date.now;
    this.#writer = createTableWriter(options.client, options.tableName);
  }

  /** The task's legs are its own for `leaseMs` from now. A request that arrives late does not shorten a newer lease. */
  async renew(taskId: string, leaseMs: number): Promise<void> {
    const leaseUntilMs = this.#now() + leaseMs;
    const change = {
      key: { callSid: LIVE_TASKS, itemKey: taskKey(taskId) },
      set: { leaseUntilMs, [TTL_ATTRIBUTE]: spentAt(leaseUntilMs) },
      condition: {
        any: [{ absent: 'leaseUntilMs' }, { attribute: 'leaseUntilMs', is: '<', value: leaseUntilMs }],
      },
    } as const;
    const wasFailing = this.#isFailing;
    try {
      await this.#change('The lease of the task could not be renewed', change);
    } catch (error) {
      this.#isFailing = true;
      throw error;
    }
    if (wasFailing) this.#trustedFromMs = leaseUntilMs;
    this.#isFailing = false;
  }

  /** Whatever the task has left is anybody's from now on. */
  async release(taskId: string): Promise<void> {
    const key = { callSid: LIVE_TASKS, itemKey: taskKey(taskId) };
    await this.#requests.delete('The lease of the task could not be given back', key);
  }

  /**
   * Stores the records as they are, over whatever is there: for legs of one's own only. A task that was taken for dead
   * may do so, too, and name itself again: what a claimer does must be guarded by `claimStream`.
   *
   * @returns the records that were not taken
   */
  async saveLegs(records: readonly LegRecord[]): Promise<readonly LegRecord[]> {
    const saved = batchesOf(records).map(async (batch, index) => {
      if (index > 0) await setTimeout(index * BETWEEN_BATCHES_MS);
      return this.#saveBatch(batch);
    });
    return (await Promise.all(saved)).flat();
  }

  async deleteLegs(legs: readonly LegId[]): Promise<void> {
    const keys = legs.map(({ callSid, streamSid }) => liveLegItemKey(callSid, streamSid));
    await Promise.all(
      batchesOf(keys).map((batch) => this.#requests.deleteAll('Live legs could not be removed', batch)),
    );
  }

  async findLeg(callSid: string, streamSid: string): Promise<LegRecord | undefined> {
    const key = liveLegItemKey(callSid, streamSid);
    return legRecordOf(await this.#requests.get('A live leg could not be read', key));
  }

  /** As they are now (strong read). */
  async legsOfCall(callSid: string): Promise<readonly LegRecord[]> {
    const range = { prefix: liveLegKey(callSid) };
    return recordsOf(await this.#requests.query('Live legs could not be read', liveShard(callSid), range));
  }

  /** Tasks whose lease has run out and was not given back: cheap to ask often. */
  async deadTasks(): Promise<readonly string[]> {
    const tasks = await this.#requests.query('Leases could not be read', LIVE_TASKS);
    const now = this.#now();
    return tasks.filter((task) => !isAlive(task, now)).map((task) => taskIdOf(String(task[SORT_KEY])));
  }

  /**
   * Legs whose task has no lease any more. Legs may be some seconds old: only `claimLeg` says who has one.
   * None until this process has renewed its own lease for the first time, or again, and for one lease after that: when
   * the store was down for all, everybody's lease has run out, and everybody must be given the time to renew it.
   */
  async expiredLegs(): Promise<readonly LegRecord[]> {
    if (this.#isFailing || this.#now() < this.#trustedFromMs) return [];
    // Legs first: a task that starts now has its lease before its first leg.
    const shards = await Promise.all(
      LIVE_SHARD_NUMBERS.map((shard) =>
        this.#requests.query('Live legs could not be read', liveShardKey(shard), { isStrong: false }),
      ),
    );
    const records = recordsOf(shards.flat());
    if (records.length === 0) return [];
    const alive = await this.#liveTasks();
    return records.filter(({ taskId }) => !alive.has(taskId));
  }

  /**
   * Makes the leg the task's own, if it still belongs to the task that `record` names, and that one has written nothing
   * since: then it lives. A second claim by the same task holds, too, so that one whose answer was lost can be repeated.
   *
   * @returns whether it is the task's now
   */
  async claimLeg(record: LegRecord, taskId: string): Promise<boolean> {
    return this.#change('A live leg could not be claimed', {
      key: liveLegItemKey(record.callSid, record.streamSid),
      set: { taskId },
      condition: {
        any: [
          {
            all: [
              { attribute: 'taskId', is: '=', value: record.taskId },
              { attribute: 'savedAt', is: '=', value: record.savedAt },
            ],
          },
          { attribute: 'taskId', is: '=', value: taskId },
        ],
      },
    });
  }

  /**
   * For a task whose lease had run out: a claim by another one that has not been made yet fails from now on.
   *
   * @returns whether the leg is in the table and still the task's own
   */
  async keepLeg({ callSid, streamSid }: LegId, taskId: string): Promise<boolean> {
    return this.#change('A live leg could not be kept', {
      key: liveLegItemKey(callSid, streamSid),
      set: { savedAt: new Date(this.#now()).toISOString() },
      condition: { attribute: 'taskId', is: '=', value: taskId },
    });
  }

  /**
   * The right to re-attach the call of a lost stream, for `claimMs`. A second claim by the same task holds, too:
   * a task must not ask twice for one stream.
   *
   * @returns whether the task has it
   */
  async claimStream(
    callSid: string,
    lostStreamSid: string,
    taskId: string,
    claimMs: number,
  ): Promise<boolean> {
    const now = this.#now();
    const claimUntilMs = now + claimMs;
    return this.#change('A lost stream could not be claimed', {
      key: { callSid, itemKey: claimKey(lostStreamSid) },
      set: { taskId, claimUntilMs, [TTL_ATTRIBUTE]: spentAt(claimUntilMs) },
      condition: {
        any: [
          { absent: 'taskId' },
          { attribute: 'taskId', is: '=', value: taskId },
          { attribute: 'claimUntilMs', is: '<=', value: now },
        ],
      },
    });
  }

  /** Says that a second stream of the call will come under this nonce, to take over from `streamSid`. */
  async announceHandOver(callSid: string, nonce: string, streamSid: string): Promise<void> {
    await this.#change('A hand-over could not be announced', {
      key: { callSid, itemKey: handOverKey(nonce) },
      set: { streamSid, [TTL_ATTRIBUTE]: spentAt(this.#now()) },
    });
  }

  /**
   * Records the first audio of the stream that came under the nonce. The first one to do so stays.
   *
   * @returns false when nobody announced the nonce, it was withdrawn, or another stream came under it first
   */
  async proveHandOver(
    callSid: string,
    nonce: string,
    newStreamSid: string,
    firstAudioAt: string,
  ): Promise<boolean> {
    return this.#change('A hand-over could not be proven', {
      key: { callSid, itemKey: handOverKey(nonce) },
      set: { newStreamSid },
      setIfAbsent: { firstAudioAt },
      condition: {
        all: [
          { exists: 'streamSid' },
          { absent: 'withdrawn' },
          { any: [{ absent: 'newStreamSid' }, { attribute: 'newStreamSid', is: '=', value: newStreamSid }] },
        ],
      },
    });
  }

  /**
   * Nobody waits for a stream under this nonce any more.
   *
   * @returns false when one has come: then it has the call
   */
  async withdrawHandOver(callSid: string, nonce: string): Promise<boolean> {
    return this.#change('A hand-over could not be withdrawn', {
      key: { callSid, itemKey: handOverKey(nonce) },
      set: { withdrawn: true },
      condition: { absent: 'newStreamSid' },
    });
  }

  /** The new stream, once it has audio (strong read). */
  async handOverProof(callSid: string, nonce: string): Promise<HandOverProof | undefined> {
    const item = await this.#requests.get('A hand-over could not be read', {
      callSid,
      itemKey: handOverKey(nonce),
    });
    const { newStreamSid: streamSid, firstAudioAt } = item ?? {};
    if (typeof streamSid !== 'string' || typeof firstAudioAt !== 'string') return undefined;
    return { streamSid, firstAudioAt };
  }

  /** Sessions of the call, of any leg, whose final result nobody has looked at (strong read). */
  async unreconciledSessions(callSid: string): Promise<readonly UnreconciledSession[]> {
    const items = await this.#requests.query('Sessions could not be read', callSid, {
      prefix: SESSION_PREFIX,
    });
    return items.flatMap((item) => {
      const { success, data } = openSession.safeParse(item);
      if (!success) return [];
      const { url, streamSid, sessionId, sessionNumber, baseMs } = data;
      const session = { streamSid, sessionId, sessionNumber, baseMs };
      return [url === undefined ? session : { ...session, url: new Secret(url) }];
    });
  }

  async #saveBatch(records: readonly LegRecord[]): Promise<readonly LegRecord[]> {
    const items = records.map(legRecordToItem);
    const left = await this.#requests.once('Live legs could not be stored', (signal) =>
      this.#writer.putAll(items, signal),
    );
    return records.filter((_, at) => left.some((item) => item === items[at]));
  }

  async #liveTasks(): Promise<ReadonlySet<string>> {
    const tasks = await this.#requests.query('Leases could not be read', LIVE_TASKS);
    const now = this.#now();
    return new Set(
      tasks.filter((task) => isAlive(task, now)).map((task) => taskIdOf(String(task[SORT_KEY]))),
    );
  }

  /** @returns whether the condition held */
  async #change(action: string, change: ItemChange): Promise<boolean> {
    return (await this.#requests.change(action, change)) !== undefined;
  }
}

function recordsOf(items: readonly Item[]): LegRecord[] {
  return items.map(legRecordOf).filter((record) => record !== undefined);
}

function batchesOf<Part>(parts: readonly Part[]): Part[][] {
  const batches: Part[][] = [];
  for (let at = 0; at < parts.length; at += BATCH_ITEMS) batches.push(parts.slice(at, at + BATCH_ITEMS));
  return batches;
}

function isAlive({ leaseUntilMs }: Item, now: number): boolean {
  return typeof leaseUntilMs === 'number' && leaseUntilMs > now;
}

function spentAt(untilMs: number): number {
  return Math.floor(untilMs / 1000) + SPENT_TTL_SECONDS;
}
