import { patternedAudio } from '../support/audio';
import { testWorld } from '../support/test-world';

test('every live partial and final has its latency in the metrics, and the call item agrees', async () => {
  const speech = [{ startMs: 200, endMs: 900, text: 'Good morning.' }];
  const world = await testWorld({ script: () => ({ channels: [speech] }) });
  const call = world.callOneTrack(patternedAudio(2_000));
  const { latency } = await world.sink.summary(call.callSid);
  const { metrics } = world.relay;
  const finals = metrics.distribution('finalLatency');
  const partials = metrics.distribution('partialLatency');
  expect([finals.count, partials.count]).toEqual([1, world.sink.of('partial').length]);
  expect(partials.count).toBeGreaterThan(0);
  expect(latency!.count).toBe(1);
  // Percentiles are a twentieth off at most.
  expect(Math.abs(finals.sum / latency!.p50Ms - 1)).toBeLessThan(0.06);
  expect(finals.sum).toBeGreaterThan(0);
  expect(metrics.value('legsUntranscribed')).toBe(0);
});

test('a leg of more than ten seconds without a word is counted as untranscribed', async () => {
  const world = await testWorld({ script: () => ({ channels: [[]] }) });
  const call = world.callOneTrack(patternedAudio(10_500));
  await world.sink.summary(call.callSid);
  expect(world.relay.metrics.value('legsUntranscribed')).toBe(1);
});

test('the way of a final is split into relay, speech service and store, on its item, the call and in the metrics', async () => {
  const speech = [{ startMs: 200, endMs: 900, text: 'Good morning.' }];
  // The call is over when its finals are stored, as in life.
  const timing = { callEndGraceMs: 500 };
  const world = await testWorld({ script: () => ({ channels: [speech] }), timing });
  const call = world.callOneTrack(patternedAudio(2_000));
  await world.sink.next('call-ended', call.callSid);
  const { call: item, segments } = await world.readAfterDrain(call.callSid);
  const { metrics } = world.relay;
  const [relay, atService, store] = (['relayLatency', 'speechLatency', 'storeLatency'] as const).map((name) =>
    metrics.distribution(name),
  );
  // Of each message, not of finals alone.
  expect(relay!.count).toBeGreaterThan(10);
  expect([atService!.count, store!.count]).toEqual([1, 1]);
  expect(Object.keys(item.latencyParts!).toSorted()).toEqual(['partial', 'relay', 'speech', 'store']);
  const { latencyMs = 0, relayMs = NaN } = segments[0] as { latencyMs?: number; relayMs?: number };
  // What the service takes is not the relay's part.
  expect(atService!.sum).toBeGreaterThan(0);
  expect(Math.abs(latencyMs - relayMs - atService!.sum)).toBeLessThan(2);
  expect(Math.abs(latencyMs - metrics.distribution('finalLatency').sum)).toBeLessThan(1);
  expect([metrics.distribution('firstPartial').count, metrics.distribution('firstFinal').count]).toEqual([
    1, 1,
  ]);
});

test('audio that waits for a session waits in the relay, not at the service', async () => {
  const speech = [{ startMs: 200, endMs: 900, text: 'Good morning.' }];
  const world = await testWorld({ script: () => ({ channels: [speech] }) });
  const answer = { status: 503 };
  world.gladia.faults.http.push({ when: ({ method }) => method === 'POST', times: 12, answer });
  const call = world.callOneTrack(patternedAudio(2_000));
  const { latencyParts } = await world.sink.summary(call.callSid);
  const { relay, speech: atService } = latencyParts!;
  expect(world.relay.metrics.value('sessionRequestsFailed')).toBe(12);
  expect(relay!.p50Ms).toBeGreaterThan(20);
  expect(relay!.count).toBe(atService!.count);
  expect(world.relay.metrics.distribution('relayLatency').sum).toBeGreaterThan(20);
});

test('calls are counted from their start to their end, and what is late or on its way is told', async () => {
  const speech = [{ startMs: 200, endMs: 900, text: 'Good morning.' }];
  const world = await testWorld({
    script: () => ({ channels: [speech] }),
    recognition: { lateAfterMs: 50 },
  });
  const { metrics } = world.relay;
  world.gladia.faults.http.push({
    when: ({ method }) => method === 'POST',
    times: 12,
    answer: { status: 503 },
  });
  const call = world.callOneTrack(patternedAudio(4_000));
  await world.sink.next('audio-started', call.callSid);
  while (metrics.value('backlog') === 0) await new Promise(setImmediate);
  const { ledger } = await world.sink.summary(call.callSid);
  await world.sink.next('call-ended', call.callSid);
  expect(metrics.value('callsStarted')).toBe(1);
  expect(metrics.value('callsEnded', 'stopped')).toBe(1);
  expect(ledger.tracks.inbound!.lateMs).toBeGreaterThan(0);
  expect(metrics.value('audioLate')).toBe(ledger.tracks.inbound!.lateMs);
  while (metrics.value('backlog') + metrics.value('unacknowledged') > 0) await new Promise(setImmediate);
});
