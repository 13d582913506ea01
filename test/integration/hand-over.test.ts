import { spokenAudio } from '../support/audio';
import { coverage, twoRelays } from '../support/two-relays';

const CALL_MS = 12_000;
const SPEECH = [1, 3, 5, 7, 9].map((second) => ({ startMs: second * 1_000, endMs: second * 1_000 + 900 }));
const AUDIO = { inbound: spokenAudio(CALL_MS, SPEECH, 1), outbound: spokenAudio(CALL_MS, [], 2) };

test('a task that ends hands its live call over: nothing is missed, and what both hear is marked', async () => {
  const { relays, balancer, call: place, ownerOf, read } = await twoRelays();
  const call = place({ audio: AUDIO, paceFactor: 2 });
  const owner = await ownerOf(call.callSid);
  const other = relays.find((each) => each !== owner)!;
  await owner.sink.next('final', call.callSid);
  balancer.deregister(owner.relay.port, { cutSockets: false });
  await owner.relay.drain();
  expect(owner.sink.of('leg-ended', call.callSid)[0]?.summary.endReason).toBe('handed-over');
  expect(owner.sink.of('call-ended')).toEqual([]);
  await other.sink.next('call-ended', call.callSid);
  const { missedMs, twiceMs } = coverage(call, CALL_MS);
  expect(missedMs).toBe(0);
  expect(twiceMs).toBeGreaterThan(0);
  await other.relay.drain();
  const stored = await read(call.callSid);
  expect(Object.keys(stored.call.legs)).toHaveLength(2);
  expect(stored.gaps).toEqual([]);
  expect(stored.call).toMatchObject({ status: 'completed', segmentCount: stored.segments.length });
  const once = stored.segments.filter(({ overlap, track }) => overlap !== true && track === 'inbound');
  expect(once).toHaveLength(SPEECH.length);
});
