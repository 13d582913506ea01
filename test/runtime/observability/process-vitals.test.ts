import { Metrics } from '../../../runtime/observability/metrics';
import { watchProcessVitals } from '../../../runtime/observability/process-vitals';

/** Long beside the wait after a look: a look in the same turn as the delay would miss it. */
const INTERVAL_MS = 500;

async function nextLook(metrics: Metrics): Promise<void> {
  const { count } = metrics.distribution('eventLoopDelay');
  while (metrics.distribution('eventLoopDelay').count <= count) await new Promise(setImmediate);
}

test('what holds up the event loop shows, and the memory with it', async () => {
  const metrics = new Metrics();
  const vitals = watchProcessVitals({ metrics, intervalMs: INTERVAL_MS });
  await nextLook(metrics);
  const { sum } = metrics.distribution('eventLoopDelay');
  // The first moments after a look are not measured.
  await new Promise((resolve) => setTimeout(resolve, 60));
  const untilMs = performance.now() + 400;
  while (performance.now() < untilMs);
  // The first look may come before the delay is noted.
  await nextLook(metrics);
  await nextLook(metrics);
  vitals.close();
  expect(metrics.distribution('eventLoopDelay').sum - sum).toBeGreaterThan(200);
  expect(metrics.value('residentMemory')).toBeGreaterThan(metrics.value('heapUsed'));
  expect(metrics.value('heapUsed')).toBeGreaterThan(1e6);
});

test('nothing is measured after the end', async () => {
  const metrics = new Metrics();
  const vitals = watchProcessVitals({ metrics, intervalMs: 1 });
  await nextLook(metrics);
  vitals.close();
  vitals.close();
  const { count } = metrics.distribution('eventLoopDelay');
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(metrics.distribution('eventLoopDelay').count).toBe(count);
});
