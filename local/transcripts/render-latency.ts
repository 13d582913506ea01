import type { CallItem } from '../../runtime/store/stored-call';
import { textTable } from './text-table';

type Latency = NonNullable<CallItem['latency']>;

/** How long text took, for people: a row for partials, for finals and what these are made of, in milliseconds. */
export function renderLatency({ latency, latencyParts = {} }: CallItem): string[] {
  const rows: readonly (readonly [title: string, latency: Latency | undefined])[] = [
    ['partials', latencyParts.partial],
    ['finals', latency],
    ['  in the relay', latencyParts.relay],
    ['  at the speech service', latencyParts.speech],
    ['finals stored, from there', latencyParts.store],
  ];
  const known = rows.flatMap(([title, own]) => (own === undefined ? [] : [row(title, own)]));
  return known.length === 0 ? [] : textTable(COLUMNS, known);
}

const COLUMNS = [
  { title: 'Latency in milliseconds' },
  ...['number', 'half within', '95 % within', '99 % within'].map((title) => ({
    title,
    align: 'right' as const,
  })),
];

function row(title: string, { count, p50Ms, p95Ms, p99Ms }: Latency): string[] {
  const known = [p50Ms, p95Ms, p99Ms].map((ms) => (ms === undefined ? '' : legible(ms)));
  return [title, String(count), ...known];
}

/** The relay's own part is well below a millisecond, and shall be seen. */
function legible(ms: number): string {
  return ms < 10 ? ms.toFixed(2) : String(Math.round(ms));
}
