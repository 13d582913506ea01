import fc from 'fast-check';
import { TimeMap } from '../../../runtime/call/time-map';

test('knows no time before the first frame came, then counts back from it', () => {
  const map = new TimeMap();
  expect(map.toTimestampMs(0)).toBeUndefined();
  map.note(1_000, 300);
  expect([0, 1_000, 1_020].map((ms) => map.toTimestampMs(ms))).toEqual([-700, 300, 320]);
});

test('does not follow the wandering of timestamps', () => {
  const map = new TimeMap();
  [8, 27, 49, 66, 88].forEach((timestampMs, i) => map.note(i * 20, timestampMs));
  expect(map.toTimestampMs(80)).toBe(88);
  expect(map.toTimestampMs(0)).toBe(8);
});

test('follows each shift from the frame on that shows it', () => {
  const map = new TimeMap();
  map.note(0, 100);
  map.note(500, 2_000);
  expect([480, 500, 600].map((ms) => map.toTimestampMs(ms))).toEqual([580, 2_000, 2_100]);
});

test('silence that was supplied until late frames came is of the time before them', () => {
  const map = new TimeMap();
  map.note(0, 0);
  map.note(3_000, 1_000);
  expect([900, 2_980, 3_000].map((ms) => map.toTimestampMs(ms))).toEqual([900, 1_000, 1_000]);
});

test('stays bounded however often a stream shifts', () => {
  const map = new TimeMap();
  for (let i = 0; i < 100_000; i += 1) map.note(i * 20, i * 20 + (i % 2) * 500);
  expect(map.toTimestampMs(99_999 * 20)).toBe(99_999 * 20 + 500);
});

test('never goes back, however frames shift', () => {
  const frames = fc.array(fc.tuple(fc.nat(500), fc.integer({ min: 0, max: 100_000 })), {
    minLength: 1,
    maxLength: 30,
  });
  fc.assert(
    fc.property(frames, (given) => {
      const map = new TimeMap();
      let positionMs = 0;
      for (const [stepMs, timestampMs] of given) map.note((positionMs += stepMs), timestampMs);
      let before = -Infinity;
      for (let ms = 0; ms < positionMs + 100; ms += 10) {
        const timeMs = map.toTimestampMs(ms) ?? NaN;
        expect(timeMs).toBeGreaterThanOrEqual(before);
        before = timeMs;
      }
    }),
  );
});
