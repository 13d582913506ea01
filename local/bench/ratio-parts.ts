import { measurementRow, TABLE_HEAD } from './bench-table';
import { BASE_CELL, nameOf, type Cell } from './cell';
import { median } from './frame-tags';
import { measure, type Measurement } from './measure';
import type { Part, PartRun, Verdict } from './part';

export interface RatioLimits {
  /** CPU of the relay, of the pipe's. */
  readonly cpu: number;
  /** Over the pipe's. */
  readonly p50Ms: number;
  readonly p90Ms: number;
}

interface Pair {
  readonly pipe: Measurement;
  readonly relay: Measurement;
}

/**
 * Two identical programs differ by chance in their p99 by more than these limits: p50 and p90 are judged, p99 is
 * printed (corrections to the design, 7).
 */
const LIMITS: RatioLimits = { cpu: 1.15, p50Ms: 0.3, p90Ms: 0.5 };

const PRINTED_ONLY = 'none, printed only';

/** The relay and the bare pipe one after the other, so many times; medians of the pairs count. */
export async function measurePairs(cell: Cell, { options, world, out }: PartRun): Promise<readonly Pair[]> {
  const pairs: Pair[] = [];
  out(TABLE_HEAD);
  for (let i = 0; i < options.pairs; i += 1) {
    const pipe = await measure({ subject: 'ws-pipe', cell, world }, options);
    out(measurementRow(pipe));
    const relay = await measure({ subject: 'relay', cell, world }, options);
    out(measurementRow(relay));
    pairs.push({ pipe, relay });
  }
  return pairs;
}

export function judgePairs(pairs: readonly Pair[], limits: RatioLimits): readonly Verdict[] {
  const cpu = median(pairs.map(({ pipe, relay }) => relay.cpuMsPerCallSecond / pipe.cpuMsPerCallSecond));
  const over = (name: 'p50' | 'p90' | 'p99'): number =>
    median(pairs.map(({ pipe, relay }) => relay.latencyMs[name] - pipe.latencyMs[name]));
  const latency = (name: 'p50' | 'p90', limitMs: number): Verdict => ({
    what: `added latency ${name} over the bare pipe's`,
    measured: `${over(name).toFixed(2)} ms`,
    target: limitMs === Infinity ? PRINTED_ONLY : `${limitMs} ms or less`,
    holds: over(name) <= limitMs,
  });
  const lostFrames = pairs.reduce((sum, { relay: { frames } }) => sum + frames.sent - frames.received, 0);
  return [
    {
      what: 'frames lost',
      measured: String(lostFrames),
      target: '0',
      holds: lostFrames === 0,
    },
    {
      what: 'CPU against the bare pipe',
      measured: cpu.toFixed(2),
      target: `${limits.cpu} or less`,
      holds: cpu <= limits.cpu,
    },
    latency('p50', limits.p50Ms),
    latency('p90', limits.p90Ms),
    {
      what: "added latency p99 over the bare pipe's",
      measured: `${over('p99').toFixed(2)} ms`,
      target: PRINTED_ONLY,
      holds: true,
    },
  ];
}

const ratioPart = (name: string, cell: Cell, limits: RatioLimits): Part => ({
  name,
  what: `the relay against the bare pipe: ${nameOf(cell)}`,
  async run(run) {
    const pairs = await measurePairs(cell, run);
    return { verdicts: judgePairs(pairs, limits), data: pairs };
  },
});

/** CI's machine is shared, and the measurement short: this notices that the relay has become much dearer, no more. */
const CI_LIMITS: RatioLimits = { cpu: 1.6, p50Ms: Infinity, p90Ms: Infinity };

export const RATIO_PARTS: readonly Part[] = [
  ratioPart('ratio-ci', { ...BASE_CELL, calls: 100 }, CI_LIMITS),
  ratioPart('ratio-20', BASE_CELL, LIMITS),
  // Where the pipe is idle half of the time, a late chunk is no more than late.
  ratioPart(
    'ratio-100',
    { ...BASE_CELL, calls: 600, chunkMs: 100 },
    { ...LIMITS, p50Ms: Infinity, p90Ms: Infinity },
  ),
];
