import { nameOf } from './cell';
import type { Measurement } from './measure';
import type { Verdict } from './part';

const COLUMNS = [
  'who',
  'load',
  'CPU ms per call-second',
  'calls per vCPU',
  'added p50 / p90 / p99 / p99.9 ms',
  'loop delay p50 / p99 ms',
  'KB per call',
  'GC',
  'frames lost',
] as const;

/** A Markdown table: its head here, a row for each measurement as it comes. */
export const TABLE_HEAD = `${row(COLUMNS)}\n${row(COLUMNS.map(() => '---'))}`;

export function measurementRow(measured: Measurement): string {
  const { subject, cell, latencyMs, loopDelayMs, frames, generator } = measured;
  const { p50, p90, p99, p999 } = latencyMs;
  const lost = frames.sent - frames.received;
  return row([
    subject,
    nameOf(cell) + (generator.isSaturated ? ' (generator saturated)' : ''),
    measured.cpuMsPerCallSecond.toFixed(2),
    String(Math.floor(measured.callsPerVcpu)),
    [p50, p90, p99, p999].map((ms) => ms.toFixed(1)).join(' / '),
    Number.isNaN(loopDelayMs.p99) ? '' : `${loopDelayMs.p50.toFixed(1)} / ${loopDelayMs.p99.toFixed(1)}`,
    (measured.rssBytesPerCall / 1024).toFixed(0),
    `${(100 * measured.gcShare).toFixed(1)} %`,
    lost === 0 ? 'none' : String(lost),
  ]);
}

export function verdictLine({ what, measured, target, holds }: Verdict): string {
  return `${holds ? 'holds ' : 'MISSED'}  ${what}: ${measured} (target: ${target})`;
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}
