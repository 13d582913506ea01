import { backOffMs } from '../../../runtime/speech/reconnect-policy';

const backOff = { baseMs: 250, capMs: 5_000 };

test('waits up to a bound that doubles and then stays', () => {
  const longest = [0, 1, 2, 3, 4, 5, 60].map((attempt) => backOffMs(attempt, backOff, () => 1));
  expect(longest).toEqual([250, 500, 1_000, 2_000, 4_000, 5_000, 5_000]);
});

test('spreads over the whole time, so that a thousand calls do not come back at once', () => {
  expect(backOffMs(3, backOff, () => 0)).toBe(0);
  expect(backOffMs(3, backOff, () => 0.5)).toBe(1_000);
});
