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
  expect(finals.sum).toBeCloseTo(latency!.p50Ms);
  expect(finals.sum).toBeGreaterThan(0);
  expect(metrics.value('legsUntranscribed')).toBe(0);
});

test('a leg of more than ten seconds without a word is counted as untranscribed', async () => {
  const world = await testWorld({ script: () => ({ channels: [[]] }) });
  const call = world.callOneTrack(patternedAudio(10_500));
  await world.sink.summary(call.callSid);
  expect(world.relay.metrics.value('legsUntranscribed')).toBe(1);
});
