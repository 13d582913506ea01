import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { DescribeTableCommand } from '@aws-sdk/client-dynamodb';
import { GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { startEmbeddedDynamoDb, type EmbeddedDynamoDb } from '../../local/embedded-dynamodb';
import { runningStore, storeEndpointFile } from '../../local/store-endpoint';
import { createDocumentClient } from '../../runtime/store/dynamodb-client';

const key = { callSid: 'CA1', itemKey: 'CALL' };
const opened: { close(): Promise<void> }[] = [];
let directory: string;
let parent: string;

async function start(options: Parameters<typeof startEmbeddedDynamoDb>[0]): Promise<EmbeddedDynamoDb> {
  const store = await startEmbeddedDynamoDb(options);
  opened.push(store);
  return store;
}

function clientOf(store: EmbeddedDynamoDb) {
  const client = createDocumentClient({ region: 'us-east-1', endpoint: store.endpoint });
  opened.unshift({ close: async () => client.destroy() });
  return client;
}

beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'callscript-store-'));
  directory = join(parent, 'dynamodb');
});
afterEach(async () => {
  for (const one of opened.splice(0)) await one.close();
  await rm(parent, { recursive: true, force: true });
});

test('The table is there at once, with the three indexes, on loopback', async () => {
  const store = await start({ tableName: 'calls' });
  const { Table } = await clientOf(store).send(new DescribeTableCommand({ TableName: 'calls' }));
  expect(Table?.TableStatus).toBe('ACTIVE');
  expect(Table?.GlobalSecondaryIndexes?.map((index) => index.IndexName).sort()).toEqual([
    'callsByDay',
    'callsByFrom',
    'callsByTo',
  ]);
  expect(new URL(store.endpoint).hostname).toBe('127.0.0.1');
});

test('What was stored is there after a restart', async () => {
  const first = await start({ directory });
  await clientOf(first).send(
    new PutCommand({ TableName: 'callscript', Item: { ...key, from: '+15005550006' } }),
  );
  await first.close();
  const second = await start({ directory });
  const { Item } = await clientOf(second).send(new GetCommand({ TableName: 'callscript', Key: key }));
  expect(Item).toMatchObject({ from: '+15005550006' });
});

test('Two stores in memory know nothing of each other', async () => {
  const [one, other] = [await start({}), await start({})];
  await clientOf(one).send(new PutCommand({ TableName: 'callscript', Item: key }));
  const { Item } = await clientOf(other).send(new GetCommand({ TableName: 'callscript', Key: key }));
  expect(Item).toBeUndefined();
});

test('A second process that opens the same directory gets an error that names it', async () => {
  await start({ directory });
  const program = `require('./local/embedded-dynamodb.ts')
    .startEmbeddedDynamoDb({ directory: ${JSON.stringify(directory)}, lockWaitMs: 0 })
    .then(() => process.exit(0), (error) => { process.stderr.write(error.message); process.exit(3); })`;
  const run = promisify(execFile)(process.execPath, ['--require', 'tsx/cjs', '--eval', program]);
  const error = (await run.catch((error: unknown) => error)) as { code: number; stderr: string };
  expect(error.code).toBe(3);
  expect(error.stderr).toContain(`The store in ${directory} is in use by another process`);
});

test('Opening waits for a process that is just closing the directory', async () => {
  const first = await start({ directory });
  const second = start({ directory, lockWaitMs: 20_000 });
  await first.close();
  await expect(second).resolves.toHaveProperty('endpoint');
});

test('A directory that is a file is an error that names it', async () => {
  await writeFile(directory, 'not a directory');
  await expect(start({ directory })).rejects.toThrow(directory);
});

test('While it runs, its endpoint can be found; afterwards it cannot', async () => {
  const store = await start({ directory });
  expect(await runningStore(directory)).toBe(store.endpoint);
  await store.close();
  expect(existsSync(storeEndpointFile(directory))).toBe(false);
  expect(await runningStore(directory)).toBeUndefined();
});

test('An endpoint file that a killed process left is not believed', async () => {
  const gone = await start({});
  await gone.close();
  await writeFile(storeEndpointFile(directory), JSON.stringify({ endpoint: gone.endpoint, processId: 1 }));
  expect(await runningStore(directory)).toBeUndefined();
  await writeFile(storeEndpointFile(directory), '{"endpoint":');
  expect(await runningStore(directory)).toBeUndefined();
});

test('A store that does not announce itself leaves no file', async () => {
  await start({ directory, announce: false });
  expect(existsSync(storeEndpointFile(directory))).toBe(false);
});

test('A client that goes away in the middle of a request harms nobody', async () => {
  const store = await start({});
  const { port } = new URL(store.endpoint);
  const socket = connect(Number(port), '127.0.0.1');
  await once(socket, 'connect');
  socket.write(
    'POST / HTTP/1.1\r\nHost: x\r\nX-Amz-Target: DynamoDB_20120810.PutItem\r\nContent-Length: 100\r\n\r\n{',
  );
  socket.resetAndDestroy();
  await once(socket, 'close');
  await clientOf(store).send(new PutCommand({ TableName: 'callscript', Item: key }));
  const { Item } = await clientOf(store).send(new GetCommand({ TableName: 'callscript', Key: key }));
  expect(Item).toEqual(key);
});

test('Closing twice is closing once', async () => {
  const store = await start({ directory });
  await Promise.all([store.close(), store.close()]);
});
