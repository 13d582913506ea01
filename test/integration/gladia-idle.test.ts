import { randomSid } from '../../local/twilio/random-sids';
import { repeatedBytes, spokenAudio } from '../support/audio';
import { ledgerOf, testWorld } from '../support/test-world';

const CALL_MS = 8_000;
/** Slow: a machine that is busy for a second must not cost one of the drops. */
const PACE = 2;

test('a caller on hold, whose session Gladia drops again and again for want of text, is transcribed when somebody speaks', async () => {
  const world = await testWorld({
    // Seen at Gladia: 4504 after a minute without text (gladia-live.md, 2.5).
    gladia: { limits: { processingMs: 10, noTextMs: 300 } },
    recognition: { resumeForMs: 20_000, probeTimeoutMs: 5_000 },
  });
  const callSid = randomSid('CA');
  world.faultsFor(callSid, { unackedOnDrop: 'counted' });
  const audio = spokenAudio(CALL_MS, [{ startMs: 6_000, endMs: 7_000 }], 95);
  world.callOneTrack(audio, { callSid, paceFactor: PACE });
  const summary = await world.sink.summary(callSid);
  const [session, ...more] = world.sessionsOf(callSid);
  expect(more).toHaveLength(0);
  expect(session!.closeCodes.filter((code) => code === 4504).length).toBeGreaterThanOrEqual(3);
  expect(repeatedBytes(session!.accepted()!, audio)).toBeDefined();
  const [segment, ...others] = world.sink.segments(callSid);
  expect(others).toHaveLength(0);
  expect(Math.abs(segment!.startMs - 6_000)).toBeLessThanOrEqual(100);
  const { acceptedMs, lateMs } = ledgerOf(summary);
  expect(acceptedMs + lateMs).toBe(CALL_MS);
});
