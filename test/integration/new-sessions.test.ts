import type { CutKind, SessionFaults } from '../../local/gladia/faults';
import { randomSid } from '../../local/twilio/random-sids';
import { channelOf, spokenAudio, type Speech } from '../support/audio';
import { ledgerOf, testWorld, type TestWorld } from '../support/test-world';

const CALL_MS = 6_000;
const PACE = 5;
const SPEECH: readonly Speech[] = [0, 1, 2, 3, 4].map((second) => ({
  startMs: second * 1_100 + 300,
  endMs: second * 1_100 + 800,
}));
/** In the middle of the third utterance: the new session must hear it from its beginning. */
const CUT_MS = 2_700;
const AUDIO = spokenAudio(CALL_MS, SPEECH, 31);

function cutOnce(how: CutKind): Partial<SessionFaults> {
  return { cuts: [{ afterBytes: CUT_MS * 8, how, ackLast: true }] };
}

/** Faults of the call's first session only. */
function faultsOfFirst(world: TestWorld, faults: Partial<SessionFaults>): void {
  world.gladia.faults.rules.push({ when: ({ number }) => number === 0, faults });
}

function startsOf(world: TestWorld, callSid: string, channel = 0): number[] {
  return world.sink
    .segments(callSid)
    .filter((segment) => segment.channel === channel)
    .map(({ startMs }) => startMs)
    .toSorted((one, other) => one - other);
}

function expectEachOnce(starts: readonly number[]): void {
  expect(starts).toHaveLength(SPEECH.length);
  starts.forEach((startMs, i) => expect(Math.abs(startMs - SPEECH[i]!.startMs)).toBeLessThanOrEqual(60));
}

const CLOSES: readonly (readonly [string, Partial<SessionFaults>, number])[] = [
  ['closes with 4403', cutOnce({ closeCode: 4403 }), 0],
  ['closes with 4408', cutOnce({ closeCode: 4408 }), 0],
  ['closes with 1000 though nobody said stop', cutOnce({ closeCode: 1000 }), 0],
  ['drops the socket and refuses the next upgrade with 403', cutOnce('reset'), 403],
  ['drops the socket and refuses the next upgrade with 404', cutOnce('fin'), 404],
];

test.each(CLOSES)(
  'when Gladia %s, a new session takes the same leg on from the last final',
  async (_, faults, upgradeStatus) => {
    const world = await testWorld({ recognition: { resultForMs: 200 } });
    faultsOfFirst(world, faults);
    const { callSid } = world.callOneTrack(AUDIO, { paceFactor: PACE });
    if (upgradeStatus > 0) {
      await world.gladia.waitFor(({ sessions }) => sessions.find(({ connected }) => connected));
      faultsOfFirst(world, { upgradeStatus });
    }
    const summary = await world.sink.summary(callSid);

    const [first, second, ...more] = world.sessionsOf(callSid);
    expect(more).toHaveLength(0);
    const opened = world.sink.of('session-opened', callSid);
    expect(opened.map(({ sessionNumber }) => sessionNumber)).toEqual([1, 2]);
    const baseMs = opened[1]!.baseMs;
    // The end of the second utterance: the third, which was cut, is said again as a whole.
    expect(Math.abs(baseMs - SPEECH[1]!.endMs)).toBeLessThanOrEqual(60);
    expect(first!.accepted()!.equals(AUDIO.subarray(0, first!.acceptedBytes))).toBe(true);
    expect(second!.accepted()!.equals(AUDIO.subarray(baseMs * 8))).toBe(true);
    expectEachOnce(startsOf(world, callSid));
    expect(summary).toMatchObject({ endReason: 'stopped', sessions: 2, segments: SPEECH.length });
    const { acceptedMs, unconfirmedMs } = ledgerOf(summary);
    // The first session never came to an end at Gladia: nobody says what of it counts.
    expect({ acceptedMs, unconfirmedMs }).toEqual({ acceptedMs: CALL_MS - baseMs, unconfirmedMs: baseMs });
    expect(world.sink.of('session-closed', callSid)).toHaveLength(2);
  },
);

test("sessions that reach Gladia's longest duration one after the other lose nothing and double nothing", async () => {
  const world = await testWorld({ gladia: { limits: { processingMs: 10, lifetimeMs: 500 } } });
  // Two seconds: the third session comes in time on a busy machine, too.
  const { callSid } = world.callOneTrack(AUDIO, { paceFactor: 3 });
  const summary = await world.sink.summary(callSid);
  expect(summary.sessions).toBeGreaterThanOrEqual(3);
  expectEachOnce(startsOf(world, callSid));
  expect(ledgerOf(summary)).toMatchObject({ acceptedMs: CALL_MS });
  expect(summary.reconciled).toBe(true);
  const { sessions } = await world.readAfterDrain(callSid);
  expect(sessions.map(({ status, reconciled }) => ({ status, reconciled }))).toEqual(
    Array.from({ length: summary.sessions }, () => ({ status: 'closed', reconciled: true })),
  );
});

test('a new session hears the silent side again from the start, and the other side is not doubled', async () => {
  const world = await testWorld({ recognition: { resultForMs: 200 } });
  faultsOfFirst(world, { cuts: [{ afterBytes: CUT_MS * 16, how: { closeCode: 4403 }, ackLast: true }] });
  const call = world.call({
    audio: { inbound: AUDIO, outbound: spokenAudio(CALL_MS, [], 32) },
    paceFactor: PACE,
  });
  const summary = await world.sink.summary(call.callSid);
  const [, second] = world.sessionsOf(call.callSid);
  expect(channelOf(second!.accepted()!, 0, 2).equals(AUDIO)).toBe(true);
  expectEachOnce(startsOf(world, call.callSid));
  expect(world.relay.metrics.value('segmentsRepeated')).toBe(2);
  ledgerOf(summary, 'inbound');
  ledgerOf(summary, 'outbound');
});

test('audio without a final is kept only so long: a new session of a silent call starts there', async () => {
  const world = await testWorld({ recognition: { resultForMs: 200, keepUnsettledMs: 1_000 } });
  faultsOfFirst(world, cutOnce({ closeCode: 4403 }));
  const { callSid } = world.callOneTrack(spokenAudio(CALL_MS, [], 33), { paceFactor: PACE });
  const summary = await world.sink.summary(callSid);
  const { baseMs } = world.sink.of('session-opened', callSid)[1]!;
  expect(baseMs).toBeGreaterThanOrEqual(CUT_MS - 1_000);
  ledgerOf(summary);
});

test('what the first session said of its last words is not said again by the second', async () => {
  // The session ends at Gladia with 4403 in mid-utterance: its result holds half of it, the new session all of it.
  const world = await testWorld({
    gladia: { limits: { processingMs: 10, lifetimeMs: CUT_MS / PACE } },
  });
  const { callSid } = world.callOneTrack(AUDIO, { paceFactor: PACE });
  await world.sink.next('call-ended', callSid);
  const { segments } = await world.readAfterDrain(callSid);
  expect(segments).toHaveLength(SPEECH.length);
  expectEachOnce(segments.map(({ startMs }) => startMs));
});

test('a first session that Gladia refuses to open a socket for costs nothing but that session', async () => {
  const world = await testWorld({ recognition: { resultForMs: 100 } });
  faultsOfFirst(world, { closeOnOpen: 4403 });
  const callSid = randomSid('CA');
  world.callOneTrack(AUDIO, { callSid, paceFactor: PACE });
  const summary = await world.sink.summary(callSid);
  const [, second] = world.sessionsOf(callSid);
  expect(second!.accepted()!.equals(AUDIO)).toBe(true);
  expect(ledgerOf(summary)).toMatchObject({ acceptedMs: CALL_MS });
  expectEachOnce(startsOf(world, callSid));
});
