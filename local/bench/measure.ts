import { setTimeout } from 'node:timers/promises';
import type { Cell, Subject } from './cell';
import { quantile } from './frame-tags';
import { endAndWait, withTrial, type BenchWorld } from './trial';

export interface Durations {
  readonly warmUpMs: number;
  readonly measureMs: number;
}

/** One subject under one load. */
export interface Measurement {
  readonly subject: Subject;
  readonly cell: Cell;
  readonly cpuMsPerCallSecond: number;
  /** What one vCPU carries at that price, all of it used. */
  readonly callsPerVcpu: number;
  readonly latencyMs: {
    readonly p50: number;
    readonly p90: number;
    readonly p99: number;
    readonly p999: number;
  };
  readonly loopDelayMs: { readonly p50: number; readonly p99: number };
  /** Over what it needed before the first call. */
  readonly rssBytesPerCall: number;
  readonly gcShare: number;
  /** Of its core. */
  readonly busy: number;
  readonly calls: { readonly refused: number; readonly lost: number };
  readonly frames: { readonly sent: number; readonly received: number; readonly misplaced: number };
  readonly generator: {
    readonly busy: number;
    readonly latenessP99Ms: number;
    readonly isSaturated: boolean;
  };
}

/** A generator that is later, or busier, than this does not put the load on that it should. */
const MOST_LATENESS_MS = 15;
const MOST_BUSY = 0.9;

export async function measure(
  options: { subject: Subject; cell: Cell; world: BenchWorld },
  { warmUpMs, measureMs }: Durations,
): Promise<Measurement> {
  const { subject, cell } = options;
  return withTrial(options, async (trial) => {
    const idle = await trial.subject.ask('report');
    await trial.callers.start();
    await setTimeout(warmUpMs);
    await trial.subject.ask('begin');
    const cpu = process.cpuUsage();
    trial.times.begin();
    trial.callers.begin();
    await setTimeout(measureMs);
    const report = await trial.subject.ask('report');
    const { user, system } = process.cpuUsage(cpu);
    const sorted = trial.times.end();
    const latenessP99Ms = trial.callers.latenessP99Ms();
    const busy = (user + system) / 1_000 / report.wallMs;
    await endAndWait(trial);
    const cpuMsPerCallSecond = report.cpuMs / (report.wallMs / 1_000) / cell.calls;
    return {
      subject,
      cell,
      cpuMsPerCallSecond,
      callsPerVcpu: 1_000 / cpuMsPerCallSecond,
      latencyMs: {
        p50: quantile(sorted, 0.5),
        p90: quantile(sorted, 0.9),
        p99: quantile(sorted, 0.99),
        p999: quantile(sorted, 0.999),
      },
      loopDelayMs: { p50: report.loopDelayP50Ms, p99: report.loopDelayP99Ms },
      rssBytesPerCall: (report.rssBytes - idle.rssBytes) / cell.calls,
      gcShare: report.gcMs / report.wallMs,
      busy: report.cpuMs / report.wallMs,
      calls: { refused: trial.callers.refused, lost: trial.callers.lost },
      frames: {
        sent: trial.callers.sentFrames,
        received: trial.speech.receivedFrames,
        misplaced: trial.speech.misplacedFrames,
      },
      generator: { busy, latenessP99Ms, isSaturated: busy > MOST_BUSY || latenessP99Ms > MOST_LATENESS_MS },
    };
  });
}
