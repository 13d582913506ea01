import type { Clock } from '../model/clock';
import type { LegId, TranscriptEvent } from '../model/transcript-event';
import type { Logger } from '../observability/logger';
import type { Metrics } from '../observability/metrics';
import { keyOf, type StoreWrite } from '../store/store-write';
import type { WriteQueue } from '../store/write-queue';
import { eventToWrites, type ItemOptions } from './dynamodb-items';
import { LostSegments } from './lost-segments';
import { StoreLatencies } from './store-latencies';
import type { TranscriptSink } from './transcript-sink';

export interface DynamoDbSinkOptions {
  /** The process's queue. The sink closes it. */
  readonly queue: WriteQueue;
  readonly retentionDays: number;
  readonly storeWords: boolean;
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly now?: Clock;
  /** Told of each final that is in the table. */
  readonly onStored?: ((leg: LegId) => void) | undefined;
  /** Add-ons are asked for. Without it this is found out by the first one. */
  readonly expectsAddOns?: boolean;
}

const SECONDS_PER_DAY = 86_400;

/** Writes every event but partials to the table. */
export class DynamoDbSink implements TranscriptSink {
  readonly name = 'dynamodb';
  readonly ignoresPartials = true;
  readonly #options: DynamoDbSinkOptions;
  readonly #now: () => number;
  readonly #lost = new LostSegments();
  readonly #latencies = new StoreLatencies();
  #expectsAddOns: boolean;

  constructor(options: DynamoDbSinkOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#expectsAddOns = options.expectsAddOns ?? false;
  }

  write(event: TranscriptEvent): void {
    const { queue, storeWords, metrics, logger } = this.#options;
    try {
      if (event.type === 'add-on') this.#expectsAddOns = true;
      const options = { expiresAt: this.#expiresAt(), storeWords, keepsStored: this.#expectsAddOns };
      const all = event.type === 'call-ended' ? { ...options, ...this.#storeLatency(event) } : options;
      for (const write of eventToWrites(this.#lost.correct(event), all)) queue.add(write);
    } catch (error) {
      metrics.count('sinkErrors');
      logger.error(
        { err: error, sink: this.name, event: event.type, callSid: event.callSid },
        'A sink failed',
      );
    }
  }

  #storeLatency({ callSid }: Pick<TranscriptEvent, 'callSid'>): Pick<ItemOptions, 'storeLatency'> {
    const storeLatency = this.#latencies.take(callSid);
    return storeLatency === undefined ? {} : { storeLatency };
  }

  /** To be told of every write that is in the table, and how long that took. */
  noteWritten(write: StoreWrite, tookMs: number): void {
    if (!this.#latencies.note(write, tookMs)) return;
    this.#options.metrics.observe('storeLatency', tookMs);
    const { streamSid } = write.type === 'put' ? write.item : (write.update.set ?? {});
    this.#options.onStored?.({ callSid: keyOf(write).callSid, streamSid: String(streamSid) });
  }

  /** To be told of every write that the queue loses for good. */
  noteLost(write: StoreWrite): void {
    for (const marker of this.#lost.note(write)) this.#options.queue.add(marker);
  }

  isFlushed(callSid: string): boolean {
    return !this.#options.queue.has(callSid);
  }

  isReconciled(leg: LegId): boolean {
    return this.#lost.isReconciled(leg);
  }

  close(timeoutMs: number): Promise<number> {
    return this.#options.queue.close(timeoutMs);
  }

  #expiresAt(): number {
    return Math.floor(this.#now() / 1000) + this.#options.retentionDays * SECONDS_PER_DAY;
  }
}
