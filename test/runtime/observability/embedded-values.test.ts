import { Distribution } from '../../../runtime/observability/distribution';
import { embeddedValues, type CountedValues } from '../../../runtime/observability/embedded-values';

function countsOf(values: readonly number[]): ReadonlyMap<number, number> {
  const distribution = new Distribution();
  for (const value of values) distribution.add(value);
  return distribution.counts;
}

/** Every value by itself again, as CloudWatch sees them. */
function expanded(lines: ReturnType<typeof embeddedValues>): number[] {
  return lines.flatMap((line) =>
    isCounted(line) ? line.Values.flatMap((value, i) => Array<number>(line.Counts[i]!).fill(value)) : line,
  );
}
const isCounted = (line: readonly number[] | CountedValues): line is CountedValues => !Array.isArray(line);
const percentile = (values: readonly number[], share: number): number =>
  values.toSorted((a, b) => a - b)[Math.ceil(values.length * share) - 1]!;

it('is nothing when nothing was measured', () => {
  expect(embeddedValues(new Map())).toEqual([]);
});

it('gives up to a hundred values one by one, in one line', () => {
  const lines = embeddedValues(countsOf(Array<number>(99).fill(250).concat(4_321)));
  expect(lines).toEqual([[...Array<number>(99).fill(245), 4_350]]);
});

it('counts equal values when there are more', () => {
  const lines = embeddedValues(countsOf([...Array<number>(100).fill(250), 4_321]));
  expect(lines).toEqual([
    { Values: [245, 4_350], Counts: [100, 1], Max: 4_350, Min: 245, Count: 101, Sum: 28_850 },
  ]);
});

it('takes another line after a hundred distinct values', () => {
  const lines = embeddedValues(countsOf(Array.from({ length: 250 }, (_, i) => (i + 1) * 10)));
  const counted = lines.filter(isCounted);
  expect(counted.length).toBe(lines.length);
  expect(counted.map(({ Values }) => Values.length)).toEqual([100, 15]);
  expect(counted.reduce((sum, { Count }) => sum + Count, 0)).toBe(250);
});

it.each([80, 20_000])('keeps the percentiles of %d values', (length) => {
  const values = Array.from({ length }, (_, i) => 200 + 3_000 * ((i * 0.618) % 1) ** 3);
  const seen = expanded(embeddedValues(countsOf(values)));
  expect(seen.length).toBe(length);
  for (const share of [0.5, 0.95, 0.99]) {
    const exact = percentile(values, share);
    expect(Math.abs(percentile(seen, share) - exact)).toBeLessThanOrEqual(exact / 20);
  }
});
