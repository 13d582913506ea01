import { CallReader } from '../../../runtime/store/call-reader';
import { dayShard, segmentKey } from '../../../runtime/contract/transcripts-table';
import { startStoreWorld, TABLE, type StoreWorld } from '../../support/store-world';

const NOW = Date.parse('2026-11-21T12:00:00Z');
let world: StoreWorld;
let reader: CallReader;

beforeEach(async () => {
  world = await startStoreWorld();
  reader = new CallReader({ client: world.client, tableName: TABLE, now: () => NOW, pageSize: 2 });
});
afterEach(() => world.close());

async function putCall(
  callSid: string,
  startedAt: string,
  more: Record<string, unknown> = {},
): Promise<void> {
  const keys = { callSid, itemKey: 'CALL', startedAt, dayShard: dayShard(startedAt, callSid) };
  await world.put({ ...keys, status: 'completed', from: '+15005550006', ...more });
}

const key = (startMs: number, utteranceId = '0'): string =>
  segmentKey({ startMs, streamSid: 'MZ1', sessionNumber: 1, channel: 0, utteranceId });

const sids = (calls: readonly { callSid: string }[]): string[] => calls.map((call) => call.callSid);

describe('Listing calls', () => {
  test('gives them newest first, over days and shards, with what only the call item has', async () => {
    for (const n of [1, 2, 3, 4, 5, 6, 7, 8, 9]) await putCall(`CA${n}`, `2026-11-${10 + n}T10:00:00Z`);
    await putCall('CAa', '2026-11-19T11:00:00Z');
    const calls = await reader.listCalls({ limit: 4 });
    expect(sids(calls)).toEqual(['CAa', 'CA9', 'CA8', 'CA7']);
    expect(calls[0]).toMatchObject({ from: '+15005550006', status: 'completed' });
  });

  test('finds every call of a day that takes several pages', async () => {
    for (let n = 0; n < 16; n += 1) {
      await putCall(`CA${n.toString(16)}`, `2026-11-21T10:00:${String(n).padStart(2, '0')}Z`);
    }
    expect(await reader.listCalls({ limit: 100 })).toHaveLength(16);
  });

  test('looks no further back than asked', async () => {
    await putCall('CA1', '2026-11-21T00:00:00Z');
    await putCall('CA2', '2026-11-20T23:59:59Z');
    expect(sids(await reader.listCalls({ limit: 10, days: 1 }))).toEqual(['CA1']);
  });

  test('leaves out calls that are over when asked for live ones', async () => {
    for (const n of [1, 2, 3, 4, 5]) await putCall(`CA${n}1`, `2026-11-21T10:00:0${n}Z`);
    await putCall('CA61', '2026-11-21T09:00:00Z', { status: 'in-progress' });
    expect(sids(await reader.listCalls({ limit: 10, liveOnly: true }))).toEqual(['CA61']);
  });

  test('gives nothing for an empty table', async () => {
    expect(await reader.listCalls({ limit: 10 })).toEqual([]);
  });

  test('throws the error of a failing store', async () => {
    world.proxy.setFault(() => ({ type: 'error', name: 'AccessDeniedException', status: 400 }));
    await expect(reader.listCalls({ limit: 10 })).rejects.toMatchObject({ name: 'AccessDeniedException' });
  });
});

describe('Reading a call', () => {
  test('gives its segments in order of time, its gaps, sessions and results', async () => {
    await putCall('CA1', '2026-11-21T10:00:00Z', { direction: 'inbound' });
    for (const startMs of [70_000, 3_000, 12_000, 100, 9_000]) {
      await world.put({
        callSid: 'CA1',
        itemKey: key(startMs),
        text: `at ${startMs}`,
        startMs,
        endMs: startMs + 500,
      });
    }
    await world.put({ callSid: 'CA1', itemKey: 'GAP#0000000500#MZ1#inbound', startMs: 500, endMs: 900 });
    await world.put({
      callSid: 'CA1',
      itemKey: 'SESSION#MZ1#001',
      sessionId: 's',
      reconciled: true,
      url: 'wss://t',
    });
    await world.put({ callSid: 'CA1', itemKey: 'RESULT#summary#1', text: 'long' });
    await world.put({ callSid: 'CA2', itemKey: key(1), text: 'of another call' });
    const stored = await reader.readCall('CA1');
    expect(stored?.call.direction).toBe('inbound');
    expect(stored?.segments.map((segment) => segment.text)).toEqual([
      'at 100',
      'at 3000',
      'at 9000',
      'at 12000',
      'at 70000',
    ]);
    expect(stored?.gaps).toMatchObject([{ startMs: 500, endMs: 900 }]);
    expect(stored?.sessions).toMatchObject([{ sessionId: 's', reconciled: true }]);
    expect(JSON.stringify(stored)).not.toContain('wss://');
    expect(stored?.results).toMatchObject([{ text: 'long' }]);
  });

  test('gives nothing for an unknown call', async () => {
    expect(await reader.readCall('CA1')).toBeUndefined();
    expect(await reader.readCallItem('CA1')).toBeUndefined();
  });

  test('takes items of another version as far as they make sense', async () => {
    await world.put({
      callSid: 'CA1',
      itemKey: 'CALL',
      status: 7,
      legs: 'none',
      ledger: { tracks: 3 },
      mood: 'good',
    });
    await world.put({ callSid: 'CA1', itemKey: key(5), startMs: 'five', text: 'hello', translation: ['x'] });
    await world.put({ callSid: 'CA1', itemKey: 'FUTURE#1', text: 'unknown kind' });
    const stored = await reader.readCall('CA1');
    expect(stored?.call).toMatchObject({ legs: {}, mood: 'good' });
    expect(stored?.call.status).toBeUndefined();
    expect(stored?.call.ledger).toBeUndefined();
    expect(stored?.segments).toMatchObject([{ text: 'hello', startMs: 0 }]);
  });

  test('shows segments whose call item was lost', async () => {
    await world.put({ callSid: 'CA1', itemKey: key(5), startMs: 5, endMs: 6, text: 'hello' });
    const stored = await reader.readCall('CA1');
    expect(stored?.call).toMatchObject({ callSid: 'CA1' });
    expect(stored?.segments).toHaveLength(1);
  });
});

describe('Segments after a key', () => {
  test('are those that come later, over several pages', async () => {
    for (const n of [1, 2, 3, 4, 5, 6])
      await world.put({ callSid: 'CA1', itemKey: key(n * 1000), text: `${n}` });
    await world.put({ callSid: 'CA1', itemKey: 'SESSION#MZ1#001' });
    const texts = async (after?: string) =>
      (await reader.segmentsAfter('CA1', after)).map(({ text }) => text);
    expect(await texts()).toEqual(['1', '2', '3', '4', '5', '6']);
    expect(await texts(key(2000))).toEqual(['3', '4', '5', '6']);
    expect(await texts(key(6000))).toEqual([]);
  });
});
