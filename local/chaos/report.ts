import { counted } from '../../runtime/model/counted';
import type { Scenario } from './scenario';
import type { ScenarioResult } from './scenario-result';

const TITLES = [
  ...['scenario', 'calls', 'audio', 'doubled', 'unconfirmed', 'recovery', 'took', 'verdict', 'lost'],
] as const;
/** Of the columns behind the name; the last one is as long as it is. */
const WIDTHS = [5, 8, 7, 11, 8, 7, 7];

/** Lines of a table that is printed while it grows. */
export function resultTable(scenarios: readonly Scenario[]): {
  readonly head: string;
  row(result: ScenarioResult): string;
} {
  const nameWidth = Math.max(TITLES[0].length, ...scenarios.map(({ name }) => name.length));
  const line = ([name = '', ...cells]: readonly string[]): string =>
    [name.padEnd(nameWidth), ...cells.map((cell, at) => cell.padStart(WIDTHS[at] ?? 0))].join('  ').trimEnd();
  return {
    head: line(TITLES),
    row: (result) => [line(cellsOf(result)), ...result.notes.map((note) => `  ${note}`)].join('\n'),
  };
}

function cellsOf({ scenario, totals, broken, tookMs }: ScenarioResult): readonly string[] {
  const { calls, sentMs, doubledSegments, unconfirmedMs, recoveryMs, lostMs } = totals;
  const lost = Object.entries(lostMs).map(([cause, ms]) => `${Math.round(ms)} ms ${cause}`);
  return [
    scenario.name,
    String(calls),
    seconds(sentMs),
    String(doubledSegments),
    seconds(unconfirmedMs),
    recoveryMs === undefined ? '-' : seconds(recoveryMs),
    seconds(tookMs),
    broken.length === 0 ? 'kept' : 'BROKEN',
    lost.length === 0 ? '0 ms' : lost.join(', '),
  ];
}

const MOST_BROKEN_TOLD = 12;

/** What did not hold, and how to see it again. */
export function brokenPromise({ scenario, broken, seed }: ScenarioResult, evidencePath: string): string {
  const told = broken.slice(0, MOST_BROKEN_TOLD).map((each) => `  - ${each}`);
  const more = broken.length - told.length;
  return [
    `${scenario.name} broke its promise: ${scenario.promise}`,
    ...told,
    ...(more > 0 ? [`  - and ${more} more`] : []),
    `  Replay:   npm run chaos -- --only ${scenario.name} --seed ${seed}`,
    `  Evidence: ${evidencePath}`,
  ].join('\n');
}

export function summaryLine(
  { played, broken }: { readonly played: number; readonly broken: number },
  tookMs: number,
): string {
  const verdict = broken === 0 ? 'every promise was kept' : `${broken} broke a promise`;
  return `${counted(played, 'scenario')} in ${seconds(tookMs)}: ${verdict}`;
}

export function scenarioList(scenarios: readonly Scenario[]): string {
  return scenarios
    .map(({ name, fault, promise, isQuick }) =>
      [`${name}${isQuick === true ? ' (quick)' : ''}`, `  ${fault}`, `  -> ${promise}`].join('\n'),
    )
    .join('\n');
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}
