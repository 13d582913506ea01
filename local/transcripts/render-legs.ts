import { clockTime } from '../../runtime/sinks/console-sink';
import type { CallLeg } from './call-legs';
import { textTable } from './text-table';

const COLUMNS = [
  { title: 'LEG', align: 'right' },
  { title: 'STREAM' },
  { title: 'FROM', align: 'right' },
  { title: 'TO', align: 'right' },
  { title: 'SEGMENTS', align: 'right' },
  { title: 'ENDED' },
  { title: 'AFTER THE LEG BEFORE' },
] as const;

/** The legs of a call for people, a line each. Nothing for a call of one leg: its head says it all. */
export function renderLegs(legs: readonly CallLeg[]): string[] {
  if (legs.length < 2) return [];
  return textTable(COLUMNS, legs.map(row));
}

function row(leg: CallLeg): string[] {
  const { startMs, endMs, endReason, failure, segments } = leg;
  return [
    String(leg.number),
    leg.streamSid,
    startMs === undefined ? '' : clockTime(startMs),
    endMs === undefined ? '' : clockTime(endMs),
    segments === undefined ? '' : String(segments),
    failure === undefined ? (endReason ?? 'live') : `${endReason ?? 'live'}, failed: ${failure}`,
    transition(leg.sinceBeforeMs),
  ];
}

function transition(sinceBeforeMs: number | undefined): string {
  if (sinceBeforeMs === undefined) return '';
  if (sinceBeforeMs === 0) return 'at once';
  const length = `${(Math.abs(sinceBeforeMs) / 1000).toFixed(1)} s`;
  return sinceBeforeMs > 0 ? `${length} without a stream` : `${length} heard by both`;
}
