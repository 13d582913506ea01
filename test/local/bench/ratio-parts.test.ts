import type { Measurement } from '../../../local/bench/measure';
import { judgePairs } from '../../../local/bench/ratio-parts';

const LIMITS = { cpu: 1.15, p50Ms: 0.3, p90Ms: 0.5 };

const measured = (cpu: number, p50: number, p90: number): Measurement =>
  ({
    cpuMsPerCallSecond: cpu,
    latencyMs: { p50, p90, p99: 9, p999: 20 },
    frames: { sent: 9, received: 9, misplaced: 0 },
  }) as Measurement;
const missed = (relays: readonly Measurement[]): string[] =>
  judgePairs(
    relays.map((relay) => ({ pipe: measured(2, 0.2, 0.4), relay })),
    LIMITS,
  ).flatMap(({ holds, what }) => (holds ? [] : [what]));

test('judges the median of the pairs: one bad one is bad luck', () => {
  expect(missed([measured(2.2, 0.4, 0.8), measured(9, 9, 9), measured(2.3, 0.5, 0.9)])).toEqual([]);
});

test.each([
  ['CPU', measured(2.4, 0.2, 0.4), ['CPU against the bare pipe']],
  ['p50', measured(2, 0.6, 0.7), ["added latency p50 over the bare pipe's"]],
  ['p90', measured(2, 0.3, 1), ["added latency p90 over the bare pipe's"]],
])('misses what is worse than its limit in %s', (_, relay, what) => {
  expect(missed([relay, relay, relay])).toEqual(what);
});

test('misses a single lost frame', () => {
  const lossy = { ...measured(2, 0.2, 0.4), frames: { sent: 10, received: 9, misplaced: 0 } };
  expect(missed([measured(2, 0.2, 0.4), lossy, measured(2, 0.2, 0.4)])).toEqual(['frames lost']);
});
