import { randomSid } from '../../local/twilio/random-sids';
import { patternedAudio, repeatedBytes, spokenAudio, type Speech } from '../support/audio';
import { ledgerOf, testWorld } from '../support/test-world';

const CALL_MS = 6_000;
const PACE = 4;
/** A machine that is busy for a moment must not look like a dead socket. */
const ACK_TIMEOUT_MS = 500;
const SPEECH: readonly Speech[] = [0, 1, 2, 3, 4].map((second) => ({
  startMs: second * 1_100 + 300,
  endMs: second * 1_100 + 800,
}));

function startsOf(segments: readonly { startMs: number }[]): number[] {
  return segments.map(({ startMs }) => startMs).toSorted((one, other) => one - other);
}

/** Every utterance once, where it was said. */
function expectEachOnce(segments: readonly { startMs: number }[]): void {
  const starts = startsOf(segments);
  expect(starts).toHaveLength(SPEECH.length);
  starts.forEach((startMs, i) => expect(Math.abs(startMs - SPEECH[i]!.startMs)).toBeLessThanOrEqual(100));
}

describe('a socket that leads nowhere, although nobody closed it', () => {
  test.each(['forgotten', 'counted'] as const)(
    'is given up when acks stay out, and the session resumed (audio in flight is %s)',
    async (unackedOnDrop) => {
      const world = await testWorld({ recognition: { ackTimeoutMs: ACK_TIMEOUT_MS, probeTimeoutMs: 5_000 } });
      const callSid = randomSid('CA');
      world.faultsFor(callSid, { stallAfterBytes: 2_000 * 8, unackedOnDrop });
      const audio = spokenAudio(CALL_MS, SPEECH, 71);
      world.callOneTrack(audio, { callSid, paceFactor: PACE });
      const summary = await world.sink.summary(callSid);
      const [session, ...more] = world.sessionsOf(callSid);
      expect(more).toHaveLength(0);
      expect(session).toMatchObject({ resumes: 1, endReason: 'stopped' });
      expect(repeatedBytes(session!.accepted()!, audio)).toBeLessThanOrEqual(160);
      expectEachOnce(world.sink.segments(callSid));
      const { acceptedMs, lateMs } = ledgerOf(summary);
      expect(acceptedMs + lateMs).toBe(CALL_MS);
      expect(world.relay.metrics.value('sessionsResumed')).toBe(1);
    },
  );

  test('is given up when it was told to stop and neither acks nor words come', async () => {
    const world = await testWorld({ recognition: { ackTimeoutMs: ACK_TIMEOUT_MS, finishSilenceMs: 5_000 } });
    const callSid = randomSid('CA');
    world.faultsFor(callSid, { stallAfterBytes: (CALL_MS - 20) * 8, unackedOnDrop: 'forgotten' });
    const audio = spokenAudio(CALL_MS, SPEECH, 72);
    world.callOneTrack(audio, { callSid, paceFactor: PACE });
    await world.sink.summary(callSid);
    const [session] = world.sessionsOf(callSid);
    expect(session).toMatchObject({ stopReceived: true, endReason: 'stopped' });
    expect(session!.accepted()!.equals(audio)).toBe(true);
  });

  test('is given up when pings stay unanswered, also by a service that never acknowledges', async () => {
    const world = await testWorld({
      timing: { gladia: { connectTimeoutMs: 10_000, pingIntervalMs: 100, closeTimeoutMs: 100 } },
    });
    const callSid = randomSid('CA');
    world.faultsFor(callSid, { stallAfterBytes: 8_000, ackDropEvery: 1 });
    world.callOneTrack(spokenAudio(CALL_MS, SPEECH, 73), { callSid, paceFactor: PACE });
    await world.sink.summary(callSid);
    expect(world.relay.metrics.value('sessionSocketsLost')).toBeGreaterThanOrEqual(1);
    expect(startsOf(world.sink.segments(callSid)).length).toBeGreaterThanOrEqual(SPEECH.length);
  });
});

describe('a service that never acknowledges', () => {
  const NEVER = { ackDropEvery: 1 } as const;

  test('is not taken for a dead one', async () => {
    const world = await testWorld({ recognition: { ackTimeoutMs: 50 } });
    world.gladia.faults.sessions = NEVER;
    const audio = patternedAudio(CALL_MS, 74);
    const { callSid } = world.callOneTrack(audio, { paceFactor: PACE });
    const summary = await world.sink.summary(callSid);
    expect(world.sessionsOf(callSid)).toHaveLength(1);
    expect(world.sessionsOf(callSid)[0]!.accepted()!.equals(audio)).toBe(true);
    expect(ledgerOf(summary)).toMatchObject({ acceptedMs: CALL_MS });
    expect(world.relay.metrics.value('sessionSocketsLost')).toBe(0);
  });

  /** In mid-utterance, and with the text that came before it long said. */
  const CUT = { afterBytes: 3_700 * 8, how: 'reset', ackLast: false } as const;

  test('loses no words and says none twice when its socket is cut: a new session goes on behind the text', async () => {
    const world = await testWorld();
    world.gladia.faults.sessions = { ...NEVER, unackedOnDrop: 'counted' };
    world.gladia.faults.rules.push({ when: ({ number }) => number === 0, faults: { cuts: [CUT] } });
    const { callSid } = world.callOneTrack(spokenAudio(CALL_MS, SPEECH, 75), { paceFactor: 1 });
    const summary = await world.sink.summary(callSid);
    const [first, second, ...more] = world.sessionsOf(callSid);
    expect(more).toHaveLength(0);
    expect(first).toMatchObject({ resumes: 1, endReason: 'client-closed' });
    expect(second!.acceptedBytes).toBeLessThan(4_000 * 8);
    expectEachOnce(world.sink.segments(callSid));
    ledgerOf(summary);
    expect(world.relay.metrics.value('sessionsRecycled', 'no-acks')).toBe(1);
  });

  test('gets everything again when its socket is cut and it has said nothing yet', async () => {
    const world = await testWorld();
    const callSid = randomSid('CA');
    world.faultsFor(callSid, { ...NEVER, unackedOnDrop: 'forgotten', cuts: [CUT] });
    const audio = spokenAudio(CALL_MS, SPEECH, 75);
    // Fast: text that came a second after its audio would prove that nothing is acknowledged.
    world.callOneTrack(audio, { callSid, paceFactor: 12 });
    const summary = await world.sink.summary(callSid);
    const [session, ...more] = world.sessionsOf(callSid);
    expect(more).toHaveLength(0);
    expect(session!.accepted()!.equals(audio)).toBe(true);
    expect(ledgerOf(summary)).toMatchObject({ acceptedMs: CALL_MS });
  });

  test('does not fill the backlog with what is text already', async () => {
    const world = await testWorld({
      settings: { BACKLOG_CALL_MS: '8000' },
      recognition: { keepUnsettledMs: 2_000 },
    });
    world.gladia.faults.sessions = NEVER;
    const speech = Array.from({ length: 12 }, (_, i) => ({
      startMs: i * 2_000 + 300,
      endMs: i * 2_000 + 900,
    }));
    const { callSid } = world.callOneTrack(spokenAudio(24_000, speech, 76), { paceFactor: 4 });
    const summary = await world.sink.summary(callSid);
    expect(world.relay.metrics.value('audioDropped')).toBe(0);
    expect(ledgerOf(summary)).toMatchObject({ acceptedMs: 24_000 });
  });
});

test('acks that are missing now and then do not pile up: a cut sends again what was in flight, no more', async () => {
  const world = await testWorld({ recognition: { probeTimeoutMs: 5_000 } });
  const callSid = randomSid('CA');
  world.faultsFor(callSid, {
    ackDropEvery: 3,
    unackedOnDrop: 'counted',
    cuts: [{ afterBytes: 5_000 * 8, how: 'reset', ackLast: true }],
  });
  const audio = spokenAudio(CALL_MS, SPEECH, 77);
  world.callOneTrack(audio, { callSid, paceFactor: PACE });
  await world.sink.summary(callSid);
  const [session] = world.sessionsOf(callSid);
  expect(repeatedBytes(session!.accepted()!, audio)).toBeLessThanOrEqual(500 * 8);
  expectEachOnce(world.sink.segments(callSid));
});
