import fc from 'fast-check';
import { SequenceWindow } from '../../../runtime/twilio/sequence-window';

const add = (numbers: readonly number[]): boolean[] => {
  const window = new SequenceWindow();
  return numbers.map((number) => window.add(number));
};

it('takes numbers that rise, with or without holes, to the length of a day of two tracks', () => {
  expect(add([2, 3, 4, 10, 11, 500, 8_640_000])).not.toContain(false);
});

it('knows a number that comes again, at once or some messages later', () => {
  expect(add([2, 2, 3, 4, 5, 3, 5])).toEqual([true, false, true, true, true, false, false]);
});

it('takes a number that comes late for the first time, once', () => {
  expect(add([2, 5, 3, 4, 3])).toEqual([true, true, true, true, false]);
});

it('takes what is older than it remembers, because it cannot know', () => {
  expect(add([1, 40, 9, 9, 8, 8])).toEqual([true, true, true, false, true, true]);
});

it('agrees with a set of all numbers as long as they stay within 32 of the highest', () => {
  fc.assert(
    fc.property(fc.array(fc.nat({ max: 31 })), (numbers) => {
      const seen = new Set<number>();
      const fresh = numbers.map((number) => !seen.has(number) && seen.add(number) !== undefined);
      expect(add(numbers)).toEqual(fresh);
    }),
  );
});
