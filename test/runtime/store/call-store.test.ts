import { CallStore, CallStoreError, type CallStoreOptions } from '../../../runtime/store/call-store';
import { startStoreWorld, TABLE, type StoreWorld } from '../../support/store-world';
import { legSummary } from '../../support/transcript-events';

const first = '2026-11-21T10:00:00.000Z';
const later = '2026-11-21T10:05:00.000Z';
let world: StoreWorld;
let store: CallStore;

const createStore = (options: Partial<CallStoreOptions> = {}): CallStore =>
  new CallStore({
    client: world.client,
    tableName: TABLE,
    retentionDays: 2,
    wallNow: () => 5_000,
    ...options,
  });

beforeAll(async () => void (world = await startStoreWorld(60_000)));
afterAll(() => world.close());
beforeEach(() => void (store = createStore()));
afterEach(() => world.proxy.setFault(() => undefined));

test('The first claim sets the origin, every later one gets it', async () => {
  expect(await store.claimOrigin('CA1', first)).toBe(first);
  expect(await store.claimOrigin('CA1', later)).toBe(first);
  expect(await world.item('CA1', 'CALL')).toMatchObject({ originAt: first, expiresAt: 5 + 2 * 86_400 });
});

test('Of many legs that claim at once all get the same origin', async () => {
  const claims = Array.from({ length: 10 }, (_, n) =>
    store.claimOrigin('CA2', `2026-11-21T10:00:00.00${n}Z`),
  );
  expect(new Set(await Promise.all(claims)).size).toBe(1);
});

test('A claim leaves the rest of the call item as it is', async () => {
  await world.put({ callSid: 'CA3', itemKey: 'CALL', from: '+15005550006', expiresAt: 9 });
  await store.claimOrigin('CA3', first);
  expect(await world.item('CA3', 'CALL')).toMatchObject({
    from: '+15005550006',
    expiresAt: 9,
    originAt: first,
  });
});

test('A failing store is an error at once, after one attempt', async () => {
  world.proxy.setFault(() => ({ type: 'status', status: 500 }));
  const before = world.proxy.requests.length;
  const error = await store.claimOrigin('CA4', first).catch((error: unknown) => error);
  expect(error).toBeInstanceOf(CallStoreError);
  expect(error).toMatchObject({ retryable: true });
  expect(world.proxy.requests.length - before).toBe(1);
});

test('A store that does not answer is an error after the time-out', async () => {
  world.proxy.setFault(() => ({ type: 'stall' }));
  const impatient = createStore({ timeoutMs: 20 });
  await expect(impatient.claimOrigin('CA5', first)).rejects.toMatchObject({ retryable: true });
});

test('The probe is content with a table that holds nothing', async () => {
  await expect(createStore().probe()).resolves.toBeUndefined();
});

test('The probe says what to do when the table is not there', async () => {
  await expect(createStore({ tableName: 'nowhere' }).probe()).rejects.toThrow(
    /ResourceNotFound.*TRANSCRIPTS_TABLE/,
  );
});

describe('The legs of a call that have ended', () => {
  test('come back as they were written, whoever wrote them', async () => {
    const one = legSummary({ leadMs: 700 });
    const other = legSummary({ failure: 'http-402', firstAudioAt: first, lastAudioAt: later });
    const { latency: _, ...silent } = legSummary({ segments: 0 });
    await world.put({ callSid: 'CA10', itemKey: 'CALL', legs: { MZ1: one, MZ2: other, MZ3: silent } });
    expect(await store.readLegs('CA10')).toEqual({ ended: { MZ1: one, MZ2: other, MZ3: silent }, open: [] });
  });

  test('are apart from those that live, and nothing that makes no sense is among them', async () => {
    const legs = {
      MZ1: { startedAt: first, tracks: ['inbound'] },
      MZ2: 'none',
      MZ3: legSummary(),
      MZ4: { ...legSummary(), ledger: 'none', tracks: ['both'], segments: 'many' },
    };
    await world.put({ callSid: 'CA11', itemKey: 'CALL', legs });
    const { ended, open } = await store.readLegs('CA11');
    const { MZ3, MZ4, ...others } = ended;
    expect(open).toEqual(['MZ1']);
    expect(MZ3).toEqual(legSummary());
    expect(MZ4).toMatchObject({ ledger: { tracks: {} }, tracks: [], segments: 0 });
    expect(others).toEqual({});
  });

  test('are none for a call that the table does not know', async () => {
    expect(await store.readLegs('CA12')).toEqual({ ended: {}, open: [] });
    await world.put({ callSid: 'CA12', itemKey: 'CALL', legs: 'none' });
    expect(await store.readLegs('CA12')).toEqual({ ended: {}, open: [] });
  });

  test('are read strongly', async () => {
    await store.readLegs('CA13');
    expect(JSON.parse(world.proxy.requests.at(-1)?.body ?? '{}')).toMatchObject({ ConsistentRead: true });
  });

  test('are an error when the store fails', async () => {
    world.proxy.setFault(() => ({ type: 'throttle' }));
    await expect(store.readLegs('CA14')).rejects.toMatchObject({ name: 'CallStoreError', retryable: true });
  });
});
