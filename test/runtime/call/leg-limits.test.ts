import { loadConfig } from '../../../runtime/config';
import { limitReached } from '../../../runtime/call/leg-limits';

const LIMITS = { mediaTimeoutMs: 1_000, maxCallMs: 5_000 };

test.each([
  [999, 4_999, undefined],
  [1_000, 4_999, 'idle'],
  [0, 5_000, 'too-long'],
  [2_000, 6_000, 'too-long'],
])('silent for %i ms in a call of %i ms: %s', (silentMs, callMs, reason) => {
  expect(limitReached({ silentMs, callMs }, LIMITS)).toBe(reason);
});

test('an hour on hold in a call of a day, as the settings are by default, is no limit', () => {
  const { mediaTimeoutMs, maxCallMs } = loadConfig({}).limits;
  const times = { silentMs: 3_600_000, callMs: 23 * 3_600_000 };
  expect(limitReached(times, { mediaTimeoutMs, maxCallMs })).toBeUndefined();
});
