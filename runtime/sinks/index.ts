import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { Clock } from '../model/clock';
import type { LegId } from '../model/transcript-event';
import type { Logger } from '../observability/logger';
import type { Metrics } from '../observability/metrics';
import { createTableWriter } from '../store/table-writer';
import { WriteQueue } from '../store/write-queue';
import { DynamoDbSink } from './dynamodb-sink';
import type { TranscriptSink } from './transcript-sink';

export interface SinkOptions {
  readonly client: DynamoDBDocumentClient;
  readonly store: { readonly table: string; readonly retentionDays: number; readonly storesWords: boolean };
  readonly metrics: Metrics;
  readonly logger: Logger;
  /** Measures durations. */
  readonly now: Clock;
  /** Tells the time of day. */
  readonly wallNow: Clock;
  /** Told of each final that is in the table. */
  readonly onStored?: ((leg: LegId) => void) | undefined;
  /** Sessions are asked for translations, entities or sentiment. */
  readonly expectsAddOns?: boolean;
}

/** The sinks of every relay: here is where another one is added. */
export function createSinks(options: SinkOptions): readonly TranscriptSink[] {
  const { client, store, metrics, logger, now, wallNow, onStored, expectsAddOns = false } = options;
  const writer = createTableWriter(client, store.table);
  const queue = new WriteQueue({
    ...{ writer, metrics, logger, now },
    onWritten: (write, tookMs) => sink.noteWritten(write, tookMs),
    onLost: (write) => sink.noteLost(write),
  });
  const sink = new DynamoDbSink({
    queue,
    retentionDays: store.retentionDays,
    storeWords: store.storesWords,
    expectsAddOns,
    onStored,
    metrics,
    logger,
    now: wallNow,
  });
  return [sink];
}
