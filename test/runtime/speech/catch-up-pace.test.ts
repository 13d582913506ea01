import { CatchUpPace } from '../../../runtime/speech/catch-up-pace';

test('allows one second at its pace at once, then what time brings, and never saves up more', () => {
  let nowMs = 0;
  const pace = new CatchUpPace({ bytesPerMs: 8, factor: 2, now: () => nowMs });
  expect(pace.allowedBytes()).toBe(16_000);
  pace.sent(16_000);
  expect(pace.allowedBytes()).toBe(0);
  nowMs = 100;
  expect(pace.allowedBytes()).toBe(1_600);
  nowMs = 60_000;
  expect(pace.allowedBytes()).toBe(16_000);
});

test('a message larger than what is allowed is paid back', () => {
  let nowMs = 0;
  const pace = new CatchUpPace({ bytesPerMs: 8, factor: 2, now: () => nowMs });
  pace.sent(17_600);
  expect(pace.allowedBytes()).toBe(0);
  nowMs = 100;
  expect(pace.allowedBytes()).toBe(0);
  nowMs = 200;
  expect(pace.allowedBytes()).toBe(1_600);
});

test('without a factor there is no limit', () => {
  const pace = new CatchUpPace({ bytesPerMs: 8, factor: Infinity, now: () => 0 });
  pace.sent(1e9);
  expect(pace.allowedBytes()).toBe(Infinity);
});
