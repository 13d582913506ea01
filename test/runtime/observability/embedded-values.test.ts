import { Distribution } from '../../../runtime/observability/distribution';
import { embeddedValues } from '../../../runtime/observability/embedded-values';

function countsOf(values: readonly number[]): ReadonlyMap<number, number> {
  const distribution = new Distribution();
  for (const value of values) distribution.add(value);
  return distribution.counts;
}

const percentile = (values: readonly number[], share: number): number =>
  values.toSorted((a, b) => a - b)[Math.ceil(values.length * share) - 1]!;

it('is nothing when nothing was measured', () => {
  expect(embeddedValues(new Map())).toEqual([]);
});

it('gives values one by one, a hundred in a line', () => {
  const lines = embeddedValues(countsOf([...Array<number>(100).fill(250), 4_321]));
  expect(lines).toEqual([Array<number>(100).fill(245), [4_350]]);
  expect(embeddedValues(countsOf(Array<number>(100).fill(250)))).toHaveLength(1);
});

it('gives a thousand of what are more, and no more lines', () => {
  const lines = embeddedValues(
    countsOf([...Array<number>(29_000).fill(250), ...Array<number>(1_000).fill(900)]),
  );
  expect(lines.map(({ length }) => length)).toEqual(Array(10).fill(100));
  expect(lines.flat().filter((value) => value > 800)).toHaveLength(33);
});

it.each([80, 20_000])('keeps the percentiles of %d values', (length) => {
  const values = Array.from({ length }, (_, i) => 200 + 3_000 * ((i * 0.618) % 1) ** 3);
  const seen = embeddedValues(countsOf(values)).flat();
  expect(seen.length).toBe(Math.min(length, 1_000));
  for (const share of [0.5, 0.95, 0.99]) {
    const exact = percentile(values, share);
    expect(Math.abs(percentile(seen, share) - exact)).toBeLessThanOrEqual(exact / 20);
  }
});
