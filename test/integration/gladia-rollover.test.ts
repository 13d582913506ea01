import type { HttpFault } from '../../local/gladia/faults';
import type { ObservedSession } from '../../local/gladia/live-session';
import { spokenAudio, type Speech } from '../support/audio';
import { ledgerOf, testWorld, type TestWorld } from '../support/test-world';

const PACE = 4;
const CALL_MS = 16_000;
const OVERLAP_MS = 200;
/** Utterances of 800 ms with pauses of 1,200. */
const SPEECH: readonly Speech[] = Array.from({ length: 8 }, (_, i) => ({
  startMs: i * 2_000 + 300,
  endMs: i * 2_000 + 1_100,
}));
const AUDIO = spokenAudio(CALL_MS, SPEECH, 61);
/** Of real time: six seconds of the call. */
const RECOGNITION = { rolloverAfterMs: 1_500, rolloverPauseMs: 400, rolloverOverlapMs: OVERLAP_MS };

function expectEachOnce(segments: readonly { startMs: number }[], speech = SPEECH): void {
  const starts = segments.map(({ startMs }) => startMs).toSorted((one, other) => one - other);
  expect(starts).toHaveLength(speech.length);
  starts.forEach((startMs, i) => expect(Math.abs(startMs - speech[i]!.startMs)).toBeLessThanOrEqual(100));
}

/** Without a successor that was made when the call was nearly over, and never used. */
function usedSessions(world: TestWorld, callSid: string): readonly ObservedSession[] {
  const sessions = world.sessionsOf(callSid);
  const { length } = world.sink.of('session-opened', callSid);
  expect(sessions.length - length).toBeLessThanOrEqual(1);
  return sessions.slice(0, length);
}

test('a session hands on in a pause: the old one is heard out, the new one goes on, no word twice or missing', async () => {
  const world = await testWorld({ recognition: RECOGNITION });
  const { callSid } = world.callOneTrack(AUDIO, { paceFactor: PACE });
  const summary = await world.sink.summary(callSid);
  const sessions = usedSessions(world, callSid);
  expect(sessions.length).toBeGreaterThanOrEqual(2);
  expect(sessions.every(({ endReason }) => endReason === 'stopped')).toBe(true);

  // Together they got what was sent, and the pause's last 200 ms twice.
  const opened = world.sink.of('session-opened', callSid);
  opened.forEach(({ baseMs }, i) => {
    const isLast = i === opened.length - 1;
    const endMs = isLast ? CALL_MS : opened[i + 1]!.baseMs + OVERLAP_MS;
    expect(sessions[i]!.accepted()!.equals(AUDIO.subarray(baseMs * 8, endMs * 8))).toBe(true);
    const isInSpeech = SPEECH.some(({ startMs, endMs: end }) => baseMs > startMs && baseMs < end);
    expect(isInSpeech).toBe(false);
  });
  expectEachOnce(world.sink.segments(callSid));
  const { acceptedMs, lateMs, lostMs } = ledgerOf(summary);
  expect({ acceptedMs: acceptedMs + lateMs, lostMs }).toEqual({ acceptedMs: CALL_MS, lostMs: {} });
  expect(summary).toMatchObject({ reconciled: true, segments: SPEECH.length });
  const { metrics } = world.relay;
  expect(metrics.value('sessionsRecycled', 'rollover')).toBe(sessions.length - 1);
  expect(metrics.value('sessionSocketsLost')).toBe(0);
  expect(metrics.value('segmentsRepeated') + metrics.value('segmentsRecovered')).toBe(0);
});

test('both tracks are quiet where a session of two hands on', async () => {
  const world = await testWorld({ recognition: RECOGNITION });
  // The other side answers in the first side's pauses: only the last 400 ms of each are quiet on both.
  const answers = SPEECH.map(({ endMs }) => ({ startMs: endMs + 100, endMs: endMs + 600 }));
  const outbound = spokenAudio(CALL_MS, answers, 62);
  const call = world.call({ audio: { inbound: AUDIO, outbound }, paceFactor: PACE });
  await world.sink.summary(call.callSid);
  const opened = world.sink.of('session-opened', call.callSid);
  expect(opened.length).toBeGreaterThanOrEqual(2);
  for (const { baseMs } of opened.slice(1)) {
    const isInSpeech = [...SPEECH, ...answers].some(
      ({ startMs, endMs }) => baseMs > startMs && baseMs < endMs,
    );
    expect(isInSpeech).toBe(false);
  }
  const segments = world.sink.segments(call.callSid);
  expectEachOnce(segments.filter(({ channel }) => channel === 0));
  expectEachOnce(
    segments.filter(({ channel }) => channel === 1),
    answers,
  );
});

test('where nobody pauses, an utterance is given to both sessions and said by one', async () => {
  const world = await testWorld({
    recognition: { ...RECOGNITION, rolloverAfterMs: 1_000, rolloverPauseMs: 60_000, rolloverWaitMs: 200 },
  });
  const { callSid } = world.callOneTrack(AUDIO, { paceFactor: PACE });
  const summary = await world.sink.summary(callSid);
  const sessions = usedSessions(world, callSid);
  expect(sessions.length).toBeGreaterThanOrEqual(2);
  expectEachOnce(world.sink.segments(callSid));
  const { acceptedMs, lateMs } = ledgerOf(summary);
  expect(acceptedMs + lateMs).toBe(CALL_MS);
  expect(world.relay.metrics.value('sessionsRecycled', 'rollover-without-pause')).toBe(sessions.length - 1);
});

test('while no successor is to be had, the session in use goes on', async () => {
  const world = await testWorld({ recognition: RECOGNITION });
  const { callSid } = world.callOneTrack(AUDIO, { paceFactor: PACE });
  await world.gladia.waitFor(({ sessions }) => sessions[0]?.connected);
  const fault: HttpFault = {
    when: ({ method }) => method === 'POST',
    times: Infinity,
    answer: { status: 503 },
  };
  world.gladia.faults.http.push(fault);
  const summary = await world.sink.summary(callSid);
  const [session, ...more] = world.sessionsOf(callSid);
  expect(more).toHaveLength(0);
  expect(session!.accepted()!.equals(AUDIO)).toBe(true);
  expect(ledgerOf(summary)).toMatchObject({ acceptedMs: CALL_MS });
  expect(world.relay.metrics.value('sessionRequestsFailed', 'http-503')).toBeGreaterThanOrEqual(1);
});

test('a successor that refuses for good costs the call nothing', async () => {
  const world = await testWorld({ recognition: RECOGNITION });
  const { callSid } = world.callOneTrack(AUDIO, { paceFactor: PACE });
  await world.gladia.waitFor(({ sessions }) => sessions[0]?.connected);
  world.gladia.faults.http.push({
    when: ({ method }) => method === 'POST',
    times: Infinity,
    answer: { status: 402 },
  });
  const summary = await world.sink.summary(callSid);
  expect(summary.failure).toBeUndefined();
  expect(ledgerOf(summary)).toMatchObject({ acceptedMs: CALL_MS });
});

test('a call that ends while its session has a successor leaves no session behind', async () => {
  const world = await testWorld({ recognition: { ...RECOGNITION, rolloverPauseMs: 60_000 } });
  const { callSid } = world.callOneTrack(AUDIO, { paceFactor: PACE });
  await world.sink.summary(callSid);
  await world.gladia.waitFor(({ sessions }) => sessions.every(({ state }) => state === 'ended'));
  expect(world.sessionsOf(callSid)).toHaveLength(2);
  expect(world.sink.of('session-opened', callSid)).toHaveLength(1);
});

test('a session that is lost when its successor is there goes on with that one', async () => {
  const world = await testWorld({
    recognition: { ...RECOGNITION, rolloverPauseMs: 60_000, resultForMs: 200 },
  });
  const { callSid } = world.callOneTrack(AUDIO, { paceFactor: PACE });
  await world.gladia.waitFor(({ sessions }) => sessions.length === 2);
  world.sessionsOf(callSid)[0]!.cut({ closeCode: 4403 });
  await world.sink.summary(callSid);
  expect(world.sessionsOf(callSid).length).toBeGreaterThanOrEqual(2);
  expect(world.sink.of('session-opened', callSid)[1]!.sessionId).toBe(world.sessionsOf(callSid)[1]!.id);
  expectEachOnce(world.sink.segments(callSid));
});

test('the old session loses its socket while it is heard out, and is resumed', async () => {
  const world = await testWorld({ recognition: RECOGNITION });
  world.gladia.faults.rules.push({ when: ({ number }) => number === 0, faults: { loseStop: true } });
  const { callSid } = world.callOneTrack(AUDIO, { paceFactor: PACE });
  const first = await world.gladia.waitFor(({ sessions }) => sessions.find(({ lostStops }) => lostStops > 0));
  world.gladia.faults.rules.length = 0;
  first.cut('reset');
  const summary = await world.sink.summary(callSid);
  expect(first).toMatchObject({ stopReceived: true, endReason: 'stopped' });
  expectEachOnce(world.sink.segments(callSid));
  const { acceptedMs, lateMs } = ledgerOf(summary);
  expect(acceptedMs + lateMs).toBe(CALL_MS);
});
