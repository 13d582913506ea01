import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PutCommand } from '@aws-sdk/lib-dynamodb';
import { startEmbeddedDynamoDb, type EmbeddedDynamoDb } from '../../local/embedded-dynamodb';
import type { TranscriptEvent } from '../../runtime/model/transcript-event';
import { Metrics } from '../../runtime/observability/metrics';
import { DynamoDbSink } from '../../runtime/sinks/dynamodb-sink';
import { createDocumentClient } from '../../runtime/store/dynamodb-client';
import { createTableWriter } from '../../runtime/store/table-writer';
import { WriteQueue } from '../../runtime/store/write-queue';
import { recordLog } from './recorded-log';

/** A store on disk as `npm start` has one, in a folder of its own. */
export interface LocalStore {
  /** The working directory of `npm start`. */
  readonly root: string;
  readonly directory: string;
  start(): Promise<EmbeddedDynamoDb>;
  /** Writes events as the relay does; the store must be running. */
  write(store: EmbeddedDynamoDb, events: readonly TranscriptEvent[]): Promise<void>;
  put(store: EmbeddedDynamoDb, item: Record<string, unknown>): Promise<void>;
  remove(): Promise<void>;
}

export async function createLocalStore(): Promise<LocalStore> {
  const root = await mkdtemp(join(tmpdir(), 'callscript-local-'));
  const directory = join(root, '.local', 'dynamodb');
  const stores: EmbeddedDynamoDb[] = [];
  const clientOf = (store: EmbeddedDynamoDb) =>
    createDocumentClient({ region: 'us-east-1', endpoint: store.endpoint });
  return {
    root,
    directory,
    start: async () => {
      const store = await startEmbeddedDynamoDb({ directory });
      stores.push(store);
      return store;
    },
    write: async (store, events) => {
      const { logger } = recordLog();
      const metrics = new Metrics();
      const writer = createTableWriter(clientOf(store), 'callscript');
      const queue = new WriteQueue({ writer, metrics, logger, lingerMs: 1 });
      const sink = new DynamoDbSink({ queue, retentionDays: 1, storeWords: false, metrics, logger });
      for (const event of events) sink.write(event);
      await sink.close(5_000);
    },
    put: async (store, Item) =>
      void (await clientOf(store).send(new PutCommand({ TableName: 'callscript', Item }))),
    remove: async () => {
      for (const store of stores) await store.close();
      await rm(root, { recursive: true, force: true });
    },
  };
}
