import { measurementRow, TABLE_HEAD } from './bench-table';
import { BASE_CELL, nameOf, type Cell, type Subject } from './cell';
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

/**
 * One after the other, each has the core to itself, and what else the machine does hits one of them. Side by side, both
 * with their calls on one core at the same time, it hits both: the ratio is the surer one, latencies mean nothing.
 */
type Manner = 'in turn' | 'side by side';

/** The relay and the bare pipe, so many times; medians of the pairs count. */
async function measurePairs(cell: Cell, manner: Manner, run: PartRun): Promise<readonly Pair[]> {
  const { options, world, out } = run;
  const measured = async (subject: Subject): Promise<Measurement> => {
    const measurement = await measure({ subject, cell, world }, options);
    out(measurementRow(measurement));
    return measurement;
  };
  const pairs: Pair[] = [];
  out(TABLE_HEAD);
  for (let i = 0; i < options.pairs; i += 1) {
    const first = measured('ws-pipe');
    if (manner === 'in turn') await first;
    const [pipe, relay] = await Promise.all([first, measured('relay')]);
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

const ratioPart = (name: string, cell: Cell, manner: Manner, limits: RatioLimits): Part => ({
  name,
  what: `the relay against the bare pipe, ${manner}: ${nameOf(cell)}`,
  async run(run) {
    const pairs = await measurePairs(cell, manner, run);
    return { verdicts: judgePairs(pairs, limits), data: pairs };
  },
});

/** Who is measured beside another one has no latency of its own. */
const CPU_ONLY = { p50Ms: Infinity, p90Ms: Infinity };

export const RATIO_PARTS: readonly Part[] = [
  // In CI, whose machine is shared: above what it is, so that only what has become dearer fails.
  ratioPart('ratio-ci', { ...BASE_CELL, calls: 100 }, 'side by side', { ...CPU_ONLY, cpu: 1.3 }),
  ratioPart('ratio-20', BASE_CELL, 'in turn', LIMITS),
  ratioPart('ratio-20-beside', BASE_CELL, 'side by side', { ...LIMITS, ...CPU_ONLY }),
  // Where the pipe is idle half of the time, a late chunk is no more than late.
  ratioPart('ratio-100', { ...BASE_CELL, calls: 600, chunkMs: 100 }, 'in turn', { ...LIMITS, ...CPU_ONLY }),
];
