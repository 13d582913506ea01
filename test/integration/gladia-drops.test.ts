import type { Cut, CutKind, FaultyRequest, SessionFaults } from '../../local/gladia/faults';
import type { ObservedSession } from '../../local/gladia/live-session';
import type { Recogniser } from '../../local/gladia/recogniser';
import { createScriptedRecogniser, type Script } from '../../local/gladia/scripted-recogniser';
import { randomSid } from '../../local/twilio/random-sids';
import type { Call } from '../../local/twilio/twilio-caller';
import type { TrackLedger } from '../../runtime/model/audio-ledger';
import type { Segment } from '../../runtime/model/transcript-event';
import { patternedAudio, randomNumbers, repeatedBytes, spokenAudio, type Speech } from '../support/audio';
import { ledgerOf, testWorld, type TestWorld } from '../support/test-world';

const CALL_MS = 6_000;
const PACE = 4;
const SPEECH: readonly Speech[] = [0, 1, 2, 3, 4].map((second) => ({
  startMs: second * 1_100 + 300,
  endMs: second * 1_100 + 800,
}));
/** Cuts of each kind; two calls have it, of one track and of two. */
const KINDS: readonly CutKind[] = [
  'reset',
  'fin',
  { closeCode: 1001 },
  { closeCode: 1011 },
  { closeCode: 4500 },
];
const CUTS_PER_CALL = 4;
/** A session that must outlive many drops in a row. */
const RECOGNITION = { resumeForMs: 20_000, probeTimeoutMs: 5_000 };

interface DroppedCall {
  readonly call: Call;
  readonly channels: number;
  readonly cuts: number;
}

/** Anywhere in the call, but the first in its first second; a cut with nothing behind it would never be made. */
function randomCuts(how: CutKind, channels: number, random: () => number): Cut[] {
  const bytesAt = (ms: number): number => Math.floor(ms * 8) * channels;
  const places = [random() * 900, ...Array.from({ length: CUTS_PER_CALL - 1 }, () => 900 + random() * 4_600)];
  return places
    .toSorted((one, other) => one - other)
    .map((ms) => ({ afterBytes: bytesAt(ms), how, ackLast: random() < 0.5 }));
}

function startDroppedCalls(world: TestWorld, seed: number): DroppedCall[] {
  const random = randomNumbers(seed);
  return KINDS.flatMap((how) =>
    [1, 2].map((channels) => {
      const callSid = randomSid('CA');
      const cuts = randomCuts(how, channels, random);
      world.faultsFor(callSid, { cuts, ackDelayMs: Math.floor(random() * 40) });
      const audio = {
        inbound: spokenAudio(CALL_MS, SPEECH, random() * 1e9),
        outbound: spokenAudio(CALL_MS, SPEECH, random() * 1e9),
      };
      const call =
        channels === 1
          ? world.callOneTrack(audio.inbound, { callSid, paceFactor: PACE })
          : world.call({ callSid, audio, paceFactor: PACE });
      return { call, channels, cuts: cuts.length };
    }),
  );
}

function sentBytes({ call, channels }: DroppedCall): Buffer {
  const { inbound, outbound } = call.sent;
  if (channels === 1) return inbound;
  return Buffer.from(
    Array.from({ length: inbound.length * 2 }, (_, i) => (i % 2 === 0 ? inbound : outbound)[i >> 1]!),
  );
}

/** Every utterance once, on every channel, where it was said. */
function expectScript(segments: readonly Segment[], channels: number): void {
  for (let channel = 0; channel < channels; channel += 1) {
    const starts = segments
      .filter((segment) => segment.channel === channel)
      .map(({ startMs }) => startMs)
      .toSorted((one, other) => one - other);
    expect(starts).toHaveLength(SPEECH.length);
    starts.forEach((startMs, i) => expect(Math.abs(startMs - SPEECH[i]!.startMs)).toBeLessThanOrEqual(100));
  }
}

/** One session, resumed after each cut. */
async function expectOneSession(
  world: TestWorld,
  { call, cuts }: DroppedCall,
): Promise<{ session: ObservedSession; ledger: TrackLedger }> {
  const summary = await world.sink.summary(call.callSid);
  const [session, ...more] = world.sessionsOf(call.callSid);
  expect(more).toHaveLength(0);
  expect(session).toMatchObject({ resumes: cuts, endReason: 'stopped' });
  const ledger = ledgerOf(summary);
  const { receivedMs, filledMs, lostMs } = ledger;
  expect({ receivedMs, filledMs, lostMs }).toEqual({ receivedMs: CALL_MS, filledMs: 0, lostMs: {} });
  return { session: session!, ledger };
}

/** One session, resumed after each cut, which has everything in the end. */
async function expectOneWholeSession(world: TestWorld, dropped: DroppedCall): Promise<ObservedSession> {
  const { session, ledger } = await expectOneSession(world, dropped);
  expect(ledger.acceptedMs + ledger.lateMs).toBe(CALL_MS);
  return session;
}

const WORLDS: readonly (readonly [string, number, Partial<SessionFaults>])[] = [
  ['acks count over the session', 1, { ackRelativeTo: 'session' }],
  ['acks count over the connection', 2, { ackRelativeTo: 'connection' }],
  ['acks name their last byte', 3, { ackInclusiveEnd: true }],
  ['what was missed is sent after the resume', 4, { missedMessages: 'replayed' }],
  ['the last finals come again after a resume', 5, { duplicateFinals: true }],
];

describe.each(WORLDS)('where %s', (_, seed, faults) => {
  test('and unacknowledged audio is forgotten, what is accepted after forty drops is what was sent', async () => {
    const world = await testWorld({ recognition: RECOGNITION });
    world.gladia.faults.sessions = { ...faults, unackedOnDrop: 'forgotten' };
    const calls = startDroppedCalls(world, seed);
    for (const dropped of calls) {
      const session = await expectOneWholeSession(world, dropped);
      expect(session.accepted()!.equals(sentBytes(dropped))).toBe(true);
      expectScript(world.sink.segments(dropped.call.callSid), dropped.channels);
    }
    const { metrics } = world.relay;
    const cuts = calls.length * CUTS_PER_CALL;
    expect(metrics.value('sessionsOpened')).toBe(calls.length);
    expect(metrics.value('sessionsResumed')).toBe(cuts);
    expect(metrics.value('sessionSocketsLost')).toBe(cuts);
    expect(metrics.value('audioLost') + metrics.value('audioDropped')).toBe(0);
  });

  test('and unacknowledged audio is counted, only one frame per drop is there twice, and counted as resent', async () => {
    const world = await testWorld({ recognition: RECOGNITION });
    world.gladia.faults.sessions = { ...faults, unackedOnDrop: 'counted' };
    const calls = startDroppedCalls(world, seed);
    let repeatedMs = 0;
    for (const dropped of calls) {
      const session = await expectOneWholeSession(world, dropped);
      const repeated = repeatedBytes(session.accepted()!, sentBytes(dropped));
      expect(repeated).toBeLessThanOrEqual(dropped.cuts * 160 * dropped.channels);
      repeatedMs += repeated! / 8;
      expectScript(world.sink.segments(dropped.call.callSid), dropped.channels);
    }
    expect(repeatedMs).toBeLessThanOrEqual(world.relay.metrics.value('audioResent'));
  });
});

/**
 * The frame that asks where the service stands gets no answer of its own here: what was in flight is sent again. An ack
 * that may be about any of it can leave audio unconfirmed; the ledger never calls it lost.
 */
const WITHOUT_ANSWERS: readonly (readonly [string, number, Partial<SessionFaults>])[] = [
  ['one ack comes for five frames', 6, { ackCoalesce: 5 }],
  ['every seventh ack is missing', 7, { ackDropEvery: 7 }],
];

describe.each(WITHOUT_ANSWERS)('where %s', (_, seed, faults) => {
  test.each(['forgotten', 'counted'] as const)(
    'and unacknowledged audio is %s, nothing is missing after forty drops and what came twice is counted as resent',
    async (unackedOnDrop) => {
      const world = await testWorld({ recognition: { resumeForMs: 20_000 } });
      world.gladia.faults.sessions = { ...faults, unackedOnDrop };
      const calls = startDroppedCalls(world, seed);
      let repeatedMs = 0;
      for (const dropped of calls) {
        const { session } = await expectOneSession(world, dropped);
        const repeated = repeatedBytes(session.accepted()!, sentBytes(dropped));
        expect(repeated).toBeDefined();
        repeatedMs += repeated! / 8;
      }
      expect(repeatedMs).toBeLessThanOrEqual(world.relay.metrics.value('audioResent'));
    },
  );
});

test('finals that were said while no socket was there are recovered from the result, each once', async () => {
  const world = await testWorld({ recognition: RECOGNITION });
  const callSid = randomSid('CA');
  // The final of the first utterance is due at 1,100 ms: the cut takes it along.
  const cut: Cut = { afterBytes: 1_090 * 8, how: 'reset', ackLast: false };
  world.faultsFor(callSid, { cuts: [cut], unackedOnDrop: 'counted', missedMessages: 'lost' });
  world.callOneTrack(spokenAudio(CALL_MS, SPEECH, 3), { callSid, paceFactor: PACE });
  await world.sink.next('call-ended', callSid);
  expectScript(world.sink.segments(callSid), 1);
  const { segments, call } = await world.readAfterDrain(callSid);
  expect(segments).toHaveLength(SPEECH.length);
  expect(call).toMatchObject({ segmentCount: SPEECH.length, reconciled: true });
});

describe('a drop at the end of a call', () => {
  /** Answers `stop_recording` only when it is let go: so that a cut comes before the session is over. */
  function heldAtTheEnd(script: Script): { recogniser: Recogniser; release: () => void } {
    const scripted = createScriptedRecogniser(() => script);
    let release: () => void = () => undefined;
    const released = new Promise<void>((resolve) => (release = resolve));
    const openTrack: Recogniser['openTrack'] = (options) => {
      const track = scripted.openTrack(options);
      return {
        push: (audio) => track.push(audio),
        close: () => track.close(),
        finish: async () => {
          await released;
          await track.finish();
        },
      };
    };
    return { recogniser: { ...scripted, openTrack }, release: () => release() };
  }

  const SCRIPT = {
    channels: [
      [
        { startMs: 200, endMs: 600, text: 'Thank you.' },
        { startMs: 1_500, endMs: 1_990, text: 'Good bye.' },
      ],
    ],
  };

  test.each(['reset', 'fin', { closeCode: 1011 }] as const)(
    'by %j after stop_recording needs no other session, and its last words are recovered',
    async (how) => {
      const { recogniser, release } = heldAtTheEnd(SCRIPT);
      const world = await testWorld({ gladia: { recogniser, limits: { processingMs: 10 } } });
      const audio = patternedAudio(2_000, 5);
      const { callSid } = world.callOneTrack(audio);
      const session = await world.gladia.waitFor(({ sessions }) =>
        sessions.find((each) => each.stopReceived),
      );
      session.cut(how);
      release();
      await world.sink.next('call-ended', callSid);
      const { segments, call } = await world.readAfterDrain(callSid);
      expect(world.gladia.sessions).toHaveLength(1);
      expect(session.accepted()!.equals(audio)).toBe(true);
      expect(segments.map(({ text, source }) => [text, source])).toEqual([
        ['Thank you.', 'live'],
        ['Good bye.', 'recovered'],
      ]);
      expect(call).toMatchObject({ status: 'completed', reconciled: true });
      expect(ledgerOf(await world.sink.summary(callSid))).toMatchObject({
        acceptedMs: 2_000,
        unconfirmedMs: 0,
      });
    },
  );

  test('that takes the last acks along is settled by the result, without another session', async () => {
    const { recogniser, release } = heldAtTheEnd(SCRIPT);
    const world = await testWorld({ gladia: { recogniser, limits: { processingMs: 10 } } });
    world.gladia.faults.sessions = { ackDelayMs: 60_000 };
    const audio = patternedAudio(2_000, 5);
    const { callSid } = world.callOneTrack(audio);
    const session = await world.gladia.waitFor(({ sessions }) => sessions.find((each) => each.stopReceived));
    world.faultsFor(callSid, { upgradeStatus: 403 });
    session.cut('reset');
    release();
    await world.sink.next('call-ended', callSid);
    expect(world.gladia.sessions).toHaveLength(1);
    expect(world.sink.segments(callSid).map(({ text }) => text)).toEqual(['Thank you.', 'Good bye.']);
    expect(repeatedBytes(session.accepted()!, audio)).toBeDefined();
    expect(ledgerOf(await world.sink.summary(callSid))).toMatchObject({ acceptedMs: 2_000 });
  });

  test('whose stop_recording is lost sends it again on the next socket', async () => {
    const world = await testWorld({ script: () => SCRIPT });
    const audio = patternedAudio(2_000, 6);
    world.gladia.faults.sessions = { loseStop: true };
    const { callSid } = world.callOneTrack(audio);
    const session = await world.gladia.waitFor(({ sessions }) => sessions.find((each) => each.lostStops > 0));
    world.gladia.faults.sessions = {};
    session.cut('fin');
    const summary = await world.sink.summary(callSid);
    expect(world.gladia.sessions).toHaveLength(1);
    expect(session).toMatchObject({ stopReceived: true, resumes: 1 });
    expect(session.accepted()!.equals(audio)).toBe(true);
    expect(ledgerOf(summary)).toMatchObject({ acceptedMs: 2_000 });
    expect(world.sink.segments(callSid)).toHaveLength(2);
  });

  const isResult = ({ method }: FaultyRequest): boolean => method === 'GET';

  test('whose stop_recording stays unanswered ends the leg, with the last words from the result', async () => {
    const world = await testWorld({ script: () => SCRIPT, recognition: { finishSilenceMs: 200 } });
    world.gladia.faults.sessions = { loseStop: true };
    const { callSid } = world.callOneTrack(patternedAudio(2_000, 7));
    const summary = await world.sink.summary(callSid);
    expect(summary).toMatchObject({ endReason: 'stopped', reconciled: true });
    expect(ledgerOf(summary)).toMatchObject({ acceptedMs: 2_000 });
    expect(world.sink.segments(callSid).map(({ text, source }) => [text, source])).toEqual([
      ['Thank you.', 'live'],
      ['Good bye.', 'recovered'],
    ]);
  });

  test('whose stop_recording stays unanswered leaves audio unconfirmed where there is no result either', async () => {
    const world = await testWorld({
      script: () => SCRIPT,
      recognition: { finishSilenceMs: 200, resultForMs: 100 },
    });
    world.gladia.faults.http.push({ when: isResult, times: Infinity, answer: { status: 503 } });
    world.gladia.faults.sessions = { loseStop: true };
    const { callSid } = world.callOneTrack(patternedAudio(2_000, 7));
    const summary = await world.sink.summary(callSid);
    expect(summary).toMatchObject({ endReason: 'stopped', reconciled: false });
    expect(ledgerOf(summary)).toMatchObject({ acceptedMs: 0, unconfirmedMs: 2_000 });
    expect(world.sink.segments(callSid).map(({ text }) => text)).toEqual(['Thank you.']);
  });
});
