import { inspect } from 'node:util';
import { CallStoreError } from '../../../runtime/store/call-store-error';
import { itemSizeBytes } from '../../../runtime/store/item-size';
import { LeaseStore } from '../../../runtime/store/lease-store';
import { legRecordToItem } from '../../../runtime/store/live-leg';
import { legRecord } from '../../support/leg-record';
import { startStoreWorld, TABLE, type StoreWorld } from '../../support/store-world';

const LEASE_MS = 12_000;
let world: StoreWorld;
let now: number;
let store: LeaseStore;

beforeEach(async () => {
  world = await startStoreWorld(60_000);
  now = Date.parse('2026-11-21T10:00:00.000Z');
  store = new LeaseStore({ client: world.client, tableName: TABLE, wallNow: () => now });
});
afterEach(() => world.close());

/** Until its task has lived for one lease, a store takes nobody for dead. */
async function settled(of: LeaseStore = store): Promise<void> {
  await of.renew('task-0', 1);
  now += 1;
}

const range = (count: number): number[] => Array.from({ length: count }, (_, n) => n);
/** A call of its own for every n, spread over all shards. */
const sid = (n: number): string => `CA${n.toString(16).padStart(4, '0')}`;
const keysOf = (records: readonly { callSid: string; streamSid: string }[]): string[] =>
  records.map(({ callSid, streamSid }) => `${callSid} ${streamSid}`).sort();

describe('Live legs', () => {
  test('come back as they were saved', async () => {
    const record = legRecord({ leadMs: 700 });
    expect(await store.saveLegs([record])).toEqual([]);
    const found = await store.findLeg('CA0a', 'MZ1');
    expect(found).toEqual(record);
    expect(found?.session?.url.reveal()).toBe('wss://speech.example/live?token=abc');
  });

  test('come back without what they do not have', async () => {
    const { legOriginAt: _1, originAt: _2, session: _3, ...record } = legRecord({ ledger: {} });
    await store.saveLegs([record]);
    expect(await store.findLeg('CA0a', 'MZ1')).toEqual(record);
  });

  test('keep the session url out of everything that is printed', async () => {
    await store.saveLegs([legRecord()]);
    const found = await store.findLeg('CA0a', 'MZ1');
    expect(inspect(found, { depth: 9 }) + JSON.stringify(found)).not.toContain('token');
  });

  test('are below 4 KB, which is four write units', () => {
    const parameters = { from: '+15005550006', to: '+15005550010', vocabulary: 'x'.repeat(500) };
    expect(itemSizeBytes(legRecordToItem(legRecord({ parameters })))).toBeLessThan(4096);
  });

  test('of sixty are saved by three requests, each with its own expiry', async () => {
    const records = range(60).map((n) => legRecord({ callSid: sid(n) }));
    expect(await store.saveLegs(records)).toEqual([]);
    expect(world.proxy.requests.map(({ operation }) => operation)).toEqual(Array(3).fill('BatchWriteItem'));
    const stored = await world.item('LIVE#5', 'CA0005#MZ1');
    expect(stored?.['expiresAt']).toBe(Date.parse('2026-11-23T10:01:00Z') / 1000);
  });

  test('that the store did not take are given back', async () => {
    world.proxy.setFault(() => ({ type: 'unprocessed', take: 1 }));
    const records = [legRecord(), legRecord({ streamSid: 'MZ2' }), legRecord({ streamSid: 'MZ3' })];
    expect(await store.saveLegs(records)).toEqual(records.slice(1));
  });

  test('of one call are found together, and no others', async () => {
    // All in one shard.
    const records = [
      legRecord({ callSid: 'CA0a', streamSid: 'MZ1' }),
      legRecord({ callSid: 'CA0a', streamSid: 'MZ2' }),
      legRecord({ callSid: 'CA1a' }),
      legRecord({ callSid: 'CA0aa' }),
    ];
    await store.saveLegs(records);
    expect(keysOf(await store.legsOfCall('CA0a'))).toEqual(['CA0a MZ1', 'CA0a MZ2']);
  });

  test('are gone when they were deleted, also when there are many, and again', async () => {
    const records = range(30).map((n) => legRecord({ callSid: sid(n) }));
    await store.saveLegs(records);
    await store.deleteLegs(records.slice(1));
    await store.deleteLegs(records.slice(1));
    await settled();
    expect(keysOf(await store.expiredLegs())).toEqual(['CA0000 MZ1']);
    expect(await store.findLeg('CA0001', 'MZ1')).toBeUndefined();
  });

  test('that the store did not delete are an error that may be tried again', async () => {
    await store.saveLegs([legRecord(), legRecord({ streamSid: 'MZ2' })]);
    world.proxy.setFault(() => ({ type: 'unprocessed', take: 1 }));
    const deleted = store.deleteLegs([legRecord(), legRecord({ streamSid: 'MZ2' })]);
    await expect(deleted).rejects.toMatchObject({ name: 'CallStoreError', retryable: true });
  });

  test('of none make no request', async () => {
    expect(await store.saveLegs([])).toEqual([]);
    await store.deleteLegs([]);
    expect(world.proxy.requests).toEqual([]);
  });

  test('written by another version are read as far as they make sense', async () => {
    const written = { callSid: 'LIVE#0', itemKey: 'CA10#MZ1', taskId: 'task-9', mood: 'good' };
    await world.put({
      ...written,
      tracks: ['both'],
      ledger: { inbound: 3 },
      session: { url: 5 },
      attempts: 'x',
    });
    await world.put({ callSid: 'LIVE#0', itemKey: 'CA10#MZ2' });
    await world.put({ callSid: 'LIVE#0', itemKey: 'nonsense', taskId: 'task-9' });
    await settled();
    const [found, ...more] = await store.expiredLegs();
    expect(more).toEqual([]);
    expect(found).toMatchObject({
      callSid: 'CA10',
      streamSid: 'MZ1',
      taskId: 'task-9',
      tracks: [],
      ledger: {},
    });
    expect(found).toMatchObject({ attempts: 0, isStopping: false });
    expect(found).not.toHaveProperty('session');
  });
});

describe('A lease', () => {
  const live = [
    ...range(20).map((n) => legRecord({ callSid: sid(n) })),
    legRecord({ callSid: sid(3), streamSid: 'MZ2' }),
  ];

  test('keeps the legs of its task until it runs out', async () => {
    await store.renew('task-1', LEASE_MS);
    await store.saveLegs(live);
    expect(await store.expiredLegs()).toEqual([]);
    now += LEASE_MS - 1;
    expect(await store.expiredLegs()).toEqual([]);
    now += 1;
    expect(keysOf(await store.expiredLegs())).toEqual(keysOf(live));
  });

  test('keeps no legs but those of its task', async () => {
    await settled();
    await store.renew('task-1', LEASE_MS);
    const ofNobody = legRecord({ callSid: sid(40), taskId: 'task-2' });
    await store.saveLegs([...live, ofNobody]);
    expect(await store.expiredLegs()).toEqual([ofNobody]);
  });

  test('lasts from its last renewal', async () => {
    await store.renew('task-1', LEASE_MS);
    await store.saveLegs(live);
    now += 10_000;
    await store.renew('task-1', LEASE_MS);
    now += 10_000;
    expect(await store.expiredLegs()).toEqual([]);
  });

  test('is not shortened by a renewal that arrives late', async () => {
    await store.saveLegs(live);
    await store.renew('task-1', LEASE_MS);
    const late = new LeaseStore({ client: world.client, tableName: TABLE, wallNow: () => now - 5_000 });
    await late.renew('task-1', LEASE_MS);
    now += LEASE_MS - 1;
    expect(await store.expiredLegs()).toEqual([]);
  });

  test('that was given back keeps nothing', async () => {
    await settled();
    await store.renew('task-1', LEASE_MS);
    await store.saveLegs(live);
    await store.release('task-1');
    await store.release('task-1');
    expect(await store.expiredLegs()).toHaveLength(live.length);
  });

  test('is read after all legs, so that a task that starts meanwhile keeps its own', async () => {
    await settled();
    await store.saveLegs(live);
    await store.expiredLegs();
    const bodies = world.proxy.requests
      .filter(({ operation }) => operation === 'Query')
      .map(({ body }) => body);
    expect(bodies).toHaveLength(17);
    expect(bodies.findIndex((body) => body.includes('LIVE#TASKS'))).toBe(16);
  });

  test('is read strongly, so that one just renewed counts', async () => {
    await settled();
    await store.saveLegs(live);
    await store.expiredLegs();
    const body = world.proxy.requests.findLast(({ body }) => body.includes('LIVE#TASKS'))?.body ?? '{}';
    expect(JSON.parse(body)).toMatchObject({ ConsistentRead: true });
  });

  test('that ran out while the store was down is given the time to be renewed', async () => {
    await store.renew('task-1', LEASE_MS);
    await store.saveLegs([...live, legRecord({ callSid: sid(40), taskId: 'task-2' })]);
    const other = new LeaseStore({ client: world.client, tableName: TABLE, wallNow: () => now });
    await other.renew('task-2', LEASE_MS);
    world.proxy.setFault(() => ({ type: 'throttle' }));
    for (const each of [store, other]) await expect(each.renew('task-1', LEASE_MS)).rejects.toThrow();
    now += 60_000;
    world.proxy.setFault(() => undefined);
    expect(await other.expiredLegs()).toEqual([]);
    await other.renew('task-2', LEASE_MS);
    now += LEASE_MS - 1;
    expect(await other.expiredLegs()).toEqual([]);
    await other.renew('task-2', LEASE_MS);
    now += 1;
    expect(await other.expiredLegs()).toHaveLength(live.length);
  });

  test('says nothing of other tasks to one that begins, until they had the time to renew theirs', async () => {
    await store.saveLegs(live);
    expect(await store.expiredLegs()).toEqual([]);
    await store.renew('task-2', LEASE_MS);
    now += LEASE_MS - 1;
    expect(await store.expiredLegs()).toEqual([]);
    now += 1;
    expect(await store.expiredLegs()).toHaveLength(live.length);
  });

  test('of others is looked at while the own one is renewed without trouble', async () => {
    await settled();
    await store.saveLegs(live);
    await store.renew('task-2', LEASE_MS);
    now += 5_000;
    await store.renew('task-2', LEASE_MS);
    expect(await store.expiredLegs()).toHaveLength(live.length);
  });

  test('costs no read while there are no legs', async () => {
    await settled();
    expect(await store.expiredLegs()).toEqual([]);
    const reads = world.proxy.requests.filter(({ operation }) => operation === 'Query');
    expect(reads.filter(({ body }) => body.includes('LIVE#TASKS'))).toEqual([]);
  });
});

describe('A claim of a leg', () => {
  test('is won by one of many tasks', async () => {
    await store.saveLegs([legRecord()]);
    const tasks = range(8).map((n) => `taker-${n}`);
    const won = await Promise.all(tasks.map((taskId) => store.claimLeg(legRecord(), taskId)));
    expect(won.filter(Boolean)).toHaveLength(1);
    const found = await store.findLeg('CA0a', 'MZ1');
    expect(found).toEqual(legRecord({ taskId: tasks[won.indexOf(true)]! }));
  });

  test('holds when it is repeated after its answer was lost', async () => {
    await store.saveLegs([legRecord()]);
    world.proxy.setFault(() => ({ type: 'lost-answer' }));
    await expect(store.claimLeg(legRecord(), 'taker')).rejects.toMatchObject({ retryable: true });
    world.proxy.setFault(() => undefined);
    expect(await store.claimLeg(legRecord(), 'taker')).toBe(true);
    expect(await store.claimLeg(legRecord(), 'other')).toBe(false);
  });

  test('of a leg that ended makes no new leg', async () => {
    expect(await store.claimLeg(legRecord(), 'taker')).toBe(false);
    expect(await world.items('LIVE#10')).toEqual([]);
  });

  test('fails once its task has kept it, and its task keeps none that was claimed', async () => {
    await store.saveLegs([legRecord(), legRecord({ streamSid: 'MZ2' })]);
    expect(await store.keepLeg(legRecord(), 'task-1')).toBe(true);
    expect(await store.claimLeg(legRecord(), 'taker')).toBe(false);
    expect(await store.claimLeg(legRecord({ streamSid: 'MZ2' }), 'taker')).toBe(true);
    expect(await store.keepLeg(legRecord({ streamSid: 'MZ2' }), 'task-1')).toBe(false);
    expect(await store.keepLeg(legRecord({ streamSid: 'MZ3' }), 'task-1')).toBe(false);
  });

  test('can be made again when the claimer dies, too', async () => {
    await settled();
    await store.saveLegs([legRecord()]);
    await store.claimLeg(legRecord(), 'taker');
    const [left] = await store.expiredLegs();
    expect(left?.taskId).toBe('taker');
    expect(await store.claimLeg(left!, 'other')).toBe(true);
  });
});

describe('A claim of a lost stream', () => {
  const CLAIM_MS = 10_000;
  const claim = (taskId: string): Promise<boolean> => store.claimStream('CA1', 'MZ1', taskId, CLAIM_MS);

  test('is won by one of many tasks, and repeated by that one alone', async () => {
    const tasks = range(8).map((n) => `task-${n}`);
    const won = await Promise.all(tasks.map(claim));
    expect(won.filter(Boolean)).toHaveLength(1);
    expect(await Promise.all(tasks.map(claim))).toEqual(won);
  });

  test('is free for others when it has run out', async () => {
    expect(await claim('task-1')).toBe(true);
    now += CLAIM_MS - 1;
    expect(await claim('task-2')).toBe(false);
    now += 1;
    expect(await claim('task-2')).toBe(true);
    expect(await claim('task-1')).toBe(false);
  });

  test('of one stream says nothing about another one of the call', async () => {
    expect(await claim('task-1')).toBe(true);
    expect(await store.claimStream('CA1', 'MZ2', 'task-2', CLAIM_MS)).toBe(true);
    expect(await store.claimStream('CA2', 'MZ1', 'task-2', CLAIM_MS)).toBe(true);
  });

  test('goes from the table by itself', async () => {
    await claim('task-1');
    expect(await world.item('CA1', 'CLAIM#MZ1')).toMatchObject({
      expiresAt: (now + CLAIM_MS) / 1000 + 86_400,
    });
  });
});

describe('A hand-over', () => {
  const FIRST_AUDIO = '2026-11-21T10:00:05.000Z';
  const LATER_AUDIO = '2026-11-21T10:00:06.000Z';

  test('is proven by the first audio of the stream that came under its nonce', async () => {
    await store.announceHandOver('CA1', 'n1', 'MZ1');
    expect(await store.handOverProof('CA1', 'n1')).toBeUndefined();
    expect(await store.proveHandOver('CA1', 'n1', 'MZ2', FIRST_AUDIO)).toBe(true);
    expect(await store.handOverProof('CA1', 'n1')).toEqual({ streamSid: 'MZ2', firstAudioAt: FIRST_AUDIO });
  });

  test('that nobody announced cannot be proven', async () => {
    await store.announceHandOver('CA1', 'n1', 'MZ1');
    expect(await store.proveHandOver('CA1', 'n2', 'MZ2', FIRST_AUDIO)).toBe(false);
    expect(await store.proveHandOver('CA2', 'n1', 'MZ2', FIRST_AUDIO)).toBe(false);
    expect(await store.handOverProof('CA1', 'n2')).toBeUndefined();
    expect(await world.items('CA2')).toEqual([]);
  });

  test('belongs to the first stream that proves it', async () => {
    await store.announceHandOver('CA1', 'n1', 'MZ1');
    const proofs = ['MZ2', 'MZ3'].map((streamSid) =>
      store.proveHandOver('CA1', 'n1', streamSid, FIRST_AUDIO),
    );
    expect((await Promise.all(proofs)).sort()).toEqual([false, true]);
  });

  test('keeps its proof when announcement or proof come again', async () => {
    await store.announceHandOver('CA1', 'n1', 'MZ1');
    await store.proveHandOver('CA1', 'n1', 'MZ2', FIRST_AUDIO);
    await store.announceHandOver('CA1', 'n1', 'MZ1');
    expect(await store.proveHandOver('CA1', 'n1', 'MZ2', LATER_AUDIO)).toBe(true);
    expect(await store.handOverProof('CA1', 'n1')).toEqual({ streamSid: 'MZ2', firstAudioAt: FIRST_AUDIO });
  });
});

test('Sessions that nobody reconciled are found, of every leg, with the url only while they are open', async () => {
  const session = { sessionId: 's1', sessionNumber: 1, streamSid: 'MZ1', baseMs: 20 };
  const items = [
    { ...session, itemKey: 'SESSION#MZ1#001', reconciled: false, url: 'wss://speech.example/live?token=abc' },
    { ...session, itemKey: 'SESSION#MZ1#002', reconciled: true, sessionNumber: 2 },
    { ...session, itemKey: 'SESSION#MZ2#001', reconciled: false, streamSid: 'MZ2' },
    { ...session, itemKey: 'SESSION#MZ2#002', reconciled: false, sessionId: 7 },
  ];
  for (const item of items) await world.put({ callSid: 'CA1', ...item });
  const found = await store.unreconciledSessions('CA1');
  expect(found).toMatchObject([session, { ...session, streamSid: 'MZ2' }]);
  expect(found[0]?.url?.reveal()).toContain('token=abc');
  expect(found[1]).not.toHaveProperty('url');
  expect(JSON.stringify(found)).not.toContain('token');
});

describe('Without a store', () => {
  const requests: [string, () => Promise<unknown>][] = [
    ['renew', () => store.renew('task-1', LEASE_MS)],
    ['release', () => store.release('task-1')],
    ['saveLegs', () => store.saveLegs([legRecord()])],
    ['deleteLegs', () => store.deleteLegs([legRecord()])],
    ['findLeg', () => store.findLeg('CA0a', 'MZ1')],
    ['legsOfCall', () => store.legsOfCall('CA0a')],
    ['expiredLegs', () => store.expiredLegs()],
    ['claimLeg', () => store.claimLeg(legRecord(), 'taker')],
    ['keepLeg', () => store.keepLeg(legRecord(), 'task-1')],
    ['claimStream', () => store.claimStream('CA1', 'MZ1', 'task-1', 1)],
    ['announceHandOver', () => store.announceHandOver('CA1', 'n1', 'MZ1')],
    ['proveHandOver', () => store.proveHandOver('CA1', 'n1', 'MZ2', 'now')],
    ['handOverProof', () => store.handOverProof('CA1', 'n1')],
    ['unreconciledSessions', () => store.unreconciledSessions('CA1')],
  ];

  test.each(requests)(
    '%s is an error that may be tried again, after one attempt of each request',
    async (_, request) => {
      await settled();
      world.proxy.setFault(() => ({ type: 'throttle' }));
      const error: unknown = await request().catch((error: unknown) => error);
      expect(error).toBeInstanceOf(CallStoreError);
      expect(error).toMatchObject({ retryable: true });
      const bodies = world.proxy.requests.map(({ body }) => body);
      expect(new Set(bodies).size).toBe(bodies.length);
    },
  );

  test.each(requests)('%s does not wait longer than its limit', async (_, request) => {
    const options = { client: world.client, tableName: TABLE, wallNow: () => now, timeoutMs: 20_000 };
    store = new LeaseStore(options);
    await settled();
    // Only for what is never answered.
    options.timeoutMs = 200;
    world.proxy.setFault(() => ({ type: 'stall' }));
    await expect(request()).rejects.toMatchObject({ name: 'CallStoreError', retryable: true });
  });
});
