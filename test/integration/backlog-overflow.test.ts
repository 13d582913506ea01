import type { FaultyRequest, HttpFault } from '../../local/gladia/faults';
import { patternedAudio } from '../support/audio';
import { ledgerOf, mediaUrl, testWorld, type TestWorld } from '../support/test-world';

/** The backlog drops whole slabs: two seconds of one track, one of two. */
const SLAB_MS = 2_000;
const CALL_MS = 10_000;
const FAST = 20;

function closeGladia(world: TestWorld): HttpFault {
  const when = ({ method }: FaultyRequest): boolean => method === 'POST';
  const fault: HttpFault = { when, times: Infinity, answer: { status: 503 } };
  world.gladia.faults.http.push(fault);
  return fault;
}

test('a call whose backlog is full loses its oldest audio, and ledger and gaps say so', async () => {
  const world = await testWorld({ settings: { BACKLOG_CALL_MS: '4000' } });
  const fault = closeGladia(world);
  const audio = patternedAudio(CALL_MS, 51);
  const call = world.callOneTrack(audio, { paceFactor: FAST });
  await call.done;
  fault.times = 0;
  const summary = await world.sink.summary(call.callSid);
  await world.sink.next('call-ended', call.callSid);

  const { acceptedMs, lateMs, lostMs } = ledgerOf(summary);
  const droppedMs = lostMs['backlog-overflow']!;
  expect(droppedMs).toBe(CALL_MS - 2 * SLAB_MS);
  expect(acceptedMs + lateMs).toBe(CALL_MS - droppedMs);
  const [session] = world.gladia.sessions;
  expect(session!.accepted()!.equals(audio.subarray(droppedMs * 8))).toBe(true);
  const { metrics } = world.relay;
  expect(metrics.value('audioDropped')).toBe(droppedMs);
  expect(metrics.value('audioLost', 'backlog-overflow')).toBe(droppedMs);
  const { gaps } = await world.readAfterDrain(call.callSid);
  expect(gaps).toMatchObject([{ startMs: 0, endMs: droppedMs, cause: 'backlog-overflow' }]);
});

test('both tracks lose the same time, and what is said after it is where it was said', async () => {
  const world = await testWorld({
    settings: { BACKLOG_CALL_MS: '2000' },
    // The session begins after what was dropped: 8,000 ms of the call.
    script: () => ({ channels: [[{ startMs: 500, endMs: 900, text: 'Hello?' }], []] }),
  });
  const fault = closeGladia(world);
  const call = world.call({
    stream: { url: mediaUrl(world), tracks: ['inbound', 'outbound'] },
    audio: { inbound: patternedAudio(CALL_MS, 52), outbound: patternedAudio(CALL_MS, 53) },
    paceFactor: FAST,
  });
  await call.done;
  fault.times = 0;
  const summary = await world.sink.summary(call.callSid);
  for (const track of ['inbound', 'outbound'] as const)
    expect(ledgerOf(summary, track).lostMs).toEqual({ 'backlog-overflow': 8_000 });
  expect(world.sink.segments(call.callSid)).toMatchObject([{ startMs: 8_500, text: 'Hello?' }]);
  expect(world.sink.of('gap', call.callSid)).toMatchObject([
    { track: 'inbound', startMs: 0, endMs: 8_000 },
    { track: 'outbound', startMs: 0, endMs: 8_000 },
  ]);
});

test('a socket that stalls in mid-call costs the oldest audio only, and never more memory than allowed', async () => {
  const world = await testWorld({ settings: { BACKLOG_CALL_MS: '4000' }, recognition: { finishForMs: 300 } });
  world.gladia.faults.sessions = { stallAfterBytes: 1_000 * 8 };
  const audio = patternedAudio(CALL_MS, 54);
  const call = world.callOneTrack(audio, { paceFactor: FAST });
  const summary = await world.sink.summary(call.callSid);
  expect(world.gladia.sessions).toHaveLength(1);
  ledgerOf(summary);
});

test('all calls together keep no more than the process may, and those that hold most give', async () => {
  const MOST_BYTES = 1_048_576;
  const CALLS = 20;
  const world = await testWorld({ settings: { BACKLOG_PROCESS_BYTES: String(MOST_BYTES) } });
  const fault = closeGladia(world);
  const audio = patternedAudio(CALL_MS, 55);
  let mostHeld = 0;
  const stopWatching = world.gladia.onChange(() => {
    mostHeld = Math.max(mostHeld, world.relay.metrics.value('audioHeld'));
  });
  const calls = Array.from({ length: CALLS }, () => world.callOneTrack(audio, { paceFactor: FAST }));
  await Promise.all(calls.map(({ done }) => done));
  await world.gladia.waitFor(() => world.relay.metrics.value('audioHeld') > 0);
  stopWatching();
  fault.times = 0;
  const summaries = await Promise.all(calls.map(({ callSid }) => world.sink.summary(callSid)));

  expect(mostHeld).toBeGreaterThan(MOST_BYTES / 2);
  expect(mostHeld).toBeLessThanOrEqual(MOST_BYTES);
  const lostMs = summaries.map((summary) => ledgerOf(summary).lostMs['backlog-overflow'] ?? 0);
  expect(lostMs.reduce((sum, ms) => sum + ms, 0)).toBeGreaterThanOrEqual(CALLS * CALL_MS - MOST_BYTES / 8);
  expect(Math.max(...lostMs) - Math.min(...lostMs)).toBeLessThanOrEqual(2 * SLAB_MS);
  expect(world.gladia.sessions).toHaveLength(CALLS);
});
