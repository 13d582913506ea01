import { CallSession, type CallSessionOptions } from '../../../runtime/call/call-session';
import type { LegStart } from '../../../runtime/model/call-event';
import type { TranscriptEvent } from '../../../runtime/model/transcript-event';
import { Metrics } from '../../../runtime/observability/metrics';
import { BacklogBudget } from '../../../runtime/speech/audio-backlog';
import { Recognition } from '../../../runtime/speech/recognition';
import { RECOGNITION_TIMING } from '../../../runtime/speech/recognition-timing';
import { SessionSlots } from '../../../runtime/speech/session-slots';
import { FakeSpeech } from '../../support/fake-speech';
import { recordLog } from '../../support/recorded-log';

const START: LegStart = {
  type: 'started',
  callSid: 'CA1',
  streamSid: 'MZ1',
  accountSid: 'AC1',
  tracks: ['inbound'],
  parameters: {},
};

function create(options: Partial<CallSessionOptions> = {}, provider = new FakeSpeech()) {
  const told: TranscriptEvent[] = [];
  const finishing: string[] = [];
  const metrics = new Metrics();
  const { logger } = recordLog();
  const { now = () => performance.now() } = options;
  const session = new CallSession({
    sinks: [{ name: 'told', write: (event) => void told.push(event), close: async () => 0 }],
    recognise: (request, listener) =>
      new Recognition(
        {
          ...{ provider, request, chunkMs: 20, backlogCallMs: 600_000 },
          ...{ budget: new BacklogBudget(1e9), slots: new SessionSlots(Infinity) },
          ...{ timing: RECOGNITION_TIMING, now, random: () => 0, logger, metrics },
        },
        listener,
      ),
    onStarted: () => undefined,
    onFinishing: (_start, reason) => void finishing.push(reason),
    claimOrigin: async (_callSid, legOriginAtMs) => legOriginAtMs,
    moveOrigin: () => undefined,
    describeCall: async () => undefined,
    alignmentWindowMs: 200,
    beginningMs: 0,
    now,
    wallNow: Date.now,
    logger,
    metrics,
    ...options,
  });
  return { session, told, finishing, metrics };
}

function speak(session: CallSession): void {
  session.accept(START);
  session.accept({ type: 'audio', track: 'inbound', timestampMs: 0, payload: Buffer.alloc(160) });
}

test('A fault of ours ends a leg with its ledger, and its call needs another one', async () => {
  const describeCall = () => Promise.reject(new Error('a fault'));
  const { session, told, finishing, metrics } = create({ describeCall });
  speak(session);
  const summary = await session.ended;
  expect(summary).toMatchObject({ failure: 'fault', endReason: 'stream-lost' });
  expect(summary?.ledger.tracks.inbound).toMatchObject({
    receivedMs: 20,
    lostMs: { 'transcription-failed': 20 },
  });
  expect(told.filter(({ type }) => type === 'leg-ended')).toHaveLength(1);
  expect(finishing).toEqual(['stream-lost']);
  expect(metrics.value('callsFailed', 'fault')).toBe(1);
});

test('A fault as a leg begins ends it as well', async () => {
  const onStarted = (): never => {
    throw new Error('a fault');
  };
  const { session, told } = create({ onStarted });
  session.accept(START);
  expect(await session.ended).toMatchObject({ failure: 'fault' });
  expect(told.map(({ type }) => type)).toContain('leg-ended');
});

test('A leg that is stopped after a fault ends once', async () => {
  const { session, told, finishing } = create({ describeCall: () => Promise.reject(new Error('a fault')) });
  speak(session);
  await new Promise(setImmediate);
  session.accept({ type: 'ended', reason: 'stopped' });
  await session.ended;
  await new Promise(setImmediate);
  expect(told.filter(({ type }) => type === 'leg-ended')).toHaveLength(1);
  expect(finishing).toHaveLength(1);
});

test('A leg whose end cannot be told is over all the same', async () => {
  let isFaulty = false;
  const wallNow = (): number => {
    if (isFaulty) throw new Error('a fault');
    return Date.now();
  };
  const { session } = create({ wallNow });
  speak(session);
  isFaulty = true;
  session.accept({ type: 'ended', reason: 'stopped' });
  session.abort();
  expect(await session.ended).toBeUndefined();
  expect(session.state).toBe('ended');
});

test('A leg says how much silence its audio begins with, while it lives and in the end', async () => {
  const time = { nowMs: 1_000_000 };
  const speech = new FakeSpeech();
  const { session } = create({ now: () => time.nowMs }, speech);
  session.accept(START);
  await speech.open(0);
  for (let i = 0; i < 12; i += 1) {
    time.nowMs += 250;
    session.tick();
  }
  session.accept({ type: 'audio', track: 'inbound', timestampMs: 0, payload: Buffer.alloc(160) });
  const { leadMs } = session.checkpoint()!;
  expect(leadMs).toBeGreaterThan(1_000);
  expect(session.checkpoint()?.ledger.tracks.inbound?.filledMs).toBe(leadMs);
  session.accept({ type: 'ended', reason: 'stopped' });
  session.abort();
  expect(await session.ended).toMatchObject({ leadMs });
});

/** A leg on clocks of its own: each `frame` comes so much later than the one before. */
function timed() {
  const originMs = Date.parse('2026-11-22T10:00:00.000Z');
  const time = { nowMs: 1_000_000.7 };
  const { session } = create({
    now: () => time.nowMs,
    wallNow: () => originMs - 1_000_000.7 + time.nowMs,
  });
  session.accept(START);
  let timestampMs = 0;
  const frame = (afterMs: number): void => {
    time.nowMs += afterMs;
    session.accept({ type: 'audio', track: 'inbound', timestampMs, payload: Buffer.alloc(160) });
    timestampMs += 20;
  };
  const end = async (): Promise<readonly [number, number]> => {
    session.accept({ type: 'ended', reason: 'stream-lost' });
    session.abort();
    const summary = await session.ended;
    return [Date.parse(summary!.firstAudioAt!) - originMs, Date.parse(summary!.lastAudioAt!) - originMs];
  };
  return { session, time, frame, end };
}

test('A leg ends where its last frame was said, however late that came', async () => {
  const { frame, end } = timed();
  for (let i = 0; i < 6; i += 1) frame(i === 0 ? 0 : 20);
  frame(320);
  expect(await end()).toEqual([0, 140]);
});

test('A leg of one frame does not end before it begins', async () => {
  const { frame, end } = timed();
  frame(0);
  expect(await end()).toEqual([0, 0]);
});

test('A leg whose clock is slower than ours ends when its last frame came', async () => {
  const { session, frame, end } = timed();
  // Ten minutes, in which it falls behind by a tenth of a thousandth.
  const frames = 30_000;
  const frameMs = 20 + 60 / frames;
  for (let i = 0; i < frames; i += 1) {
    frame(i === 0 ? 0 : frameMs);
    if (i % 12 === 0) session.tick();
  }
  const [, lastMs] = await end();
  expect(Math.abs(lastMs - (frames - 1) * frameMs)).toBeLessThan(10);
});

test('A leg in which silence was supplied ends when its last frame came', async () => {
  const { session, time, frame, end } = timed();
  for (let i = 0; i < 50; i += 1) frame(i === 0 ? 0 : 20);
  for (let i = 0; i < 40; i += 1) {
    time.nowMs += 250;
    session.tick();
  }
  for (let i = 0; i < 50; i += 1) {
    frame(20);
    if (i % 12 === 0) session.tick();
  }
  const [, lastMs] = await end();
  expect(Math.abs(lastMs - (49 * 20 + 10_000 + 50 * 20))).toBeLessThanOrEqual(1);
});
