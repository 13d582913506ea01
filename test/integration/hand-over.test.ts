import type { LegSummary } from '../../runtime/model/transcript-event';
import { spokenAudio } from '../support/audio';
import { coverage, twoRelays } from '../support/two-relays';

const CALL_MS = 12_000;
const SPEECH = [1, 3, 5, 7, 9].map((second) => ({ startMs: second * 1_000, endMs: second * 1_000 + 900 }));
const AUDIO = { inbound: spokenAudio(CALL_MS, SPEECH, 1), outbound: spokenAudio(CALL_MS, [], 2) };

test('a task that ends hands its live call over: nothing is missed, and what both hear is marked', async () => {
  const { relays, balancer, call: place, ownerOf, read } = await twoRelays();
  const call = place({ audio: AUDIO, paceFactor: 3 });
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
  // Nothing is said twice without a mark, and nothing is missing.
  const inbound = stored.segments.filter(({ track }) => track === 'inbound');
  const unmarked = inbound.filter(({ overlap }) => overlap !== true);
  expect(unmarked.length).toBeLessThanOrEqual(SPEECH.length);
  expect(inbound.length).toBeGreaterThanOrEqual(SPEECH.length);
});

test('ECS telling of the end is enough: the calls are gone before SIGTERM', async () => {
  const { relays, balancer, call: place, ownerOf } = await twoRelays();
  const call = place({ audio: AUDIO, paceFactor: 3 });
  const owner = await ownerOf(call.callSid);
  const other = relays.find((each) => each !== owner)!;
  balancer.deregister(owner.relay.port, { cutSockets: false });
  owner.stopping();
  expect((await owner.sink.summary(call.callSid)).endReason).toBe('handed-over');
  await other.sink.next('call-ended', call.callSid);
  expect(coverage(call, CALL_MS).missedMs).toBe(0);
});

test.each([
  ['is refused for a while', { times: 2, answer: { status: 429, code: 20429 } }],
  ['fails', { times: 2, answer: { status: 500 } }],
  ['is cut', { times: 1, answer: 'cut' }],
  ['works without an answer', { times: 1, answer: 'lost' }],
] as const)(
  'a second stream whose request %s costs no audio',
  async (_, fault) => {
    const {
      relays,
      balancer,
      call: place,
      ownerOf,
      twilio,
    } = await twoRelays({
      timing: { proofWithinMs: 1_000 },
    });
    const call = place({ audio: AUDIO, paceFactor: 3 });
    const owner = await ownerOf(call.callSid);
    const other = relays.find((each) => each !== owner)!;
    balancer.deregister(owner.relay.port, { cutSockets: false });
    twilio.restFaults.push({ ...fault, when: ({ operation }) => operation === 'create stream' });
    await owner.relay.drain();
    expect(owner.sink.of('leg-ended', call.callSid)[0]?.summary.endReason).toBe('handed-over');
    await other.sink.next('call-ended', call.callSid);
    expect(coverage(call, CALL_MS).missedMs).toBe(0);
  },
  60_000,
);

test('a second stream that comes when nobody waits for it any more closes, and the call has one leg', async () => {
  const {
    relays,
    balancer,
    call: place,
    ownerOf,
    twilio,
    read,
  } = await twoRelays({
    timing: { proofWithinMs: 1_000 },
  });
  const call = place({ audio: AUDIO, paceFactor: 2 });
  const owner = await ownerOf(call.callSid);
  const other = relays.find((each) => each !== owner)!;
  balancer.deregister(owner.relay.port, { cutSockets: false });
  twilio.restFaults.push({
    times: 1,
    // Much later, so that the other stream has time enough to prove itself.
    latencyMs: 2_500,
    when: ({ operation }) => operation === 'create stream',
  });
  await owner.relay.drain();
  const ended = await other.sink.until(() => other.sink.of('leg-ended', call.callSid).find(isReplaced));
  expect(ended.summary.endReason).toBe('replaced');
  await other.sink.next('call-ended', call.callSid);
  await other.relay.drain();
  expect(coverage(call, CALL_MS).missedMs).toBe(0);
  const reasons = Object.values((await read(call.callSid)).call.legs).map(({ endReason }) => endReason);
  expect(reasons.toSorted()).toEqual(['handed-over', 'replaced', 'stopped']);
});

test('a call that takes no second stream goes over with a gap, which is written down', async () => {
  const { relays, balancer, call: place, ownerOf, read } = await twoRelays();
  const call = place({
    audio: AUDIO,
    // Between legs there is only the wall clock.
    paceFactor: 1,
    foreignTracks: 2,
    restRules: { deadStreamHoldsTracksMs: 600 },
  });
  const owner = await ownerOf(call.callSid);
  const other = relays.find((each) => each !== owner)!;
  balancer.deregister(owner.relay.port, { cutSockets: false });
  await owner.relay.drain();
  expect(owner.sink.of('leg-ended', call.callSid)[0]?.summary.endReason).toBe('handed-over');
  await other.sink.next('call-ended', call.callSid);
  await other.relay.drain();
  const { gaps, call: item } = await read(call.callSid);
  expect(gaps.map(({ cause }) => cause)).toEqual(['stream-lost', 'stream-lost']);
  expect(Object.keys(item.legs)).toHaveLength(2);
});

test('a task that no other task can follow keeps its call to the last, and ends it then', async () => {
  const {
    relays,
    balancer,
    call: place,
    ownerOf,
  } = await twoRelays({
    settings: { DRAIN_TIMEOUT_MS: '4000' },
    timing: { proofWithinMs: 500 },
  });
  const call = place({ audio: AUDIO, paceFactor: 1 });
  const owner = await ownerOf(call.callSid);
  for (const { relay } of relays) balancer.deregister(relay.port, { cutSockets: false });
  await owner.relay.drain();
  const summary = await owner.sink.summary(call.callSid);
  expect(summary.endReason).toBe('handed-over');
  expect(summary.segments).toBeGreaterThan(0);
  call.hangUp();
});

function isReplaced({ summary }: { readonly summary: LegSummary }): boolean {
  return summary.endReason === 'replaced';
}
