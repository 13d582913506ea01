import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Metrics } from '../../../runtime/observability/metrics';
import { keyOf, type StoreItem, type StoreWrite } from '../../../runtime/store/store-write';
import { createTableWriter, type TableWriter } from '../../../runtime/store/table-writer';
import { WriteQueue, type WriteQueueOptions } from '../../../runtime/store/write-queue';
import { recordLog, type RecordedLog } from '../../support/recorded-log';
import { startStoreWorld, TABLE, type StoreWorld } from '../../support/store-world';

/** The collector, so that only what is held counts. */
function exposedGc(): () => void {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as () => void;
}

let world: StoreWorld;
let metrics: Metrics;
let log: RecordedLog;
const queues: WriteQueue[] = [];

beforeAll(async () => void (world = await startStoreWorld()));
afterAll(() => world.close());
beforeEach(() => {
  metrics = new Metrics();
  log = recordLog();
});
afterEach(async () => {
  world.proxy.setFault(() => undefined);
  await Promise.all(queues.splice(0).map((queue) => queue.close(5_000)));
});

function createQueue(options: Partial<WriteQueueOptions> = {}): WriteQueue {
  const queue = new WriteQueue({
    writer: createTableWriter(world.client, TABLE),
    metrics,
    logger: log.logger,
    lingerMs: 5,
    firstBackOffMs: 5,
    maxBackOffMs: 20,
    ...options,
  });
  queues.push(queue);
  return queue;
}

let calls = 0;
/** A call no other test has. */
const newCall = (): string => `CA${String((calls += 1)).padStart(32, '0')}`;

const put = (callSid: string, n: number, more: Record<string, unknown> = {}): StoreWrite => ({
  type: 'put',
  item: { callSid, itemKey: `SEGMENT#${String(n).padStart(4, '0')}`, text: `words ${n}`, ...more },
});
const addOn = (callSid: string, n: number): StoreWrite => ({
  type: 'update',
  update: {
    key: { callSid, itemKey: `SEGMENT#${String(n).padStart(4, '0')}` },
    set: { translation: { fr: 'mots' } },
    condition: { exists: 'text' },
  },
});
/** Whoever is told of a lost write is told by now. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const range = (count: number): number[] => Array.from({ length: count }, (_, n) => n);
const requestsOf = (callSid: string) => world.proxy.requests.filter(({ body }) => body.includes(callSid));

async function keysOf(callSid: string): Promise<unknown[]> {
  return (await world.items(callSid)).map((item) => item['itemKey']);
}

test('Sixty puts of a call need three requests, and all are stored', async () => {
  const callSid = newCall();
  const queue = createQueue();
  for (const n of range(60)) queue.add(put(callSid, n));
  expect(metrics.value('storeQueue')).toBe(60);
  expect(await queue.close(5_000)).toBe(0);
  expect(await keysOf(callSid)).toHaveLength(60);
  expect(requestsOf(callSid).map(({ operation }) => operation)).toEqual(Array(3).fill('BatchWriteItem'));
  expect(metrics.value('storeWrites')).toBe(60);
  expect(metrics.value('storeQueue')).toBe(0);
});

test('The queue knows of which calls it has writes', async () => {
  const [one, other, lost] = [newCall(), newCall(), newCall()];
  world.proxy.setFault(({ body }) => (body.includes(one) ? { type: 'status', status: 500 } : undefined));
  const queue = createQueue();
  queue.add(put(one, 1));
  queue.add(put(one, 2));
  queue.add(put(other, 1));
  queue.add(put(lost, 1, { text: 'x'.repeat(401 * 1024) }));
  expect([one, other, lost].map((callSid) => queue.has(callSid))).toEqual([true, true, false]);
  await world.proxy.seen(() => !queue.has(other));
  expect(queue.has(one)).toBe(true);
  world.proxy.setFault(() => undefined);
  await queue.close(5_000);
  expect(queue.has(one)).toBe(false);
});

test('Puts that come one by one within the linger share a request', async () => {
  const callSid = newCall();
  const queue = createQueue({ lingerMs: 200, lanes: 1 });
  queue.add(put(callSid, 1));
  await new Promise((resolve) => setImmediate(resolve));
  queue.add(put(callSid, 2));
  await world.proxy.seen(({ body }) => body.includes(callSid));
  await queue.close(5_000);
  expect(requestsOf(callSid)).toHaveLength(1);
});

test('A full batch does not wait for the linger', async () => {
  const callSid = newCall();
  const queue = createQueue({ lingerMs: 60_000 });
  queue.add(put(callSid, 0));
  // The lane waits for company by now.
  await new Promise((resolve) => setImmediate(resolve));
  for (const n of range(24)) queue.add(put(callSid, n + 1));
  await world.proxy.seen(({ body }) => body.includes(callSid));
});

test('An update goes out after the put it came after', async () => {
  const callSid = newCall();
  const queue = createQueue({ lanes: 1 });
  queue.add(put(callSid, 1));
  queue.add(addOn(callSid, 1));
  queue.add(put(callSid, 2));
  await queue.close(5_000);
  expect(await world.item(callSid, 'SEGMENT#0001')).toMatchObject({
    text: 'words 1',
    translation: { fr: 'mots' },
  });
  expect(requestsOf(callSid).map(({ operation }) => operation)).toEqual([
    'BatchWriteItem',
    'UpdateItem',
    'BatchWriteItem',
  ]);
});

test('Two puts of one item go in two requests, and the later one stays', async () => {
  const callSid = newCall();
  const queue = createQueue();
  queue.add(put(callSid, 1, { text: 'first' }));
  queue.add(put(callSid, 1, { text: 'second' }));
  expect(await queue.close(5_000)).toBe(0);
  expect(await world.item(callSid, 'SEGMENT#0001')).toMatchObject({ text: 'second' });
  expect(requestsOf(callSid)).toHaveLength(2);
  expect(metrics.value('storeFailures')).toBe(0);
});

test('A call in trouble does not hold up the calls of other lanes', async () => {
  const [stuck, ...others] = range(9).map(newCall) as [string, ...string[]];
  world.proxy.setFault(({ body }) => (body.includes(stuck) ? { type: 'status', status: 500 } : undefined));
  const queue = createQueue({ lanes: 32 });
  queue.add(put(stuck, 1));
  for (const callSid of others) queue.add(put(callSid, 1));
  for (const callSid of others) await world.proxy.seen(({ body }) => body.includes(callSid));
  await world.proxy.seen(() => requestsOf(stuck).length > 3);
  world.proxy.setFault(() => undefined);
  expect(await queue.close(5_000)).toBe(0);
  expect(await keysOf(stuck)).toHaveLength(1);
});

describe.each([
  ['throttles', { type: 'throttle' }],
  ['answers 500', { type: 'status', status: 500 }],
  ['answers 503', { type: 'status', status: 503 }],
  ['hangs up', { type: 'hang-up' }],
  ['loses the answer', { type: 'lost-answer' }],
  ['does not know the credentials', { type: 'error', name: 'UnrecognizedClientException', status: 400 }],
  ['has no such table yet', { type: 'error', name: 'ResourceNotFoundException', status: 400 }],
  ['forbids', { type: 'error', name: 'AccessDeniedException', status: 400 }],
] as const)('When the store %s for a while', (_, fault) => {
  test('everything is stored once it is over, in order', async () => {
    const callSid = newCall();
    world.proxy.setFault(() => fault);
    const queue = createQueue({ lanes: 1 });
    for (const n of range(30)) queue.add(put(callSid, n));
    for (const n of range(30)) queue.add(addOn(callSid, n));
    await world.proxy.seen(() => requestsOf(callSid).length >= 4);
    expect(metrics.value('storeQueue')).toBe(60);
    world.proxy.setFault(() => undefined);
    expect(await queue.close(10_000)).toBe(0);
    const items = await world.items(callSid);
    expect(items).toHaveLength(30);
    expect(items.every((item) => item['text'] && item['translation'])).toBe(true);
    expect(metrics.value('storeRetries')).toBeGreaterThanOrEqual(3);
    expect(metrics.value('storeFailures')).toBe(0);
    expect(metrics.value('storeWrites')).toBe(60);
  });
});

test('A store that does not answer is tried again after the request time-out', async () => {
  const callSid = newCall();
  let stalled = 0;
  world.proxy.setFault(() => ((stalled += 1) === 1 ? { type: 'stall' } : undefined));
  const queue = createQueue();
  queue.add(put(callSid, 1));
  expect(await queue.close(10_000)).toBe(0);
  expect(await keysOf(callSid)).toHaveLength(1);
});

test('Unprocessed items of a batch come again, before later ones', async () => {
  const callSid = newCall();
  let batches = 0;
  world.proxy.setFault(() => ((batches += 1) <= 2 ? { type: 'unprocessed', take: 10 } : undefined));
  const queue = createQueue({ lanes: 1 });
  for (const n of range(40)) queue.add(put(callSid, n));
  expect(await queue.close(5_000)).toBe(0);
  expect(await keysOf(callSid)).toHaveLength(40);
  expect(metrics.value('storeWrites')).toBe(40);
  expect(metrics.value('storeRetries')).toBe(2);
  const second = requestsOf(callSid)[1]!.body;
  expect(second.indexOf('words 10"')).toBeGreaterThan(-1);
  expect(second.indexOf('words 10"')).toBeLessThan(second.indexOf('words 25"'));
});

test('A batch of which nothing is processed waits before it comes again', async () => {
  const waits: number[] = [];
  let batches = 0;
  world.proxy.setFault(() => ((batches += 1) <= 4 ? { type: 'unprocessed', take: 0 } : undefined));
  const random = (): number => waits.push(1) / 100;
  const queue = createQueue({ random });
  queue.add(put(newCall(), 1));
  expect(await queue.close(5_000)).toBe(0);
  expect(waits).toHaveLength(4);
});

test('A wrong item is given up alone: the others of its batch and the lane go on', async () => {
  const callSid = newCall();
  const queue = createQueue({ lanes: 1 });
  for (const n of range(5)) queue.add(put(callSid, n));
  // The key of an index must be text.
  queue.add({ type: 'put', item: { callSid, itemKey: 'CALL', from: 5, text: 'a secret sentence' } });
  for (const n of range(5)) queue.add(put(callSid, 5 + n));
  expect(await queue.close(5_000)).toBe(0);
  expect(await keysOf(callSid)).toHaveLength(10);
  expect(metrics.value('storeFailures')).toBe(1);
  expect(metrics.value('storeWrites')).toBe(10);
  expect(log.lines).toEqual([
    expect.objectContaining({
      callSid,
      itemKey: 'CALL',
      reason: 'ValidationException',
      msg: 'store write given up',
    }),
  ]);
  expect(JSON.stringify(log.lines)).not.toContain('sentence');
});

test('A value that DynamoDB has no type for is given up, not tried for ever', async () => {
  const callSid = newCall();
  const queue = createQueue({ lanes: 1 });
  queue.add({ type: 'put', item: { callSid, itemKey: 'CALL', value: Symbol('x') } as StoreItem });
  queue.add(put(callSid, 1));
  expect(await queue.close(5_000)).toBe(0);
  expect(await keysOf(callSid)).toEqual(['SEGMENT#0001']);
  expect(metrics.value('storeFailures')).toBe(1);
});

test('An item over 400 KB is given up without a request', async () => {
  const callSid = newCall();
  const queue = createQueue();
  queue.add(put(callSid, 1, { text: 'x'.repeat(400 * 1024) }));
  queue.add(put(callSid, 2, { text: 'x'.repeat(399 * 1024) }));
  expect(await queue.close(5_000)).toBe(0);
  expect(await keysOf(callSid)).toEqual(['SEGMENT#0002']);
  expect(metrics.value('storeFailures')).toBe(1);
  expect(log.lines).toEqual([expect.objectContaining({ itemKey: 'SEGMENT#0001' })]);
});

test('Large items are spread over several requests', async () => {
  const callSid = newCall();
  const queue = createQueue({ lanes: 1 });
  for (const n of range(25)) queue.add(put(callSid, n, { text: 'x'.repeat(390 * 1024) }));
  expect(await queue.close(20_000)).toBe(0);
  expect(await keysOf(callSid)).toHaveLength(25);
  expect(Math.max(...requestsOf(callSid).map(({ body }) => body.length))).toBeLessThan(5 * 1024 * 1024);
});

test('An update whose condition does not hold is not tried again, and counted', async () => {
  const callSid = newCall();
  const queue = createQueue();
  queue.add(addOn(callSid, 1));
  expect(await queue.close(5_000)).toBe(0);
  expect(await world.items(callSid)).toEqual([]);
  expect(metrics.value('storeFailures')).toBe(1);
  expect(metrics.value('storeRetries')).toBe(0);
});

test('An update that may be refused is neither counted nor logged when it is', async () => {
  const callSid = newCall();
  const queue = createQueue();
  const key = { callSid, itemKey: 'CALL' };
  queue.add({
    type: 'update',
    update: { key, set: { a: 1 }, condition: { exists: 'a' }, whenRefused: 'ignore' },
  });
  expect(await queue.close(5_000)).toBe(0);
  expect(metrics.value('storeFailures')).toBe(0);
  expect(log.lines).toEqual([]);
});

test('When the first form of an update is refused, the second one is done', async () => {
  const callSid = newCall();
  const key = { callSid, itemKey: 'CALL' };
  const queue = createQueue();
  const otherwise = { key, set: { b: 2 } };
  queue.add({ type: 'update', update: { key, set: { a: 1 }, condition: { exists: 'a' }, otherwise } });
  await queue.close(5_000);
  expect(await world.item(callSid, 'CALL')).toEqual({ ...key, b: 2 });
});

describe('An update of two forms', () => {
  const summary = (callSid: string, more: object = {}): StoreWrite => {
    const key = { callSid, itemKey: 'CALL' };
    const otherwise = { key, set: { second: 2 }, condition: { absent: 'third' } } as const;
    const update = { key, set: { first: 1 }, condition: { exists: 'first' }, otherwise, ...more } as const;
    return { type: 'update', update };
  };

  test('goes on with the second one after that failed', async () => {
    const callSid = newCall();
    let failures = 0;
    world.proxy.setFault(({ body }) =>
      body.includes('second') && (failures += 1) <= 5 ? { type: 'throttle' } : undefined,
    );
    const queue = createQueue();
    queue.add(summary(callSid));
    while (metrics.value('storeWrites') === 0) await new Promise((resolve) => setImmediate(resolve));
    expect(requestsOf(callSid).filter(({ body }) => body.includes('first'))).toHaveLength(1);
    expect(await world.item(callSid, 'CALL')).toMatchObject({ second: 2 });
  });

  test('begins again once when a write of somebody else came between the two', async () => {
    const callSid = newCall();
    const refusal = { type: 'error', name: 'ConditionalCheckFailedException', status: 400 } as const;
    world.proxy.setFault(() => (requestsOf(callSid).length === 2 ? refusal : undefined));
    const queue = createQueue();
    queue.add(summary(callSid));
    expect(await queue.close(5_000)).toBe(0);
    expect(await world.item(callSid, 'CALL')).toMatchObject({ second: 2 });
    expect(requestsOf(callSid)).toHaveLength(4);
    expect(metrics.value('storeFailures')).toBe(0);
  });

  test.each([
    ['given up after two rounds', {}, 4, 1],
    ['ignored after two, where a refusal says that it is old news', { whenRefused: 'ignore' }, 4, 0],
  ])('that are both refused is %s', async (_, more, requests, failures) => {
    const callSid = newCall();
    await world.put({ callSid, itemKey: 'CALL', third: 3 });
    const queue = createQueue();
    queue.add(summary(callSid, more));
    expect(await queue.close(5_000)).toBe(0);
    expect(requestsOf(callSid)).toHaveLength(requests);
    expect(metrics.value('storeFailures')).toBe(failures);
  });
});

test('Writes of other calls overtake one that waits, writes of its own call do not', async () => {
  const [stuck, other] = [newCall(), newCall()];
  let isDown = true;
  world.proxy.setFault(({ body }) =>
    isDown && body.includes(stuck) && body.includes('fr') ? { type: 'throttle' } : undefined,
  );
  const queue = createQueue({
    lanes: 1,
    lingerMs: 1,
    firstBackOffMs: 2,
    maxBackOffMs: 3_600_000,
    random: () => 1,
  });
  queue.add(put(stuck, 1));
  queue.add(addOn(stuck, 1));
  queue.add(put(stuck, 2));
  for (const n of range(60)) queue.add(put(other, n));
  for (const n of range(60)) queue.add(addOn(other, n));
  while (metrics.value('storeQueue') > 2) await new Promise((resolve) => setImmediate(resolve));
  expect(await keysOf(other)).toHaveLength(60);
  expect(await keysOf(stuck)).toEqual(['SEGMENT#0001']);
  isDown = false;
  expect(await queue.close(10_000)).toBe(0);
  expect(await world.items(stuck)).toMatchObject([{ translation: { fr: 'mots' } }, { text: 'words 2' }]);
});

test('While six of ten requests fail, everything is stored with less than four requests for each', async () => {
  const calls = range(20).map(newCall);
  let seed = 1;
  const random = (): number => (seed = (seed * 16_807) % 2_147_483_647) / 2_147_483_647;
  const before = world.proxy.requests.length;
  world.proxy.setFault(() => {
    const chance = random();
    return chance < 0.3 ? { type: 'throttle' } : chance < 0.6 ? { type: 'lost-answer' } : undefined;
  });
  const queue = createQueue({ firstBackOffMs: 1, maxBackOffMs: 2, lingerMs: 1 });
  for (const n of range(5)) for (const callSid of calls) queue.add(put(callSid, n));
  for (const callSid of calls) {
    const key = { callSid, itemKey: 'CALL' };
    const otherwise = { key, set: { legs: {} }, condition: { absent: 'legs' } } as const;
    queue.add({
      type: 'update',
      update: {
        key,
        setEntry: { path: ['legs', 'MZ1'], value: 1 },
        condition: { exists: 'legs' },
        otherwise,
      },
    });
    queue.add(addOn(callSid, 3));
  }
  while (metrics.value('storeQueue') > 0) await new Promise((resolve) => setImmediate(resolve));
  for (const callSid of calls) {
    expect(await keysOf(callSid)).toEqual(['CALL', ...range(5).map((n) => `SEGMENT#000${n}`)]);
    expect(await world.item(callSid, 'SEGMENT#0003')).toMatchObject({ translation: { fr: 'mots' } });
  }
  expect(metrics.value('storeFailures')).toBe(0);
  // 20 batches at most, 60 requests for updates; each fails 1.5 times on average.
  expect(world.proxy.requests.length - before).toBeLessThan(4 * 80);
});

test('An outage of any length takes no more memory than the queue may have, and the newest writes survive it', async () => {
  const gc = exposedGc();
  const outage = Object.assign(new Error('made by a test'), { name: 'ThrottlingException' });
  const stored: unknown[] = [];
  let isDown = true;
  const writer: TableWriter = {
    putAll: async (items) => {
      if (isDown) throw outage;
      stored.push(...items.map(({ itemKey }) => itemKey));
      return [];
    },
    update: () => Promise.reject(outage),
  };
  const queue = createQueue({ writer, maxBytes: 2 * 1024 * 1024, lanes: 4 });
  let count = 0;
  const fill = async (more: number): Promise<number> => {
    for (const _ of range(more)) {
      const itemKey = `SEGMENT#${String((count += 1)).padStart(6, '0')}`;
      queue.add(put('CA1', count, { itemKey, words: `${'x'.repeat(500)} ${count}` }));
      if (count % 2_000 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    gc();
    return process.memoryUsage().heapUsed;
  };
  const fullBytes = await fill(10_000);
  const held = metrics.value('storeQueue');
  // 50 MB more go through.
  expect((await fill(100_000)) - fullBytes).toBeLessThan(4 * 1024 * 1024);
  expect(Math.abs(metrics.value('storeQueue') - held)).toBeLessThan(100);
  expect(metrics.value('storeFailures') + metrics.value('storeQueue')).toBe(110_000);
  isDown = false;
  expect(await queue.close(5_000)).toBe(0);
  expect(stored).toEqual([...stored].sort());
  expect(stored.at(-1)).toBe('SEGMENT#110000');
});

test('Over its count the queue drops the oldest writes, counts them and says so once', async () => {
  const callSid = newCall();
  world.proxy.setFault(() => ({ type: 'status', status: 500 }));
  const queue = createQueue({ maxCount: 50, lanes: 3 });
  const others = range(5).map(newCall);
  for (const other of others) queue.add(put(other, 0));
  for (const n of range(60)) queue.add(put(callSid, n));
  expect(metrics.value('storeQueue')).toBe(50);
  world.proxy.setFault(() => undefined);
  expect(await queue.close(5_000)).toBe(0);
  const left = await keysOf(callSid);
  expect(left).toEqual(range(50).map((n) => `SEGMENT#${String(n + 10).padStart(4, '0')}`));
  for (const other of others) expect(await world.items(other)).toEqual([]);
  expect(metrics.value('storeFailures')).toBe(15);
  const told = log.lines.filter(({ msg }) => msg === 'store queue full, oldest writes dropped');
  expect(told).toMatchObject([{ level: 50 }]);
});

test('A full queue drops segments before what nobody else knows, as a leg that ended or a gap', async () => {
  const callSid = newCall();
  world.proxy.setFault(() => ({ type: 'status', status: 500 }));
  const lost: string[] = [];
  const onLost = (write: StoreWrite) => void lost.push(keyOf(write).itemKey);
  const queue = createQueue({ maxCount: 6, lanes: 1, onLost });
  const other = (itemKey: string): StoreWrite => ({
    type: 'update',
    update: { key: { callSid, itemKey }, set: { status: 'open' } },
  });
  queue.add(other('CALL'));
  queue.add(other('SESSION#MZ1#001'));
  queue.add(put(callSid, 1));
  queue.add(addOn(callSid, 1));
  queue.add({ type: 'put', item: { callSid, itemKey: 'GAP#1' } });
  queue.add(put(callSid, 2));
  // While a request is under way or waits for its next attempt, the order changes.
  await world.proxy.seen(() => requestsOf(callSid).length >= 2);
  for (const n of range(3)) queue.add(put(callSid, n + 3));
  await settled();
  expect(lost).toEqual(['SEGMENT#0001', 'SEGMENT#0001', 'SEGMENT#0002']);
  world.proxy.setFault(() => undefined);
  expect(await queue.close(5_000)).toBe(0);
  const left = ['CALL', 'GAP#1', 'SEGMENT#0003', 'SEGMENT#0004', 'SEGMENT#0005', 'SESSION#MZ1#001'];
  expect(await keysOf(callSid)).toEqual(left);
});

test('A segment that comes to a full queue of what nobody else knows is the next to go', async () => {
  let isUnderWay: () => void = () => undefined;
  let answer: () => void = () => undefined;
  const underWay = new Promise<void>((resolve) => (isUnderWay = resolve));
  const answered = new Promise<void>((resolve) => (answer = resolve));
  const lost: string[] = [];
  const request = async (): Promise<never[]> => {
    isUnderWay();
    await answered;
    return [];
  };
  const queue = createQueue({
    writer: { putAll: request, update: async () => undefined },
    maxCount: 4,
    lanes: 1,
    onLost: (write) => void lost.push(keyOf(write).itemKey),
  });
  const add = (itemKey: string): void => queue.add({ type: 'put', item: { callSid: 'CA1', itemKey } });
  add('GAP#under way');
  await underWay;
  for (const itemKey of ['GAP#1', 'GAP#2', 'GAP#3', 'GAP#4', 'SEGMENT#1', 'GAP#5', 'GAP#6']) add(itemKey);
  await settled();
  expect(lost).toEqual(['GAP#1', 'SEGMENT#1', 'GAP#2', 'GAP#3']);
  answer();
});

test('A queue full of what nobody else knows drops the oldest of it: its bound holds', async () => {
  const callSid = newCall();
  world.proxy.setFault(() => ({ type: 'status', status: 500 }));
  const queue = createQueue({ maxCount: 3, lanes: 1 });
  for (const n of range(5)) queue.add({ type: 'put', item: { callSid, itemKey: `GAP#${n}` } });
  expect(metrics.value('storeQueue')).toBe(3);
  world.proxy.setFault(() => undefined);
  expect(await queue.close(5_000)).toBe(0);
  expect(await keysOf(callSid)).toEqual(['GAP#2', 'GAP#3', 'GAP#4']);
});

test('Over its bytes the queue drops the oldest writes', async () => {
  const callSid = newCall();
  world.proxy.setFault(() => ({ type: 'status', status: 500 }));
  const queue = createQueue({ maxBytes: 100_000, lanes: 1 });
  for (const n of range(20)) queue.add(put(callSid, n, { text: 'x'.repeat(9_900) }));
  world.proxy.setFault(() => undefined);
  expect(await queue.close(5_000)).toBe(0);
  const left = await keysOf(callSid);
  expect(left).toHaveLength(10);
  expect(left.at(-1)).toBe('SEGMENT#0019');
});

test('A lasting outage is one line in the log, with what to do about it', async () => {
  world.proxy.setFault(() => ({ type: 'error', name: 'AccessDeniedException', status: 400 }));
  let now = 0;
  const queue = createQueue({ now: () => now });
  const callSid = newCall();
  queue.add(put(callSid, 1));
  await world.proxy.seen(() => requestsOf(callSid).length >= 5);
  expect(log.lines).toEqual([
    expect.objectContaining({ error: 'AccessDeniedException', hint: expect.stringContaining('IAM') }),
  ]);
  now = 60_000;
  await world.proxy.seen(() => requestsOf(callSid).length >= 7);
  expect(log.lines).toHaveLength(2);
});

test('Waits between attempts grow to the limit and are spread at random', async () => {
  const callSid = newCall();
  const asked: number[] = [];
  world.proxy.setFault(() => ({ type: 'throttle' }));
  const queue = createQueue({
    firstBackOffMs: 60_000,
    maxBackOffMs: 60_000,
    random: () => asked.push(1) * 0,
  });
  queue.add(put(callSid, 1));
  // Full jitter with the smallest number there is: no wait at all, however long the limit.
  await world.proxy.seen(() => requestsOf(callSid).length >= 5);
  expect(asked.length).toBeGreaterThanOrEqual(4);
});

test('Closing cuts a back-off short and writes at once', async () => {
  const callSid = newCall();
  world.proxy.setFault(() => ({ type: 'throttle' }));
  const queue = createQueue({ firstBackOffMs: 3_600_000, maxBackOffMs: 3_600_000, random: () => 1 });
  queue.add(put(callSid, 1));
  await world.proxy.seen(({ body }) => body.includes(callSid));
  while (metrics.value('storeRetries') === 0) await new Promise((resolve) => setImmediate(resolve));
  world.proxy.setFault(() => undefined);
  expect(await queue.close(20_000)).toBe(0);
  expect(await keysOf(callSid)).toHaveLength(1);
});

test('Closing ends at its limit when the store is down, and tells what is lost', async () => {
  world.proxy.setFault(() => ({ type: 'stall' }));
  const queue = createQueue();
  for (const n of range(7)) queue.add(put(newCall(), n));
  expect(await queue.close(50)).toBe(7);
  expect(metrics.value('storeFailures')).toBe(7);
  expect(await queue.close(50)).toBe(7);
});

test('A write after the close is counted as lost, and its call does not count as written', async () => {
  const [one, other] = [newCall(), newCall()];
  const queue = createQueue();
  queue.add(put(other, 1));
  await queue.close(5_000);
  queue.add(put(one, 1));
  expect([one, other].map((callSid) => queue.has(callSid))).toEqual([true, false]);
  expect(metrics.value('storeFailures')).toBe(1);
  expect(metrics.value('storeQueue')).toBe(0);
});

test('A write that comes right when the lane has become empty is not forgotten', async () => {
  const callSid = newCall();
  const queue = createQueue({ lingerMs: 0, lanes: 1 });
  for (const n of range(200)) {
    queue.add(put(callSid, n));
    while (metrics.value('storeQueue') > 0) await Promise.resolve().then(() => new Promise(setImmediate));
  }
  expect(metrics.value('storeWrites')).toBe(200);
});
