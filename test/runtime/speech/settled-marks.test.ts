import { SettledMarks } from '../../../runtime/speech/settled-marks';

test('lies where the channel that is furthest behind is', () => {
  const marks = new SettledMarks(2, 1_000_000);
  marks.settle(0, 5_000);
  expect(marks.mark(9_000)).toBe(0);
  marks.settle(1, 3_000);
  expect(marks.mark(9_000)).toBe(3_000);
});

test('is held back by a silent channel only so far', () => {
  const marks = new SettledMarks(2, 4_000);
  marks.settle(0, 8_000);
  expect(marks.mark(9_000)).toBe(5_000);
});

test('never goes back, and never splits a sample', () => {
  const marks = new SettledMarks(2, 1_000_000);
  marks.settle(0, 5_001.7);
  marks.settle(1, 5_003);
  marks.settle(0, 10);
  expect(marks.mark(9_000)).toBe(5_000);
});

test('is not moved by a channel that the leg does not have', () => {
  const marks = new SettledMarks(1, 1_000_000);
  marks.settle(7, 5_000);
  marks.settle(-1, 5_000);
  expect(marks.mark(9_000)).toBe(0);
  expect(marks.byteOf(7)).toBe(0);
});
