import { segmentKey } from '../contract/transcripts-table';
import type { Clock } from '../model/clock';
import type { TranscriptEvent } from '../model/transcript-event';
import type { Logger } from '../observability/logger';
import type { Metrics } from '../observability/metrics';
import type { WriteQueue } from '../store/write-queue';
import { addOnItemKey, eventToWrites } from './dynamodb-items';
import type { TranscriptSink } from './transcript-sink';

export interface DynamoDbSinkOptions {
  /** The process's queue. The sink closes it. */
  readonly queue: WriteQueue;
  readonly retentionDays: number;
  readonly storeWords: boolean;
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly now?: Clock;
}

const SECONDS_PER_DAY = 86_400;
/** Segments remembered as enriched; more than are young enough to be repeated. */
const ENRICHED_SEGMENTS = 10_000;

/** Writes every event but partials to the table. */
export class DynamoDbSink implements TranscriptSink {
  readonly name = 'dynamodb';
  readonly #options: DynamoDbSinkOptions;
  readonly #now: () => number;
  readonly #enriched = new Set<string>();

  constructor(options: DynamoDbSinkOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
  }

  write(event: TranscriptEvent): void {
    const { queue, storeWords, metrics, logger } = this.#options;
    try {
      const keepStored = this.#wasEnriched(event);
      const options = { expiresAt: this.#expiresAt(), storeWords, keepStored };
      for (const write of eventToWrites(event, options)) queue.add(write);
    } catch (error) {
      metrics.count('sinkErrors');
      const reason = error instanceof Error ? error.name : typeof error;
      logger.error({ sink: this.name, event: event.type, callSid: event.callSid, reason }, 'sink failed');
    }
  }

  close(timeoutMs: number): Promise<number> {
    return this.#options.queue.close(timeoutMs);
  }

  #expiresAt(): number {
    return Math.floor(this.#now() / 1000) + this.#options.retentionDays * SECONDS_PER_DAY;
  }

  /** Remembers which segments got an add-on: a repeated final must not replace those. */
  #wasEnriched(event: TranscriptEvent): boolean {
    if (event.type === 'add-on') {
      this.#enriched.add(`${event.callSid} ${addOnItemKey(event, event.addOn)}`);
      const [oldest] = this.#enriched;
      if (this.#enriched.size > ENRICHED_SEGMENTS && oldest !== undefined) this.#enriched.delete(oldest);
      return false;
    }
    if (event.type !== 'final' || this.#enriched.size === 0) return false;
    const { streamSid, segment } = event;
    return this.#enriched.has(`${event.callSid} ${segmentKey({ ...segment, streamSid })}`);
  }
}
