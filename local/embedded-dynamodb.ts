import { mkdir } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import type { Server } from 'node:http';
import { once } from 'node:events';
import dynalite from 'dynalite';
import { createTableIfMissing } from '../runtime/store/create-table';
import { createDocumentClient } from '../runtime/store/dynamodb-client';
import { announceStore, withdrawStore } from './store-endpoint';
import { waitForStoreLock } from './store-lock';
import { guardRequests } from './whole-requests';

/** Where `npm start` keeps its calls. */
export const LOCAL_STORE_DIRECTORY = '.local/dynamodb';
export const LOCAL_TABLE = 'callscript';
export const LOCAL_REGION = 'us-east-1';

export interface EmbeddedDynamoDbOptions {
  /** Keeps the data here, over restarts; without it the data is in memory. */
  readonly directory?: string;
  /** Created if it is missing. */
  readonly tableName?: string;
  /** 0 for any free port. */
  readonly port?: number;
  /** Says in a file next to the directory how to reach it, so that other commands can. */
  readonly announce?: boolean;
  /** How long another process may still take to close the directory. */
  readonly lockWaitMs?: number;
}

export interface EmbeddedDynamoDb {
  readonly endpoint: string;
  /** Answers what is under way and closes. Safe to call twice. */
  close(): Promise<void>;
}

const LOCK_WAIT_MS = 2_000;

/**
 * DynamoDB for one machine, in this process, on loopback: dynalite, with the transcripts table in it.
 *
 * @throws when another process has the directory open; the message names it
 */
export async function startEmbeddedDynamoDb(
  options: EmbeddedDynamoDbOptions = {},
): Promise<EmbeddedDynamoDb> {
  const { directory, tableName = LOCAL_TABLE, announce = directory !== undefined } = options;
  if (directory !== undefined) {
    await mkdir(directory, { recursive: true });
    await waitForStoreLock(directory, options.lockWaitMs ?? LOCK_WAIT_MS);
  }
  const server = dynalite({ createTableMs: 0, ...(directory === undefined ? {} : { path: directory }) });
  const allAnswered = guardRequests(server);
  server.listen(options.port ?? 0, '127.0.0.1');
  await once(server, 'listening');
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  try {
    await createTable(endpoint, tableName);
  } catch (error) {
    await closeServer(server);
    throw error;
  }
  if (announce && directory !== undefined) await announceStore(directory, endpoint);

  let closed: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    if (announce && directory !== undefined) await withdrawStore(directory);
    await allAnswered();
    await closeServer(server);
  };
  return { endpoint, close: () => (closed ??= close()) };
}

async function createTable(endpoint: string, tableName: string): Promise<void> {
  const client = createDocumentClient({ region: LOCAL_REGION, endpoint });
  try {
    await createTableIfMissing(client, tableName);
  } finally {
    client.destroy();
  }
}

async function closeServer(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve, reject) => {
    // dynalite calls back with null where node:http gives undefined.
    server.close((error) => (error instanceof Error ? reject(error) : resolve()));
  });
  server.closeAllConnections();
  await closed;
}
