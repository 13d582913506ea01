import type { CallItem } from '../../runtime/store/stored-call';
import { textTable } from './text-table';

type Latency = NonNullable<CallItem['latency']>;

/** How long text took, for people: a row for partials, for finals and what these are made of, in seconds. */
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
  { title: 'Latency in seconds' },
  ...['number', 'half within', '95 % within', '99 % within'].map((title) => ({
    title,
    align: 'right' as const,
  })),
];

function row(title: string, { count, p50Ms, p95Ms, p99Ms }: Latency): string[] {
  return [title, String(count), seconds(p50Ms), seconds(p95Ms), p99Ms === undefined ? '' : seconds(p99Ms)];
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(3);
}
