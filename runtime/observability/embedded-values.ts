import { middleOf } from './distribution';

/** A metric has at most so many values in a line (CloudWatch embedded metric format, "Target members"). */
const MOST_IN_A_LINE = 100;
/** Ten lines are enough for percentiles; a busy minute would have hundreds, and every line costs. */
const MOST_VALUES = 1_000;

/**
 * What a distribution has got since the line before, as values of an embedded metric, for one line each. Of more than a
 * thousand, a thousand are chosen, at even distances in their order: percentiles stay as they are, and counts do not.
 *
 * @param counts by upper bound of the bucket
 */
export function embeddedValues(counts: ReadonlyMap<number, number>): readonly (readonly number[])[] {
  const buckets = [...counts].toSorted(([one], [other]) => one - other);
  const total = buckets.reduce((sum, [, count]) => sum + count, 0);
  const distance = Math.max(1, total / MOST_VALUES);
  const values: number[] = [];
  let upTo = 0;
  for (const [bound, count] of buckets) {
    upTo += count;
    while ((values.length + 0.5) * distance <= upTo) values.push(middleOf(bound));
  }
  const lines = Math.ceil(values.length / MOST_IN_A_LINE);
  return Array.from({ length: lines }, (_, at) =>
    values.slice(at * MOST_IN_A_LINE, (at + 1) * MOST_IN_A_LINE),
  );
}
