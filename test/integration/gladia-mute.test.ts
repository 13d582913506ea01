import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { spokenAudio, type Speech } from '../support/audio';
import { NOT_SPEECH, sound } from '../support/sounds';
import { ledgerOf, testWorld, type TestWorld } from '../support/test-world';

const PACE = 8;
const CALL_MS = 24_000;
const SPEECH: readonly Speech[] = Array.from({ length: 20 }, (_, i) => ({
  startMs: i * 1_200 + 300,
  endMs: i * 1_200 + 900,
}));
/** Real time at eight times the pace: a second and a half is twelve seconds of the call. */
const RECOGNITION = { stallAfterMs: 1_000, stallSpeechMs: 4_000, stallAtMostMs: 60_000, resultForMs: 200 };

function mute(world: TestWorld, isMute: (session: number) => boolean): void {
  world.gladia.faults.rules.push({ when: ({ number }) => isMute(number), faults: { mute: true } });
}

test('a session that takes speech and says nothing is recycled, and everything is said by the next one', async () => {
  const world = await testWorld({ recognition: RECOGNITION });
  mute(world, (number) => number === 0);
  const { callSid } = world.callOneTrack(spokenAudio(CALL_MS, SPEECH, 81), { paceFactor: PACE });
  const summary = await world.sink.summary(callSid);
  const [first, ...more] = world.sessionsOf(callSid);
  expect(more).toHaveLength(1);
  expect(first).toMatchObject({ endReason: 'client-closed' });
  const starts = world.sink.segments(callSid).map(({ startMs }) => startMs);
  expect(starts).toHaveLength(SPEECH.length);
  starts.forEach((startMs, i) => expect(Math.abs(startMs - SPEECH[i]!.startMs)).toBeLessThanOrEqual(60));
  const { lostMs } = ledgerOf(summary);
  expect(lostMs).toEqual({});
  expect(world.relay.metrics.value('sessionsRecycled', 'mute')).toBe(1);
  expect(world.relay.metrics.value('sessionSocketsLost')).toBe(0);
});

test('a session that falls mute in mid-call is recycled from its last words', async () => {
  const world = await testWorld({ recognition: RECOGNITION });
  const { callSid } = world.callOneTrack(spokenAudio(CALL_MS, SPEECH, 82), { paceFactor: PACE });
  await world.sink.until(() => world.sink.segments(callSid)[3]);
  mute(world, (number) => number === 0);
  await world.sink.summary(callSid);
  const [, second] = world.sink.of('session-opened', callSid);
  expect(second!.baseMs).toBeGreaterThanOrEqual(SPEECH[2]!.endMs);
  const starts = world.sink.segments(callSid).map(({ startMs }) => startMs);
  expect(starts).toHaveLength(SPEECH.length);
  expect(new Set(starts).size).toBe(SPEECH.length);
});

test('a service that stays mute is asked less and less often', async () => {
  const world = await testWorld({ recognition: { ...RECOGNITION, stallAfterMs: 250 } });
  mute(world, () => true);
  const { callSid } = world.callOneTrack(spokenAudio(CALL_MS, SPEECH, 83), { paceFactor: PACE });
  await world.sink.summary(callSid);
  const sessions = world.sessionsOf(callSid).length;
  // After 250 ms, 500, 1,000 and 2,000 of the three seconds; without the growing patience it would be up to twelve.
  expect(sessions).toBeGreaterThanOrEqual(2);
  expect(sessions).toBeLessThanOrEqual(5);
});

test.each(Object.entries(NOT_SPEECH).filter(([name]) => /silence|band|piano|melody|ring back/.test(name)))(
  '%s is no reason to recycle a session',
  async (_, waveform) => {
    const world = await testWorld({
      recognition: { ...RECOGNITION, stallAfterMs: 300, stallSpeechMs: 2_000 },
    });
    mute(world, () => true);
    const { callSid } = world.callOneTrack(sound(16, waveform), { paceFactor: PACE });
    await world.sink.summary(callSid);
    expect(world.sessionsOf(callSid)).toHaveLength(1);
    expect(world.relay.metrics.value('sessionsRecycled')).toBe(0);
  },
);

test('the sample call is recycled when it gets no text, on either side of it', async () => {
  const world = await testWorld({ recognition: RECOGNITION });
  mute(world, (number) => number === 0);
  const read = (track: string): Buffer =>
    readFileSync(join(__dirname, '../../local/sample-call', `${track}.ulaw`)).subarray(0, CALL_MS * 8);
  const call = world.call({
    audio: { inbound: read('inbound'), outbound: read('outbound') },
    paceFactor: PACE,
  });
  await world.sink.summary(call.callSid);
  expect(world.relay.metrics.value('sessionsRecycled', 'mute')).toBe(1);
});
