import { existsSync } from 'node:fs';
import { CallReader } from '../../runtime/store/call-reader';
import { createDocumentClient } from '../../runtime/store/dynamodb-client';
import { LOCAL_REGION, LOCAL_TABLE, startEmbeddedDynamoDb } from '../embedded-dynamodb';
import { runningStore } from '../store-endpoint';

export interface OpenStoreOptions {
  /** A table in AWS; without it the local store in `directory`. */
  readonly table?: string;
  readonly directory: string;
  readonly environment: NodeJS.ProcessEnv;
}

export interface OpenStore {
  readonly reader: CallReader;
  /** The store belongs to a program that runs now, and may go with it. */
  readonly running: boolean;
  close(): Promise<void>;
}

/** What a person can do something about; its message says what. */
export class StoreAccessError extends Error {
  override readonly name = 'StoreAccessError';
}

const ATTEMPTS = 3;

/**
 * Opens the table of AWS, or the local store: through the program that has it open, or else its files.
 *
 * @throws StoreAccessError
 */
export async function openStore(options: OpenStoreOptions): Promise<OpenStore> {
  const { table, directory } = options;
  if (table !== undefined) return openTable(table, options.environment);
  const endpoint = await runningStore(directory);
  if (endpoint !== undefined) return openEndpoint(endpoint, true);
  if (!existsSync(directory)) {
    throw new StoreAccessError(
      `There is no local store in ${directory} yet: run npm start first, or name a table in AWS with --table`,
    );
  }
  const embedded = await startEmbeddedDynamoDb({ directory, announce: false });
  const store = openEndpoint(embedded.endpoint, false);
  return {
    ...store,
    close: async () => {
      await store.close();
      await embedded.close();
    },
  };
}

function openEndpoint(endpoint: string, running: boolean): OpenStore {
  const client = createDocumentClient({ region: LOCAL_REGION, endpoint });
  return {
    reader: new CallReader({ client, tableName: LOCAL_TABLE }),
    running,
    close: async () => client.destroy(),
  };
}

function openTable(table: string, environment: NodeJS.ProcessEnv): OpenStore {
  const region = environment['AWS_REGION'] ?? environment['AWS_DEFAULT_REGION'];
  if (!region)
    throw new StoreAccessError('AWS_REGION is not set: set it to the region of the table, such as us-east-1');
  const endpoint = environment['AWS_ENDPOINT_URL_DYNAMODB'];
  const client = createDocumentClient({
    region,
    environment,
    attempts: ATTEMPTS,
    ...(endpoint ? { endpoint } : {}),
  });
  return {
    reader: new CallReader({ client, tableName: table }),
    running: false,
    close: async () => client.destroy(),
  };
}
