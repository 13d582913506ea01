import type { Clock } from '../model/clock';
import type { Logger } from '../observability/logger';
import type { Metrics } from '../observability/metrics';
import { ITEM_LIMIT_BYTES, itemSizeBytes } from './item-size';
import { storeErrorHint, storeErrorKind, storeErrorName } from './store-error';
import { keyOf, type StoreWrite } from './store-write';
import type { TableWriter } from './table-writer';
import { WriteLane, type QueuedWrite } from './write-lane';

export interface WriteQueueOptions {
  readonly writer: TableWriter;
  readonly metrics: Metrics;
  readonly logger: Logger;
  /** Most writes kept. */
  readonly maxCount?: number;
  /** Most bytes of items kept. */
  readonly maxBytes?: number;
  /** Requests under way at once. */
  readonly lanes?: number;
  /** How long a put waits for others to share its request. */
  readonly lingerMs?: number;
  /** Longest wait before the first retry; doubles with every further one. */
  readonly firstBackOffMs?: number;
  readonly maxBackOffMs?: number;
  /** A repeated complaint is logged once in this time. */
  readonly complaintIntervalMs?: number;
  /** Measures durations. */
  readonly now?: Clock;
  /** Told of every write that is in the table, and how long that took. */
  readonly onWritten?: (write: StoreWrite, tookMs: number) => void;
  /** Told of every write that was dropped or given up while the queue is open: it is lost for good. */
  readonly onLost?: (write: StoreWrite) => void;
  /** 0 to 1 */
  readonly random?: () => number;
}

const MAX_COUNT = 100_000;
const MAX_BYTES = 64 * 1024 * 1024;
const LANES = 4;
/** A request costs the same for one put as for many, in CPU most of all. */
const LINGER_MS = 300;
const FIRST_BACK_OFF_MS = 50;
const MAX_BACK_OFF_MS = 5_000;
const COMPLAINT_INTERVAL_MS = 60_000;

/**
 * Everything the process writes to the table waits here, so that a slow or failing store delays writes and nothing
 * else. The writes of one call keep their order. Bounded: when it is full the oldest segment goes, and is counted; only
 * where there is none, the oldest write.
 */
export class WriteQueue {
  readonly #options: WriteQueueOptions;
  readonly #lanes: readonly WriteLane[];
  readonly #now: () => number;
  readonly #complainedAt = new Map<string, number>();
  /** By callSid, where there are any. */
  readonly #countOf = new Map<string, number>();
  #count = 0;
  #bytes = 0;
  #sequence = 0;
  #closed: Promise<number> | undefined;

  constructor(options: WriteQueueOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
    this.#lanes = Array.from({ length: options.lanes ?? LANES }, () => this.#createLane());
  }

  /** Whether writes of the call wait, are under way, or came after the close: not everything of it is in the table. */
  has(callSid: string): boolean {
    return this.#countOf.has(callSid);
  }

  /** Takes a write, at once. Never throws and never waits. */
  add(write: StoreWrite): void {
    const bytes = itemSizeBytes(write.type === 'put' ? write.item : write.update);
    if (bytes > ITEM_LIMIT_BYTES) return this.#giveUp(write, 'larger than DynamoDB takes');
    const { callSid } = keyOf(write);
    this.#countOf.set(callSid, (this.#countOf.get(callSid) ?? 0) + 1);
    if (this.#closed !== undefined) return this.#giveUp(write, 'the queue is closed');
    this.#count += 1;
    this.#bytes += bytes;
    this.#laneOf(callSid).add({
      write,
      bytes,
      sequence: (this.#sequence += 1),
      queuedAtMs: this.#now(),
    });
    this.#dropOverflow();
    this.#showSize();
  }

  /** Writes out what is queued, within `timeoutMs`. Safe to call twice. @returns writes that are left, and lost. */
  close(timeoutMs: number): Promise<number> {
    this.#closed ??= this.#flush(timeoutMs);
    return this.#closed;
  }

  async #flush(timeoutMs: number): Promise<number> {
    const timer = setTimeout(() => this.#lanes.forEach((lane) => lane.stop()), timeoutMs);
    await Promise.all(this.#lanes.map((lane) => lane.flush()));
    clearTimeout(timer);
    if (this.#count > 0) {
      this.#options.metrics.count('storeFailures', this.#count);
      this.#options.logger.error({ writes: this.#count }, 'store writes left at the end');
    }
    return this.#count;
  }

  #createLane(): WriteLane {
    const { writer, metrics, random = Math.random, lingerMs = LINGER_MS } = this.#options;
    const { firstBackOffMs = FIRST_BACK_OFF_MS, maxBackOffMs = MAX_BACK_OFF_MS } = this.#options;
    return new WriteLane({
      writer,
      lingerMs,
      backOffMs: (attempt) => random() * Math.min(maxBackOffMs, firstBackOffMs * 2 ** (attempt - 1)),
      onWritten: (writes) => {
        metrics.count('storeWrites', writes.length);
        this.#forget(writes);
        const nowMs = this.#now();
        for (const { write, queuedAtMs } of writes) this.#options.onWritten?.(write, nowMs - queuedAtMs);
      },
      onRetry: (error) => {
        metrics.count('storeRetries');
        const hint = storeErrorHint(error);
        this.#complain('store writes wait', {
          error: error === undefined ? 'UnprocessedItems' : storeErrorName(error),
          ...(hint === undefined ? {} : { hint }),
        });
      },
      onGivenUp: (queued, error) => {
        this.#forget([queued]);
        this.#afterGivenUp(queued.write, error);
      },
    });
  }

  #laneOf(callSid: string): WriteLane {
    let hash = 0;
    for (let at = 0; at < callSid.length; at += 1) hash = (hash * 31 + callSid.charCodeAt(at)) >>> 0;
    const lane = this.#lanes[hash % this.#lanes.length];
    if (lane === undefined) throw new RangeError('A write queue needs at least one lane');
    return lane;
  }

  #dropOverflow(): void {
    const { maxCount = MAX_COUNT, maxBytes = MAX_BYTES } = this.#options;
    while (this.#count > maxCount || this.#bytes > maxBytes) {
      const dropped = this.#drop((lane) => lane.oldestSparable) ?? this.#drop((lane) => lane.oldest);
      if (dropped === undefined) return;
      this.#forget([dropped]);
      this.#options.metrics.count('storeFailures');
      this.#complain('store queue full, oldest writes dropped', { writes: this.#count }, 'error');
      this.#tellLost(dropped.write);
    }
  }

  #drop(candidateOf: (lane: WriteLane) => QueuedWrite | undefined): QueuedWrite | undefined {
    let oldest: { readonly lane: WriteLane; readonly queued: QueuedWrite } | undefined;
    for (const lane of this.#lanes) {
      const queued = candidateOf(lane);
      if (queued !== undefined && queued.sequence < (oldest?.queued.sequence ?? Infinity))
        oldest = { lane, queued };
    }
    oldest?.lane.drop(oldest.queued);
    return oldest?.queued;
  }

  #afterGivenUp(write: StoreWrite, error: unknown): void {
    const refused = storeErrorKind(error) === 'refused';
    if (refused && write.type === 'update' && write.update.whenRefused === 'ignore') return;
    this.#giveUp(write, storeErrorName(error));
  }

  #giveUp(write: StoreWrite, reason: string): void {
    this.#options.metrics.count('storeFailures');
    this.#options.logger.error({ ...keyOf(write), reason }, 'store write given up');
    this.#tellLost(write);
  }

  /** Not in the middle of something: whoever is told may add a write. */
  #tellLost(write: StoreWrite): void {
    const { onLost } = this.#options;
    if (onLost !== undefined && this.#closed === undefined) queueMicrotask(() => onLost(write));
  }

  #forget(writes: readonly QueuedWrite[]): void {
    this.#count -= writes.length;
    for (const { write, bytes } of writes) {
      this.#bytes -= bytes;
      const { callSid } = keyOf(write);
      const left = (this.#countOf.get(callSid) ?? 0) - 1;
      if (left > 0) this.#countOf.set(callSid, left);
      else this.#countOf.delete(callSid);
    }
    this.#showSize();
  }

  #showSize(): void {
    this.#options.metrics.gauge('storeQueue', this.#count);
  }

  #complain(
    message: string,
    fields: Readonly<Record<string, unknown>>,
    level: 'warn' | 'error' = 'warn',
  ): void {
    const { complaintIntervalMs = COMPLAINT_INTERVAL_MS, logger } = this.#options;
    const last = this.#complainedAt.get(message) ?? -Infinity;
    if (this.#now() - last < complaintIntervalMs) return;
    this.#complainedAt.set(message, this.#now());
    logger[level](fields, message);
  }
}
