import { Calls, type CallsOptions, type LiveLeg } from '../../../runtime/call/calls';
import type { LimitReason } from '../../../runtime/call/leg-limits';
import type { LegState } from '../../../runtime/call/leg-state';
import type { LegEndReason, LegStart } from '../../../runtime/model/call-event';
import type { LegSummary, TranscriptEvent } from '../../../runtime/model/transcript-event';
import { Metrics } from '../../../runtime/observability/metrics';
import { recordLog } from '../../support/recorded-log';

const CALL = `CA${'1'.repeat(32)}`;

let legs = 0;

/** A leg that does what the test says. */
class FakeLeg {
  readonly streamSid = `MZ${(legs += 1)}`;
  readonly start: LegStart | undefined;
  state: LegState = 'streaming';
  closedWith: LegEndReason[] = [];
  isAborted = false;
  isAbandoned = false;
  isLost = false;
  ticks = 0;
  overLimit: LimitReason | undefined;
  heardElsewhereFromMs: number | undefined;
  #end: (summary: LegSummary | undefined) => void = () => undefined;
  #closeSocket: () => void = () => undefined;
  readonly live: LiveLeg;

  constructor(
    readonly callSid: string | undefined = CALL,
    start: Partial<LegStart> = {},
  ) {
    const { streamSid } = this;
    this.start =
      callSid === undefined
        ? undefined
        : {
            type: 'started',
            callSid,
            accountSid: 'AC1',
            streamSid,
            tracks: ['inbound'],
            parameters: {},
            ...start,
          };
    const ended = new Promise<LegSummary | undefined>((resolve) => (this.#end = resolve));
    const closed = new Promise<void>((resolve) => (this.#closeSocket = resolve));
    const leg = this;
    const session = {
      ended,
      callSid,
      streamSid: callSid === undefined ? undefined : streamSid,
      start: this.start,
      get state() {
        return leg.state;
      },
      get isLost() {
        return leg.isLost;
      },
      heardElsewhereFrom: (atMs: number) => (this.heardElsewhereFromMs = atMs),
      tick: () => (this.ticks += 1),
      limitReached: () => this.overLimit,
      abort: () => (this.isAborted = true),
      abandon: () => (this.isAbandoned = true),
    };
    const stream = { closed, close: (reason: LegEndReason) => this.closedWith.push(reason) };
    this.live = { session, stream } as unknown as LiveLeg;
  }

  async end(endReason: LegEndReason = 'stopped', summary: Partial<LegSummary> = {}): Promise<void> {
    this.state = 'ended';
    const startedAt = `2026-01-01T00:00:0${Number(this.streamSid.slice(2)) % 10}.000Z`;
    this.#end({ endReason, startedAt, endedAt: '2026-01-01T00:00:00.000Z', ...summary } as LegSummary);
    await settle();
  }

  async fault(): Promise<void> {
    this.state = 'ended';
    this.#end(undefined);
    await settle();
  }

  async closeSocket(): Promise<void> {
    this.#closeSocket();
    await settle();
  }
}

/** Lets everything that is ready to run, run. */
async function settle(): Promise<void> {
  await jest.advanceTimersByTimeAsync(0);
}

function create(options: Partial<CallsOptions> = {}) {
  const events: TranscriptEvent[] = [];
  const metrics = new Metrics();
  const { logger, lines } = recordLog();
  const calls = new Calls({
    sinks: [{ name: 'events', write: (event) => void events.push(event), close: () => Promise.resolve(0) }],
    origins: { claimOrigin: (_, originAt) => Promise.resolve(originAt) },
    isCallOver: () => Promise.resolve(undefined),
    storedLegs: () => Promise.resolve({ ended: {}, open: [] }),
    isHeardElsewhere: () => Promise.resolve(false),
    wallNow: () => 1_000,
    limits: { mediaTimeoutMs: Infinity, maxCallMs: Infinity },
    onLimit: () => undefined,
    callEndGraceMs: 5_000,
    callEndPollMs: 15_000,
    logger,
    metrics,
    ...options,
  });
  const start = (leg = new FakeLeg()): FakeLeg => {
    calls.add(leg.live);
    if (leg.start !== undefined) calls.onLegStarted(leg.start);
    return leg;
  };
  return { calls, events, metrics, lines, start };
}

beforeEach(() => {
  legs = 0;
  jest.useFakeTimers();
});
afterEach(() => jest.useRealTimers());

test('a call is over some time after its last leg, when nobody can be asked', async () => {
  const { events, start } = create();
  await start().end();
  await jest.advanceTimersByTimeAsync(4_999);
  expect(events).toHaveLength(0);
  await jest.advanceTimersByTimeAsync(1);
  expect(events).toMatchObject([{ type: 'call-ended', callSid: CALL, endReason: 'stopped' }]);
});

test('a leg that starts in that time keeps the call open, and the call ends once, with both', async () => {
  const { events, start } = create();
  await start().end('stream-lost');
  await jest.advanceTimersByTimeAsync(4_000);
  const second = start();
  await jest.advanceTimersByTimeAsync(60_000);
  expect(events).toHaveLength(0);
  await second.end();
  await jest.advanceTimersByTimeAsync(5_000);
  expect(events).toMatchObject([
    { endReason: 'stopped', legs: [{ endReason: 'stream-lost' }, { endReason: 'stopped' }] },
  ]);
});

test('a call that Twilio says goes on is asked about again, until it is over', async () => {
  let isOver: boolean | undefined = false;
  const isCallOver = jest.fn(() => Promise.resolve(isOver));
  const { events, start } = create({ isCallOver });
  await start().end();
  await jest.advanceTimersByTimeAsync(5_000 + 2 * 15_000);
  expect(isCallOver).toHaveBeenCalledTimes(3);
  expect(events).toHaveLength(0);
  isOver = true;
  await jest.advanceTimersByTimeAsync(15_000);
  expect(events).toMatchObject([{ type: 'call-ended' }]);
  await jest.advanceTimersByTimeAsync(60_000);
  expect(isCallOver).toHaveBeenCalledTimes(4);
});

test('a leg that starts while Twilio is asked is not overheard', async () => {
  let answer: (isOver: boolean) => void = () => undefined;
  const isCallOver = () => new Promise<boolean>((resolve) => (answer = resolve));
  const { events, start } = create({ isCallOver });
  await start().end();
  await jest.advanceTimersByTimeAsync(5_000);
  start();
  answer(true);
  await settle();
  expect(events).toHaveLength(0);
});

test('two legs at once end the call with the last of them', async () => {
  const { events, start } = create();
  const [one, two] = [start(), start()];
  await one.end();
  await jest.advanceTimersByTimeAsync(60_000);
  expect(events).toHaveLength(0);
  await two.end();
  await jest.advanceTimersByTimeAsync(5_000);
  expect(events).toHaveLength(1);
});

test('a call without any leg that came to something tells nothing', async () => {
  const { events, start } = create();
  await start().fault();
  await jest.advanceTimersByTimeAsync(60_000);
  expect(events).toHaveLength(0);
});

test('a socket that never said which call it is of is let go when it closes', async () => {
  const { calls, metrics, start } = create();
  const leg = start(new FakeLeg(undefined));
  expect(metrics.value('callsLive')).toBe(1);
  await leg.closeSocket();
  expect(leg.isAbandoned).toBe(true);
  await leg.fault();
  expect(calls.liveLegs).toBe(0);
  expect(metrics.value('callsLive')).toBe(0);
});

test('legs whose last words are on their way take no place of a new call', () => {
  const { calls, start } = create();
  const leg = start();
  start();
  leg.state = 'finishing';
  expect([calls.liveLegs, calls.streamingLegs]).toEqual([2, 1]);
  leg.state = 'waiting';
  expect(calls.streamingLegs).toBe(2);
});

test('the timer reaches every leg', () => {
  const { calls, start } = create();
  const legs = [start(), start()];
  calls.tick();
  expect(legs.map(({ ticks }) => ticks)).toEqual([1, 1]);
});

it('tells of the legs that are more than they may be, and of no other', () => {
  const told: unknown[] = [];
  const { calls, start } = create({ onLimit: (leg, reason) => told.push([leg, reason]) });
  const [, idle] = [start(), start()];
  calls.tick();
  expect(told).toEqual([]);
  idle!.overLimit = 'idle';
  calls.tick();
  expect(told).toEqual([[idle!.live, 'idle']]);
});

it('counts the calls of an account that take audio, each once, and not the one that asks', async () => {
  const { calls, start } = create();
  const own = (callSid: string, accountSid = 'AC1'): FakeLeg => start(new FakeLeg(callSid, { accountSid }));
  own('CA1');
  own('CA1');
  const other = own('CA2');
  own('CA3', 'AC2');
  expect([calls.callsOf('AC1', 'CA9'), calls.callsOf('AC1', 'CA1'), calls.callsOf('AC2', 'CA9')]).toEqual([
    2, 1, 1,
  ]);
  await other.end();
  expect(calls.callsOf('AC1', 'CA9')).toBe(1);
});

describe("a call's origin", () => {
  test('is asked for once, and the same for all legs', async () => {
    const claimOrigin = jest.fn((_: string, originAt: string) => Promise.resolve(originAt));
    const { calls, start } = create({ origins: { claimOrigin } });
    start();
    const origins = Promise.all([calls.claimOrigin(CALL, 1_000), calls.claimOrigin(CALL, 9_000)]);
    expect(await origins).toEqual([1_000, 1_000]);
    expect(claimOrigin).toHaveBeenCalledTimes(1);
  });

  test('is what the store has from before', async () => {
    const claimOrigin = () => Promise.resolve(new Date(500).toISOString());
    const { calls, start } = create({ origins: { claimOrigin } });
    start();
    expect(await calls.claimOrigin(CALL, 1_000)).toBe(500);
  });

  test("is this leg's own start when the store does not answer, and that is said", async () => {
    const claimOrigin = () => Promise.reject(new Error('no store'));
    const { calls, lines, start } = create({ origins: { claimOrigin } });
    start();
    expect(await calls.claimOrigin(CALL, 1_000)).toBe(1_000);
    expect(lines).toMatchObject([{ level: 40, callSid: CALL }]);
  });

  test("is this leg's own start when what the store has is no time", async () => {
    const { calls, start } = create({ origins: { claimOrigin: () => Promise.resolve('yesterday') } });
    start();
    expect(await calls.claimOrigin(CALL, 1_000)).toBe(1_000);
  });
});

test('a Twilio that does not answer is asked again, but does not keep a call open for ever', async () => {
  const isCallOver = jest.fn(() => Promise.resolve('no-answer' as const));
  const { events, start } = create({ isCallOver });
  await start().end();
  await jest.advanceTimersByTimeAsync(5_000 + 6 * 15_000);
  expect(events).toHaveLength(0);
  await jest.advanceTimersByTimeAsync(15_000);
  expect(events).toHaveLength(1);
  expect(isCallOver).toHaveBeenCalledTimes(8);
});

test('a call that comes back after it was over ends again with all its legs', async () => {
  const { events, metrics, start } = create();
  await start().end();
  await jest.advanceTimersByTimeAsync(5_000);
  await start().end();
  await jest.advanceTimersByTimeAsync(5_000);
  expect(events.map((event) => event.type === 'call-ended' && event.legs.length)).toEqual([1, 2]);
  expect([metrics.value('callsStarted'), metrics.value('callsEnded')]).toEqual([1, 1]);
});

test('a call that comes back after a thousand others ends with what the table has of it, and its streams are known', async () => {
  const stored = new Map<string, LegSummary>();
  const { start, calls, events } = create({
    storedLegs: (callSid) =>
      Promise.resolve({ ended: callSid === CALL ? Object.fromEntries(stored) : {}, open: [] }),
  });
  const first = start();
  await first.end();
  await jest.advanceTimersByTimeAsync(5_000);
  const told = events.find((event) => event.type === 'call-ended');
  stored.set(first.streamSid, told!.legs[0]!);
  const others = Array.from({ length: 1_000 }, (_, i) => start(new FakeLeg(`CA${i}`)));
  for (const other of others) void other.end();
  await jest.advanceTimersByTimeAsync(5_000);
  events.length = 0;
  expect(calls.hasHad(first.streamSid)).toBe(true);
  expect(calls.owesEnd(CALL)).toBe(false);
  await start().end();
  await jest.advanceTimersByTimeAsync(5_000);
  expect(events).toMatchObject([{ type: 'call-ended', callSid: CALL, legs: [{}, {}] }]);
});

test('a call that is over is remembered beside a thousand that live', async () => {
  const { start, events } = create({ storedLegs: () => Promise.resolve(undefined), callEndPollMs: 1 });
  for (let i = 0; i < 1_000; i += 1) start(new FakeLeg(`CA${i}`));
  await start().end();
  await jest.advanceTimersByTimeAsync(10_000);
  await start().end();
  await jest.advanceTimersByTimeAsync(10_000);
  const ends = events.filter(({ type }) => type === 'call-ended');
  expect(ends).toMatchObject([{ legs: [{}] }, { legs: [{}, {}] }]);
});

test('a leg of which more is known after its call was over ends it again, with that', async () => {
  const { calls, events, metrics, start } = create();
  const leg = start();
  await leg.end('stopped', { reconciled: false });
  await jest.advanceTimersByTimeAsync(5_000);
  const { legs = [] } = events[0] as Partial<Extract<TranscriptEvent, { type: 'call-ended' }>>;
  const id = { callSid: CALL, streamSid: leg.streamSid, accountSid: 'AC1', isCallEnded: true };
  calls.adopt(id, { ...legs[0]!, reconciled: true });
  await jest.advanceTimersByTimeAsync(5_000);
  expect(events).toMatchObject([{ legs: [{ reconciled: false }] }, { legs: [{ reconciled: true }] }]);
  expect(metrics.value('callsEnded')).toBe(1);
});

test.each([
  ['is counted here, when it has no end', false, 1],
  ['was counted by whoever told its end', true, 0],
])("the end of another process's call %s", async (_what, isCallEnded, count) => {
  const { calls, events, metrics } = create();
  const summary = { endReason: 'stopped', startedAt: '', endedAt: '' } as unknown as LegSummary;
  calls.adopt({ callSid: CALL, streamSid: 'MZ', accountSid: 'AC1', isCallEnded }, summary);
  await jest.advanceTimersByTimeAsync(5_000);
  expect(events).toHaveLength(1);
  expect(metrics.value('callsEnded')).toBe(count);
});

describe('a drain', () => {
  test('does not wait for ever for a leg that does not end', async () => {
    const { calls, lines, start } = create();
    const { callSid, streamSid } = start();
    const drained = calls.drain(10_000);
    await jest.advanceTimersByTimeAsync(11_000);
    await drained;
    expect(lines).toMatchObject([{ callSid, streamSid, msg: 'A leg did not end with the drain' }]);
  });

  test('closes every stream and ends every call with its legs, without waiting for the grace', async () => {
    const { calls, events, start } = create();
    const legs = [start(), start(new FakeLeg(`CA${'2'.repeat(32)}`))];
    const drained = calls.drain(10_000);
    expect(legs.map(({ closedWith }) => closedWith)).toEqual([['drained'], ['drained']]);
    for (const leg of legs) await leg.end('drained');
    await drained;
    expect(events).toHaveLength(2);
    expect(legs.some(({ isAborted }) => isAborted)).toBe(false);
    await jest.advanceTimersByTimeAsync(60_000);
    expect(events).toHaveLength(2);
  });

  test('ends calls whose last leg is over already', async () => {
    const { calls, events, start } = create();
    await start().end();
    await calls.drain(10_000);
    expect(events).toMatchObject([{ type: 'call-ended' }]);
  });

  test('cuts what is left at its limit', async () => {
    const { calls, start } = create();
    const leg = start();
    const drained = calls.drain(10_000);
    await jest.advanceTimersByTimeAsync(9_999);
    expect(leg.isAborted).toBe(false);
    await jest.advanceTimersByTimeAsync(1);
    expect(leg.isAborted).toBe(true);
    await leg.end('drained');
    await drained;
  });
});

test('a process that goes leaves a call that another one hears', async () => {
  const { calls, events, start } = create({
    isCallOver: () => Promise.resolve(false),
    isHeardElsewhere: () => Promise.resolve(true),
  });
  await start().end('stream-lost');
  await calls.drain(100);
  await jest.advanceTimersByTimeAsync(60_000);
  expect(events).toEqual([]);
});

test.each([
  ['legs of other processes', { ended: {}, open: ['MZ0'] }],
  ['a store that does not tell of them', undefined],
])('the end of a call waits for %s, but not for ever', async (_, stored) => {
  const { events, start } = create({
    storedLegs: () => Promise.resolve(stored),
    isHeardElsewhere: () => Promise.resolve(true),
  });
  await start().end();
  await jest.advanceTimersByTimeAsync(5_000 + 6 * 15_000);
  expect(events).toEqual([]);
  await jest.advanceTimersByTimeAsync(15_000);
  expect(events).toMatchObject([{ type: 'call-ended' }]);
});

test('the end of a call tells of the legs that other processes had, and of what lies between', async () => {
  const times = (from: number, to: number) => ({
    startedAt: new Date(from).toISOString(),
    firstAudioAt: new Date(from).toISOString(),
    lastAudioAt: new Date(to).toISOString(),
  });
  const other = {
    ...times(0, 1_000),
    endedAt: new Date(1_000).toISOString(),
    endReason: 'task-died',
    tracks: ['inbound'],
  };
  const { events, start } = create({
    storedLegs: () => Promise.resolve({ ended: { MZ0: other as unknown as LegSummary }, open: [] }),
  });
  await start().end('stopped', { ...times(3_000, 9_000), tracks: ['inbound'] });
  await jest.advanceTimersByTimeAsync(5_000);
  expect(events).toMatchObject([
    { type: 'gap', streamSid: 'MZ1', track: 'inbound', startMs: 1_000, endMs: 3_000, cause: 'task-died' },
    {
      type: 'call-ended',
      endReason: 'stopped',
      legs: [{ endReason: 'task-died' }, { endReason: 'stopped' }],
    },
  ]);
});

test.each([
  ['live at another task', { isHeardElsewhere: () => Promise.resolve(true) }],
  ['open in the store', { storedLegs: () => Promise.resolve({ ended: {}, open: ['MZ9'] }) }],
])('a leg that was handed over leaves the end of the call to one that is %s', async (_, options) => {
  const { events, start } = create({ isCallOver: () => Promise.resolve(true), ...options });
  await start().end('handed-over');
  await jest.advanceTimersByTimeAsync(300_000);
  expect(events).toEqual([]);
});

test('a call that was handed over and that nobody took ends as one that lost its stream', async () => {
  const { events, metrics, start } = create({
    isCallOver: () => Promise.resolve(true),
    storedLegs: () => Promise.resolve({ ended: {}, open: ['MZ1'] }),
  });
  await start().end('handed-over');
  await jest.advanceTimersByTimeAsync(5_000);
  expect(events).toMatchObject([
    { type: 'call-ended', endReason: 'stream-lost', legs: [{ endReason: 'handed-over' }] },
  ]);
  expect(metrics.value('callsEnded', 'stream-lost')).toBe(1);
});

test('a process owes the end of a call from its last leg on until it is told, unless it is left to another', async () => {
  let isHeardElsewhere = false;
  const { calls, start } = create({
    isCallOver: () => Promise.resolve(false),
    isHeardElsewhere: () => Promise.resolve(isHeardElsewhere),
  });
  const leg = start();
  expect(calls.owesEnd(CALL)).toBe(false);
  await leg.end();
  expect(calls.owesEnd(CALL)).toBe(true);
  isHeardElsewhere = true;
  await calls.drain(100);
  expect(calls.owesEnd(CALL)).toBe(false);

  await start().end();
  expect(calls.owesEnd(CALL)).toBe(true);
  isHeardElsewhere = false;
  await calls.drain(100);
  expect(calls.owesEnd(CALL)).toBe(false);
  expect(calls.owesEnd('CA-other')).toBe(false);
});

test('a process that goes ends a call that it gave away and that nobody took', async () => {
  const { calls, events, start } = create({ isCallOver: () => Promise.resolve(false) });
  await start().end('handed-over');
  await calls.drain(100);
  expect(events).toMatchObject([{ type: 'call-ended', endReason: 'stream-lost' }]);
});

test('a second stream of a call replaces the first, and what both hear is marked from there on', () => {
  const { start } = create();
  const [first, second] = [start(), start()];
  expect(first.closedWith).toEqual(['replaced']);
  expect(first.heardElsewhereFromMs).toBe(1_000);
  expect(second.closedWith).toEqual([]);
});

test('a stream that is stopped before its process learns that another one has the call is marked', () => {
  const { calls, start } = create();
  const leg = start();
  leg.state = 'finishing';
  calls.replace(leg.streamSid, 700);
  expect(leg.heardElsewhereFromMs).toBe(700);
});

test('a stream that ends before its process learns that another one has the call is marked, unless it was lost', async () => {
  const { calls, start } = create();
  const [stopped, lost] = [start(), start(new FakeLeg(CALL, { tracks: ['outbound'] }))];
  await stopped.end();
  lost.isLost = true;
  await lost.end('stream-lost');
  for (const { streamSid } of [stopped, lost]) calls.replace(streamSid, 700);
  expect(stopped.heardElsewhereFromMs).toBe(700);
  expect(lost.heardElsewhereFromMs).toBeUndefined();
});

test('a stream that goes on with a call says when that began, should the store not tell', async () => {
  const { calls, start } = create({ origins: { claimOrigin: () => Promise.reject(new Error('away')) } });
  start();
  expect(await calls.claimOrigin(CALL, 60_000, 1_000)).toBe(1_000);
});

test('a leg that a fault ended has its socket closed: nobody hears it any more', async () => {
  const { start } = create();
  const leg = start();
  await leg.fault();
  expect(leg.closedWith).toEqual(['stream-lost']);
});

test('a call that cannot be ended is said, and costs nothing else, also in a drain', async () => {
  const { calls, lines, start } = create({ storedLegs: () => Promise.reject(new Error('a fault')) });
  await start().end();
  await jest.advanceTimersByTimeAsync(5_000);
  await calls.drain(1_000);
  expect(lines).toMatchObject([
    { level: 50, callSid: CALL },
    { level: 50, callSid: CALL },
  ]);
});

test('a leg that another task has reconciled since counts as it is stored, any other as it is known here', async () => {
  const known = { reconciled: false, segments: 1 } as const;
  const ended: Record<string, LegSummary> = {};
  const { events, start } = create({ storedLegs: async () => ({ ended, open: [] }) });
  const [one, other] = [start(), start()];
  await one.end('stopped', known);
  await other.end('stopped', known);
  const stored = { endReason: 'stopped', startedAt: '2026-01-01T00:00:01.000Z', segments: 2 } as LegSummary;
  ended[one.streamSid] = { ...stored, endedAt: '2026-01-01T00:00:09.000Z', reconciled: true };
  ended[other.streamSid] = { ...stored, endedAt: '2026-01-01T00:00:09.000Z', reconciled: false };
  await jest.advanceTimersByTimeAsync(5_000);
  expect(events).toMatchObject([{ type: 'call-ended', legs: [{ segments: 2 }, { segments: 1 }] }]);
});
