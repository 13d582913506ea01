import { middleOf } from './distribution';

/** Most values, or distinct values, that one line may hold for a metric. */
const MAX_VALUES = 100;

/** Distinct values and how often each came: what CloudWatch makes percentiles from, as from every value by itself. */
export interface CountedValues {
  readonly Values: readonly number[];
  readonly Counts: readonly number[];
  readonly Max: number;
  readonly Min: number;
  readonly Count: number;
  readonly Sum: number;
}

/**
 * What a distribution has got since the line before, as values of an embedded metric, one line each: every value by
 * itself while these fit into one line, and counted when not.
 *
 * @param counts by upper bound of the bucket
 */
export function embeddedValues(
  counts: ReadonlyMap<number, number>,
): readonly (readonly number[] | CountedValues)[] {
  const buckets = [...counts].toSorted(([one], [other]) => one - other);
  const total = buckets.reduce((sum, [, count]) => sum + count, 0);
  if (total === 0) return [];
  if (total <= MAX_VALUES)
    return [buckets.flatMap(([bound, count]) => Array<number>(count).fill(middleOf(bound)))];
  const lines: CountedValues[] = [];
  for (let i = 0; i < buckets.length; i += MAX_VALUES) lines.push(counted(buckets.slice(i, i + MAX_VALUES)));
  return lines;
}

function counted(buckets: readonly (readonly [bound: number, count: number])[]): CountedValues {
  const values = buckets.map(([bound]) => middleOf(bound));
  const counts = buckets.map(([, count]) => count);
  return {
    Values: values,
    Counts: counts,
    Max: Math.max(...values),
    Min: Math.min(...values),
    Count: counts.reduce((sum, count) => sum + count, 0),
    Sum: values.reduce((sum, value, i) => sum + value * (counts[i] ?? 0), 0),
  };
}
