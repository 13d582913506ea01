import fc from 'fast-check';
import { Distribution, middleOf } from '../../../runtime/observability/distribution';

const boundOf = (value: number): number => {
  const distribution = new Distribution();
  distribution.add(value);
  return [...distribution.counts.keys()][0]!;
};

it.each([
  [0, 0.1],
  [0.41, 0.5],
  [9.91, 10],
  [10.1, 11],
  [99.2, 100],
  [100, 100],
  [101, 110],
  [1_000, 1_000],
  [1_234, 1_300],
  [2_000_000_000, 10_000_000],
  [Infinity, 10_000_000],
  [-5, 0.1],
])('puts %d into the bucket up to %d', (value, bound) => {
  expect(boundOf(value)).toBe(bound);
});

it('is not spoiled by what is no number, nor by a clock that was set back', () => {
  const distribution = new Distribution();
  for (const value of [NaN, 3, -20_000, NaN]) distribution.add(value);
  expect([distribution.count, distribution.sum]).toEqual([2, 3]);
});

it('is never more than half a tenth or a twentieth off', () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 10_000_000, noNaN: true }), (value) => {
      const off = Math.abs(middleOf(boundOf(value)) - value);
      expect(off).toBeLessThanOrEqual(Math.max(0.05, value / 20) + 1e-9);
    }),
  );
});

it('holds few numbers, however many values come', () => {
  const distribution = new Distribution();
  for (let i = 0; i < 50_000; i += 1) distribution.add(i * i);
  expect(distribution.count).toBe(50_000);
  expect(distribution.counts.size).toBeLessThan(600);
});

it('tells percentiles, of one value as of many', () => {
  const distribution = new Distribution();
  expect(distribution.percentiles()).toBeUndefined();
  distribution.add(0.3);
  expect(distribution.percentiles()).toEqual({ count: 1, p50Ms: 0.25, p95Ms: 0.25, p99Ms: 0.25 });
  for (let ms = 1_000; ms > 0; ms -= 1) distribution.add(ms);
  const { p50Ms, p95Ms, p99Ms } = distribution.percentiles()!;
  expect([p50Ms, p95Ms, p99Ms].map((ms) => Math.ceil(ms / 10) * 10)).toEqual([500, 950, 990]);
});

it('counts what is not above a bound, and sums the values themselves', () => {
  const distribution = new Distribution();
  [99, 100, 101, 750, 751].forEach((value) => distribution.add(value));
  expect([100, 750, 1_000].map((bound) => distribution.countUpTo(bound))).toEqual([2, 4, 5]);
  expect(distribution.sum).toBe(1_801);
});
