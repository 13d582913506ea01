import {
  BatchWriteCommand,
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
} from '@aws-sdk/lib-dynamodb';
import {
  LOCAL_REGION,
  LOCAL_TABLE,
  startEmbeddedDynamoDb,
  type EmbeddedDynamoDb,
} from '../../../local/embedded-dynamodb';
import { startStoreFaults, type StoreFaults } from '../../../local/store-faults/store-faults';
import { createDocumentClient } from '../../../runtime/store/dynamodb-client';

let store: EmbeddedDynamoDb;
let faults: StoreFaults;
let client: DynamoDBDocumentClient;

beforeEach(async () => {
  store = await startEmbeddedDynamoDb();
  faults = await startStoreFaults({ target: store.endpoint, seed: 7 });
  client = createDocumentClient({ region: LOCAL_REGION, endpoint: faults.endpoint });
});

afterEach(async () => {
  client.destroy();
  await faults.close();
  await faults.close();
  await store.close();
});

const keyOf = (itemKey: string) => ({ callSid: 'CA1', itemKey });
const put = (itemKey: string) =>
  client.send(new PutCommand({ TableName: LOCAL_TABLE, Item: { ...keyOf(itemKey), text: 'ä€ quoted "' } }));
const get = async (itemKey: string) =>
  (await client.send(new GetCommand({ TableName: LOCAL_TABLE, Key: keyOf(itemKey), ConsistentRead: true })))
    .Item;

/** Asks the store itself. */
async function isStored(itemKey: string): Promise<boolean> {
  const direct = createDocumentClient({ region: LOCAL_REGION, endpoint: store.endpoint });
  const { Item } = await direct.send(
    new GetCommand({ TableName: LOCAL_TABLE, Key: keyOf(itemKey), ConsistentRead: true }),
  );
  direct.destroy();
  return Item !== undefined;
}

it('passes everything on as it is', async () => {
  await put('a');
  expect(await get('a')).toEqual({ ...keyOf('a'), text: 'ä€ quoted "' });
  await expect(client.send(new PutCommand({ TableName: 'none', Item: keyOf('a') }))).rejects.toMatchObject({
    name: 'ResourceNotFoundException',
  });
  expect(faults.counts).toMatchObject({ passed: 3, byOperation: { PutItem: 2, GetItem: 1 } });
});

it('throttles a share, the same one for the same seed', async () => {
  const pattern = async (): Promise<string> => {
    const results: string[] = [];
    for (let n = 0; n < 40; n += 1) {
      const result = await put(`k${n}`).then(
        () => '.',
        (error: Error) => (error.name === 'ProvisionedThroughputExceededException' ? 'T' : '?'),
      );
      results.push(result);
    }
    return results.join('');
  };
  faults.switches.throttledShare = 0.5;
  const first = await pattern();
  expect(first).toMatch(/^[.T]{40}$/);
  expect(first.match(/T/g)!.length).toBeGreaterThan(10);
  expect(first.match(/\./g)!.length).toBeGreaterThan(10);
  expect(await isStored(`k${first.indexOf('T')}`)).toBe(false);
  const again = await startStoreFaults({ target: store.endpoint, seed: 7 });
  again.switches.throttledShare = 0.5;
  client.destroy();
  await faults.close();
  faults = again;
  client = createDocumentClient({ region: LOCAL_REGION, endpoint: again.endpoint });
  expect(await pattern()).toBe(first);
});

it('is down, and up again', async () => {
  faults.switches.mode = 'down';
  await expect(put('a')).rejects.toThrow('ECONNRESET');
  faults.switches.mode = 'up';
  await put('b');
  expect(await isStored('a')).toBe(false);
  expect(await isStored('b')).toBe(true);
  expect(faults.counts.reset).toBe(1);
});

it('does not answer at all', async () => {
  faults.switches.mode = 'silent';
  const gaveUp = new AbortController();
  const command = new PutCommand({ TableName: LOCAL_TABLE, Item: keyOf('a') });
  const failed = expect(client.send(command, { abortSignal: gaveUp.signal })).rejects.toThrow();
  await faults.waitFor(() => faults.counts.silenced === 1);
  gaveUp.abort();
  await failed;
  expect(await isStored('a')).toBe(false);
});

it('does it and loses the answer', async () => {
  faults.switches.lostAnswerShare = 1;
  await expect(put('a')).rejects.toThrow('ECONNRESET');
  expect(await isStored('a')).toBe(true);
  expect(faults.counts).toMatchObject({ lostAnswers: 1, passed: 0 });
});

it('is slow and right', async () => {
  faults.switches.latencyMs = 20;
  await put('a');
  expect(await isStored('a')).toBe(true);
});

it('gives part of a batch back, which is not stored', async () => {
  faults.switches.unprocessedShare = 0.5;
  const keys = Array.from({ length: 25 }, (_, n) => `b${n}`);
  const writes = keys.map((key) => ({ PutRequest: { Item: keyOf(key) } }));
  const { UnprocessedItems } = await client.send(
    new BatchWriteCommand({ RequestItems: { [LOCAL_TABLE]: writes } }),
  );
  const left = UnprocessedItems![LOCAL_TABLE]!.map(
    ({ PutRequest }) => PutRequest!.Item!['itemKey'] as string,
  );
  expect(left.length).toBeGreaterThan(0);
  expect(left.length).toBeLessThan(25);
  expect(faults.counts.unprocessed).toBe(left.length);
  for (const key of keys) expect(await isStored(key)).toBe(!left.includes(key));
});

it('does at least one of a batch', async () => {
  faults.switches.unprocessedShare = 1;
  const writes = ['a', 'b'].map((key) => ({ PutRequest: { Item: keyOf(key) } }));
  await client.send(new BatchWriteCommand({ RequestItems: { [LOCAL_TABLE]: writes } }));
  expect([await isStored('a'), await isStored('b')]).toEqual([true, false]);
});

it('is down when the store is', async () => {
  await store.close();
  await expect(put('a')).rejects.toThrow('ECONNRESET');
});
