import type { HttpFault } from '../../local/gladia/faults';
import type { Call } from '../../local/twilio/twilio-caller';
import { spokenAudio } from '../support/audio';
import { ledgerOf, testWorld, type TestWorld } from '../support/test-world';
const CALL_MS = 4_000;
const SPEECH = [
  { startMs: 300, endMs: 900 },
  { startMs: 2_300, endMs: 2_900 },
];

const AUDIO = spokenAudio(CALL_MS, SPEECH, 200);

function playCalls(world: TestWorld, count: number): Call[] {
  return Array.from({ length: count }, () =>
    world.callOneTrack(AUDIO, { paceFactor: 2, connectTimeoutMs: 30_000 }),
  );
}

test.each([
  ['of which the relay knows', '30'],
  ['of which only Gladia knows', ''],
])(
  'sixty calls at an account of thirty sessions, %s, are all transcribed as a whole',
  async (_, limit) => {
    const world = await testWorld({
      settings: { GLADIA_MAX_SESSIONS: limit },
      gladia: { maxConcurrentSessions: 30, limits: { processingMs: 10 } },
    });
    const calls = playCalls(world, 60);
    for (const { callSid } of calls) {
      const { acceptedMs, lateMs, lostMs } = ledgerOf(await world.sink.summary(callSid));
      expect({ acceptedMs: acceptedMs + lateMs, lostMs }).toEqual({ acceptedMs: CALL_MS, lostMs: {} });
      expect(world.sessionsOf(callSid)[0]!.accepted()!.equals(AUDIO)).toBe(true);
      expect(world.sink.segments(callSid)).toHaveLength(SPEECH.length);
    }
    expect(world.gladia.maxOpenSessions).toBeLessThanOrEqual(30);
    expect(world.gladia.maxOpenSessions).toBeGreaterThan(20);
    expect(world.gladia.sessions).toHaveLength(60);
    expect(world.relay.metrics.value('callsFailed')).toBe(0);
  },
  60_000,
);

test('thirty calls that wait for one session are not thirty requests at a time', async () => {
  const world = await testWorld({
    gladia: { maxConcurrentSessions: 1, limits: { processingMs: 10 } },
    recognition: { backOff: { baseMs: 50, capMs: 200 } },
  });
  const first = playCalls(world, 1);
  await world.gladia.waitFor(({ sessions }) => sessions[0]?.connected);
  const others = playCalls(world, 30);
  await world.sink.summary(first[0]!.callSid);
  // All of them may have asked once before the first refusal; from then on one asks for all.
  expect(world.relay.metrics.value('sessionRequestsFailed', 'http-429')).toBeLessThanOrEqual(30 + 40);
  await world.sink.summary(others[0]!.callSid);
});

test('audio that had to wait is sent at the pace that CATCH_UP_FACTOR allows', async () => {
  const world = await testWorld({ settings: { CATCH_UP_FACTOR: '4' } });
  const fault: HttpFault = { times: Infinity, answer: { status: 503 } };
  world.gladia.faults.http.push(fault);
  const audio = spokenAudio(12_000, [], 91);
  const call = world.callOneTrack(audio, { paceFactor: 20 });
  await call.done;
  fault.times = 0;
  const session = await world.gladia.waitFor(({ sessions }) =>
    sessions.find(({ receivedBytes }) => receivedBytes > 0),
  );
  // The first burst is one second at that pace; without the setting all twelve seconds come in one turn.
  expect(session.receivedBytes).toBeLessThanOrEqual(4_500 * 8);
  const summary = await world.sink.summary(call.callSid);
  expect(session.accepted()!.equals(audio)).toBe(true);
  const { acceptedMs, lateMs } = ledgerOf(summary);
  expect(acceptedMs + lateMs).toBe(12_000);
});
