import { CatchUpPace } from '../../../runtime/speech/catch-up-pace';

test('allows one second at its pace at once, then what time brings, and never saves up more', () => {
  const pace = new CatchUpPace({ bytesPerMs: 8, factor: 2 });
  expect(pace.allowedBytes(0)).toBe(16_000);
  pace.sent(16_000);
  expect(pace.allowedBytes(0)).toBe(0);
  expect(pace.allowedBytes(100)).toBe(1_600);
  expect(pace.allowedBytes(60_000)).toBe(16_000);
});

test('a message larger than what is allowed is paid back', () => {
  const pace = new CatchUpPace({ bytesPerMs: 8, factor: 2 });
  pace.allowedBytes(0);
  pace.sent(17_600);
  expect(pace.allowedBytes(0)).toBe(0);
  expect(pace.allowedBytes(100)).toBe(0);
  expect(pace.allowedBytes(200)).toBe(1_600);
});

test('without a factor there is no limit', () => {
  const pace = new CatchUpPace({ bytesPerMs: 8, factor: Infinity });
  expect(pace.allowedBytes(0)).toBe(Infinity);
  pace.sent(1e9);
  expect(pace.allowedBytes(0)).toBe(Infinity);
});
