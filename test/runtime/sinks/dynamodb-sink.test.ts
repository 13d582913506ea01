import { Metrics } from '../../../runtime/observability/metrics';
import { Secret } from '../../../runtime/model/secret';
import type { TranscriptEvent } from '../../../runtime/model/transcript-event';
import { DynamoDbSink } from '../../../runtime/sinks/dynamodb-sink';
import { CallReader } from '../../../runtime/store/call-reader';
import { createTableWriter } from '../../../runtime/store/table-writer';
import { WriteQueue } from '../../../runtime/store/write-queue';
import type { StoreWrite } from '../../../runtime/store/store-write';
import type { StoreRequest } from '../../support/dynamodb-fault-proxy';
import { recordLog, type RecordedLog } from '../../support/recorded-log';
import { startStoreWorld, TABLE, type StoreWorld } from '../../support/store-world';
import { eventsOf, legSummary, trackLedger, type EventFactory } from '../../support/transcript-events';

const SEGMENT = 'SEGMENT#0000001234#MZ1#001#0#00_00000001';
const EXPIRES_AT = 1_000 + 30 * 86_400;
let world: StoreWorld;
let metrics: Metrics;
let log: RecordedLog;
let call: EventFactory;
let calls = 0;

beforeAll(async () => void (world = await startStoreWorld()));
afterAll(() => world.close());
beforeEach(() => {
  metrics = new Metrics();
  log = recordLog();
  call = eventsOf(`CA${(calls += 1)}0`);
});

/** Writes the events with a sink of their own, to the end. */
async function write(
  events: readonly TranscriptEvent[],
  { storeWords = false, expectsAddOns = false } = {},
): Promise<void> {
  const writer = createTableWriter(world.client, TABLE);
  const queue = new WriteQueue({ writer, metrics, logger: log.logger, lingerMs: 1, firstBackOffMs: 1 });
  const sink = new DynamoDbSink({
    queue,
    retentionDays: 30,
    storeWords,
    expectsAddOns,
    metrics,
    logger: log.logger,
    now: () => 1_000_999,
  });
  for (const event of events) sink.write(event);
  expect(await sink.close(5_000)).toBe(0);
}

const item = (itemKey: string) => world.item(call.callSid, itemKey);
const wholeCall = (): TranscriptEvent[] => [
  call.legStarted(),
  call.audioStarted(),
  call.sessionOpened(),
  call.final(),
  call.addOn(),
  call.sessionClosed(),
  call.legEnded(),
  call.callEnded(),
];

describe('A whole call', () => {
  test('is one call item, one session and its segments', async () => {
    await write(wholeCall());
    const items = await world.items(call.callSid);
    expect(items.map(({ itemKey }) => itemKey)).toEqual(['CALL', SEGMENT, 'SESSION#MZ1#001']);
    expect(items[0]).toEqual({
      callSid: call.callSid,
      itemKey: 'CALL',
      accountSid: 'AC1',
      from: '+15005550006',
      to: '+15005550010',
      direction: 'inbound',
      status: 'completed',
      dayShard: '2026-11-21#0',
      startedAt: '2026-11-21T10:00:00.000Z',
      originAt: '2026-11-21T10:00:00.100Z',
      endedAt: '2026-11-21T10:01:05.000Z',
      endReason: 'stopped',
      legs: { MZ1: legSummary() },
      segmentCount: 12,
      sessionCount: 1,
      ledger: { tracks: { inbound: trackLedger(), outbound: trackLedger() } },
      latency: { count: 12, p50Ms: 400, p95Ms: 900, p99Ms: 950 },
      billableSeconds: 120,
      reconciled: true,
      expiresAt: EXPIRES_AT,
    });
    expect(metrics.value('storeFailures')).toBe(0);
    expect(log.lines).toEqual([]);
  });

  test('is found by day, by caller and by callee', async () => {
    await write(wholeCall());
    const reader = new CallReader({
      client: world.client,
      tableName: TABLE,
      now: () => Date.parse('2026-11-22'),
    });
    const listed = await reader.listCalls({ limit: 100, days: 2 });
    expect(listed.map(({ callSid }) => callSid)).toContain(call.callSid);
  });

  test('written a second time changes nothing', async () => {
    await write(wholeCall());
    const before = await world.items(call.callSid);
    await write(wholeCall());
    expect(await world.items(call.callSid)).toEqual(before);
    expect(metrics.value('storeFailures')).toBe(0);
    expect(log.lines).toEqual([]);
  });
});

describe.each([
  ['with add-ons', true],
  ['without', false],
])('Requests that arrive again after everything else, %s,', (_, expectsAddOns) => {
  const story = (): TranscriptEvent[] => {
    const { callSid, streamSid } = call;
    const other = eventsOf(callSid, 'MZ2');
    const gap = {
      type: 'gap',
      track: 'inbound',
      startMs: 5_000,
      endMs: 9_000,
      cause: 'stream-lost',
    } as const;
    const addOns = [call.addOn(), call.addOn({ value: { de: 'Guten Morgen' } })];
    return [
      call.legStarted(),
      call.audioStarted(),
      call.sessionOpened(),
      call.final(),
      ...(expectsAddOns ? addOns : []),
      call.final({ startMs: 4_000, utteranceId: '00_00000002' }),
      call.sessionClosed({ reconciled: false }),
      call.sessionClosed(),
      call.legEnded({ endReason: 'stream-lost' }),
      call.callEnded({ endedAt: '2026-11-21T10:00:20.000Z' }),
      other.legStarted({ startedAt: '2026-11-21T10:00:30.000Z' }),
      { callSid, streamSid, ...gap },
      other.final({ startMs: 31_000, overlap: true }),
      other.legEnded(),
      { callSid, streamSid, type: 'summary', sessionNumber: 1, text: 'A parcel.' },
      call.callEnded({ legs: [legSummary(), legSummary()] }),
    ];
  };

  test.each([
    ['in their order', (requests: readonly StoreRequest[]) => requests],
    ['in the opposite order', (requests: readonly StoreRequest[]) => requests.toReversed()],
  ])('%s, change nothing', async (_, order) => {
    const from = world.proxy.requests.length;
    await write(story(), { expectsAddOns });
    const before = await world.items(call.callSid);
    expect(before.length).toBeGreaterThan(5);
    const requests = world.proxy.requests.slice(from);
    for (const request of order(requests)) await world.proxy.repeat(request);
    expect(await world.items(call.callSid)).toEqual(before);
  });
});

describe('Segments that could not be stored', () => {
  const tooLarge = (): TranscriptEvent => call.final({ text: 'x'.repeat(401 * 1024) });
  const noting = async (events: readonly TranscriptEvent[]): Promise<void> => {
    const writer = createTableWriter(world.client, TABLE);
    const { logger } = log;
    const onLost = (write: StoreWrite): void => sink.noteLost(write);
    const queue = new WriteQueue({ writer, metrics, logger, lingerMs: 1, onLost });
    const sink = new DynamoDbSink({ queue, retentionDays: 30, storeWords: false, metrics, logger });
    for (const event of events) sink.write(event);
    // Those who are told are told later.
    await Promise.resolve();
    for (const event of [call.sessionClosed(), call.legEnded(), call.callEnded()]) sink.write(event);
    expect(await sink.close(5_000)).toBe(0);
  };

  test('leave their session and their call unreconciled', async () => {
    await noting([call.legStarted(), call.sessionOpened(), tooLarge(), tooLarge(), call.final()]);
    expect(await item('SESSION#MZ1#001')).toMatchObject({ reconciled: false, status: 'closed' });
    expect(await item('CALL')).toMatchObject({ reconciled: false });
    expect(metrics.value('storeFailures')).toBe(2);
  });

  test('leave their session unreconciled even if it was closed before that was known', async () => {
    await noting([call.sessionOpened(), call.sessionClosed(), tooLarge()]);
    expect(await item('SESSION#MZ1#001')).toMatchObject({ reconciled: false });
  });

  test('of one session say nothing about another one, nor of a session nobody knows', async () => {
    const other = { sessionNumber: 2, sessionId: 'session-2' };
    await noting([
      call.sessionOpened(),
      { ...tooLarge(), ...call.final({ ...other, text: 'x'.repeat(401 * 1024) }) },
    ]);
    expect(await item('SESSION#MZ1#001')).toMatchObject({ reconciled: true });
    expect(await item('SESSION#MZ1#002')).toBeUndefined();
  });

  test('do not matter when they are no segments', async () => {
    await noting([call.sessionOpened(), { ...call.legStarted(), accountSid: 'x'.repeat(401 * 1024) }]);
    expect(await item('SESSION#MZ1#001')).toMatchObject({ reconciled: true });
    expect(await item('CALL')).toMatchObject({ reconciled: true });
  });
});

test('A leg whose session has no result is not reconciled, until its lines were compared later', async () => {
  const queue = new WriteQueue({
    writer: createTableWriter(world.client, TABLE),
    metrics,
    logger: log.logger,
  });
  const sink = new DynamoDbSink({ queue, retentionDays: 30, storeWords: false, metrics, logger: log.logger });
  const other = eventsOf(call.callSid, 'MZ2');
  const asked = () => [call, other].map((leg) => sink.isReconciled(leg));
  for (const event of [call.sessionOpened(), call.sessionClosed(), other.sessionClosed()]) sink.write(event);
  expect(asked()).toEqual([true, true]);
  const { facts: _, ...noResult } = call.sessionClosed({ reconciled: false, mayBeOpen: true });
  sink.write(other.sessionOpened());
  sink.write({ ...noResult, streamSid: 'MZ2' });
  expect(asked()).toEqual([true, false]);
  expect(sink.isFlushed(call.callSid)).toBe(false);
  sink.write(other.sessionClosed({ isLate: true }));
  expect(asked()).toEqual([true, true]);
  await sink.close(5_000);
  expect(sink.isFlushed(call.callSid)).toBe(true);
  expect(await item('SESSION#MZ2#001')).toMatchObject({ reconciled: true });
});

test('A session that may still be open keeps its url for whoever ends it', async () => {
  await write([call.sessionOpened(), call.sessionClosed({ reconciled: false, mayBeOpen: true })]);
  expect(await item('SESSION#MZ1#001')).toMatchObject({ url: expect.stringContaining('wss:') });
  await write([call.sessionClosed({ isLate: true })]);
  expect(await item('SESSION#MZ1#001')).not.toHaveProperty('url');
});

describe('The call item', () => {
  test('keeps what a leg came to when an earlier end of it is told later', async () => {
    await write([call.legStarted(), call.legEnded({ endReason: 'task-died' })]);
    await write([call.legEnded({ endReason: 'stream-lost', endedAt: '2026-11-21T10:00:40.000Z' })]);
    expect(await item('CALL')).toMatchObject({ legs: { MZ1: { endReason: 'task-died' } } });
    await write([call.legEnded({ endReason: 'stopped', endedAt: '2026-11-21T10:02:00.000Z' })]);
    expect(await item('CALL')).toMatchObject({ legs: { MZ1: { endReason: 'stopped' } } });
    expect(metrics.value('storeFailures')).toBe(0);
  });

  test('leaves out who nobody knows, so that no index lists the call under "unknown"', async () => {
    await write([call.legStarted({ parties: { from: 'unknown', to: '', direction: 'unknown' } })]);
    const stored = await item('CALL');
    expect(stored).toMatchObject({ status: 'in-progress' });
    expect(stored).not.toHaveProperty('from');
    expect(stored).not.toHaveProperty('to');
    expect(stored).not.toHaveProperty('direction');
  });

  test('takes what Twilio tells later', async () => {
    const described = { callSid: call.callSid, streamSid: 'MZ1', type: 'call-described' } as const;
    await write([
      call.legStarted({ parties: { direction: 'unknown' } }),
      { ...described, parties: { from: '+15005550006', direction: 'inbound' } },
      { ...described, parties: { direction: 'unknown' } },
    ]);
    expect(await item('CALL')).toMatchObject({ from: '+15005550006', direction: 'inbound' });
    expect(metrics.value('storeFailures')).toBe(0);
  });

  test('is not made by a description alone', async () => {
    const parties = { from: '+15005550006', direction: 'inbound' } as const;
    await write([{ callSid: call.callSid, streamSid: 'MZ1', type: 'call-described', parties }]);
    expect(await world.items(call.callSid)).toEqual([]);
  });

  test('keeps the first start when a second leg starts, and has both legs', async () => {
    const second = eventsOf(call.callSid, 'MZ2');
    await write([
      call.legStarted(),
      call.legEnded(),
      second.legStarted({ startedAt: '2026-11-21T10:00:40.000Z' }),
      second.audioStarted('2026-11-21T10:00:41.000Z'),
    ]);
    const stored = await item('CALL');
    expect(stored).toMatchObject({ startedAt: '2026-11-21T10:00:00.000Z', status: 'in-progress' });
    expect(stored?.['legs']).toEqual({
      MZ1: legSummary(),
      MZ2: { startedAt: '2026-11-21T10:00:40.000Z', tracks: ['inbound', 'outbound'] },
    });
  });

  test('keeps an origin that was claimed before the leg was written', async () => {
    await world.put({ callSid: call.callSid, itemKey: 'CALL', originAt: '2026-11-21T09:59:59.000Z' });
    await write([call.legStarted(), call.audioStarted()]);
    expect(await item('CALL')).toMatchObject({ originAt: '2026-11-21T09:59:59.000Z', status: 'in-progress' });
  });

  test('stays completed when a start comes late', async () => {
    await write([call.callEnded(), call.legStarted()]);
    expect(await item('CALL')).toMatchObject({ status: 'completed', endedAt: '2026-11-21T10:01:05.000Z' });
    expect(metrics.value('storeFailures')).toBe(0);
    await write([call.legEnded(), eventsOf(call.callSid, 'MZ2').legStarted()]);
    expect(await item('CALL')).toMatchObject({ status: 'completed', endedAt: '2026-11-21T10:01:05.000Z' });
  });

  test('keeps what a leg came to when its start comes again', async () => {
    await write([call.legStarted(), call.legEnded(), call.legStarted()]);
    expect(await item('CALL')).toMatchObject({ legs: { MZ1: { endReason: 'stopped', segments: 12 } } });
  });

  test('is in progress again when a leg starts after the end', async () => {
    const second = eventsOf(call.callSid, 'MZ2');
    await write([...wholeCall(), second.legStarted({ startedAt: '2026-11-21T10:02:00.000Z' })]);
    const stored = await item('CALL');
    expect(stored).toMatchObject({ status: 'in-progress', startedAt: '2026-11-21T10:00:00.000Z' });
    expect(stored).not.toHaveProperty('endedAt');
    await write([second.callEnded({ endedAt: '2026-11-21T10:03:00.000Z' })]);
    expect(await item('CALL')).toMatchObject({ status: 'completed', endedAt: '2026-11-21T10:03:00.000Z' });
  });

  test('keeps its end when an older one comes late', async () => {
    await write([
      ...wholeCall(),
      call.callEnded({ endedAt: '2026-11-21T10:00:30.000Z', endReason: 'stream-lost' }),
    ]);
    expect(await item('CALL')).toMatchObject({ endedAt: '2026-11-21T10:01:05.000Z', endReason: 'stopped' });
  });

  test('is listed even if the write of its start was lost', async () => {
    await write([call.legEnded(), call.callEnded()]);
    expect(await item('CALL')).toMatchObject({
      startedAt: '2026-11-21T10:00:00.000Z',
      dayShard: '2026-11-21#0',
      legs: { MZ1: { endReason: 'stopped' } },
      status: 'completed',
    });
  });

  test('sums the legs', async () => {
    const lost = trackLedger({ receivedMs: 1_000, acceptedMs: 400, lostMs: { 'backlog-overflow': 600 } });
    const other = legSummary({
      segments: 4,
      ledger: { tracks: { inbound: lost } },
      latency: { count: 4, p50Ms: 800, p95Ms: 2_000, p99Ms: 2_500 },
      latencyParts: { relay: { count: 4, p50Ms: 0.25, p95Ms: 0.35, p99Ms: 0.45 } },
      reconciled: false,
      billableSeconds: 1,
      failure: 'http-401',
    });
    await write([call.legStarted(), call.callEnded({ legs: [legSummary(), other] })]);
    expect(await item('CALL')).toMatchObject({
      segmentCount: 16,
      ledger: {
        tracks: {
          inbound: { receivedMs: 61_000, acceptedMs: 60_400, lostMs: { 'backlog-overflow': 600 } },
          outbound: { receivedMs: 60_000, lostMs: {} },
        },
      },
      latency: { count: 16, p50Ms: 500, p95Ms: 2_000, p99Ms: 2_500 },
      latencyParts: { relay: { count: 4, p50Ms: 0.25, p95Ms: 0.35, p99Ms: 0.45 } },
      reconciled: false,
      billableSeconds: 121,
      failure: 'http-401',
    });
  });
});

describe('A segment', () => {
  test('has what the design says, and its words only when asked', async () => {
    await write([call.final()]);
    const stored = await item(SEGMENT);
    expect(stored).toEqual({
      callSid: call.callSid,
      itemKey: SEGMENT,
      text: 'Good morning, my parcel has not arrived.',
      startMs: 1234,
      endMs: 4321,
      at: '2026-11-21T10:00:01.334Z',
      channel: 0,
      track: 'inbound',
      speaker: 'customer',
      language: 'en',
      confidence: 0.93,
      sessionId: 'session-1',
      sessionNumber: 1,
      utteranceId: '00_00000001',
      streamSid: 'MZ1',
      sessionStartMs: 1134,
      sessionEndMs: 4221,
      latencyMs: 412,
      source: 'live',
      expiresAt: EXPIRES_AT,
    });
    await write([call.final()], { storeWords: true });
    expect(await item(SEGMENT)).toHaveProperty('words', [
      { text: 'Good', startMs: 1234, endMs: 1400, confidence: 0.9 },
    ]);
  });

  test('keeps its add-ons when the final comes again', async () => {
    await write([call.final(), call.addOn(), call.final()]);
    expect(await item(SEGMENT)).toMatchObject({ source: 'live', translation: { fr: 'Bonjour' } });
    expect(metrics.value('storeFailures')).toBe(0);
  });

  test('stays as it came live when the final result has it, too', async () => {
    await write([call.final(), call.addOn()]);
    await write([call.final({ source: 'recovered', text: 'another reading' })]);
    expect(await item(SEGMENT)).toMatchObject({
      text: 'Good morning, my parcel has not arrived.',
      source: 'live',
      translation: { fr: 'Bonjour' },
    });
    expect(metrics.value('storeFailures')).toBe(0);
  });

  test('that only the final result has is stored', async () => {
    await write([call.final({ source: 'recovered' }), call.addOn()]);
    expect(await item(SEGMENT)).toMatchObject({ source: 'recovered', translation: { fr: 'Bonjour' } });
  });

  test('takes every kind of add-on, and translations into several languages', async () => {
    await write([
      call.final(),
      call.addOn(),
      call.addOn({ value: { de: 'Guten Morgen', es: 'Buenos dias' } }),
      call.addOn({ kind: 'entities', value: [{ entity_type: 'PARCEL' }] }),
      call.addOn({ kind: 'sentiment', value: [{ sentiment: 'negative' }] }),
    ]);
    expect(await item(SEGMENT)).toMatchObject({
      translation: { fr: 'Bonjour', de: 'Guten Morgen', es: 'Buenos dias' },
      entities: [{ entity_type: 'PARCEL' }],
      sentiment: [{ sentiment: 'negative' }],
    });
  });

  test('does not come into being by an add-on whose final was never stored', async () => {
    await write([call.addOn(), call.addOn({ kind: 'sentiment', value: [] })]);
    expect(await world.items(call.callSid)).toEqual([]);
    expect(metrics.value('storeFailures')).toBe(2);
    expect(metrics.value('storeRetries')).toBe(0);
  });

  test('is not made of a partial', async () => {
    await write([{ ...call.final(), type: 'partial' }]);
    expect(await world.items(call.callSid)).toEqual([]);
  });
});

describe('A session', () => {
  test('has its url while it is open, and not a moment longer', async () => {
    await write([call.sessionOpened()]);
    expect(await item('SESSION#MZ1#001')).toMatchObject({
      status: 'open',
      url: 'wss://speech.example/live?token=abc',
      baseMs: 0,
      reconciled: false,
    });
    await write([call.sessionClosed()]);
    const stored = await item('SESSION#MZ1#001');
    expect(stored).toMatchObject({
      status: 'closed',
      reconciled: true,
      baseMs: 0,
      result: { status: 'done', audioSeconds: 60, languages: ['en'] },
    });
    expect(stored).not.toHaveProperty('url');
  });

  test('does not get its url back when its opening comes late', async () => {
    await write([call.sessionClosed(), call.sessionOpened({ url: new Secret('wss://speech.example/late') })]);
    expect(await item('SESSION#MZ1#001')).not.toHaveProperty('url');
  });

  test('stays reconciled', async () => {
    await write([call.sessionOpened(), call.sessionClosed(), call.sessionClosed({ reconciled: false })]);
    expect(await item('SESSION#MZ1#001')).toMatchObject({ reconciled: true, result: { status: 'done' } });
  });

  test('can become reconciled later', async () => {
    await write([call.sessionClosed({ reconciled: false }), call.sessionClosed()]);
    expect(await item('SESSION#MZ1#001')).toMatchObject({ reconciled: true });
  });
});

describe('A summary', () => {
  const summary = (text: string, sessionNumber = 1, streamSid = 'MZ1'): TranscriptEvent => ({
    type: 'summary',
    callSid: call.callSid,
    streamSid,
    sessionNumber,
    text,
  });

  test('is part of the call item when it is small', async () => {
    await write([call.legStarted(), summary('A parcel is late.'), summary('A parcel is late.')]);
    expect(await item('CALL')).toMatchObject({ summary: 'A parcel is late.' });
    expect(await world.items(call.callSid)).toHaveLength(1);
  });

  test('of another session or leg does not replace the first', async () => {
    await write([summary('one'), summary('two', 2), summary('three', 1, 'MZ2')]);
    const items = await world.items(call.callSid);
    expect(items.map((stored) => stored['summary'] ?? stored['text'])).toEqual(['one', 'two', 'three']);
  });

  test('that is large has an item of its own', async () => {
    await write([call.legStarted(), summary('x'.repeat(5_000))]);
    expect(await item('CALL')).not.toHaveProperty('summary');
    const [result] = (await world.items(call.callSid)).filter(({ itemKey }) =>
      String(itemKey).startsWith('RESULT#'),
    );
    expect(result).toMatchObject({ text: 'x'.repeat(5_000), expiresAt: EXPIRES_AT });
  });
});

test('A gap is an item in its place in time', async () => {
  const { callSid, streamSid } = call;
  const gap = { type: 'gap', callSid, streamSid, track: 'inbound', startMs: 500, endMs: 900 } as const;
  await write([{ ...gap, cause: 'backlog-overflow' }]);
  expect(await world.items(callSid)).toEqual([
    {
      callSid,
      streamSid,
      itemKey: 'GAP#0000000500#MZ1#inbound',
      track: 'inbound',
      startMs: 500,
      endMs: 900,
      cause: 'backlog-overflow',
      expiresAt: EXPIRES_AT,
    },
  ]);
});

test('Every item expires', async () => {
  await write([...wholeCall(), { ...call.final({ source: 'recovered', utteranceId: 'x' }) }]);
  for (const stored of await world.items(call.callSid))
    expect(stored).toHaveProperty('expiresAt', EXPIRES_AT);
});

test('An event that cannot be turned into an item is counted and hurts nobody', async () => {
  const broken = { ...call.sessionOpened(), url: undefined } as unknown as TranscriptEvent;
  await write([broken, call.final()]);
  expect(metrics.value('sinkErrors')).toBe(1);
  expect(await item(SEGMENT)).toBeDefined();
  expect(log.lines).toEqual([expect.objectContaining({ msg: 'A sink failed', event: 'session-opened' })]);
});

test('Nothing of a call is in the log when the store refuses it', async () => {
  world.proxy.setFault(() => ({ type: 'validation' }));
  await write(wholeCall());
  world.proxy.setFault(() => undefined);
  expect(metrics.value('storeFailures')).toBeGreaterThan(0);
  expect(JSON.stringify(log.lines)).not.toMatch(/parcel|\+1500|token=|Bonjour/);
});
