import { loadConfig } from '../../../runtime/config';
import { RateLimit } from '../../../runtime/twilio/rate-limit';

let nowMs: number;
const taken = (limit: RateLimit, tries: number): number =>
  Array.from({ length: tries }, () => limit.take()).filter((isTaken) => isTaken).length;

beforeEach(() => {
  nowMs = 50_000;
});
const create = (perSecond: number): RateLimit => new RateLimit(perSecond, () => nowMs);

test('a second has room for so many at once, and for no more', () => {
  expect(taken(create(10), 15)).toBe(10);
});

test('room comes back evenly, and never more than a second of it', () => {
  const limit = create(10);
  taken(limit, 10);
  nowMs += 250;
  expect(taken(limit, 5)).toBe(2);
  nowMs += 50;
  expect(taken(limit, 5)).toBe(1);
  nowMs += 3_600_000;
  expect(taken(limit, 15)).toBe(10);
});

test('what is refused uses nothing up', () => {
  const limit = create(1);
  expect(taken(limit, 100)).toBe(1);
  nowMs += 1_000;
  expect(taken(limit, 1)).toBe(1);
});

test('a thousand calls in two seconds pass by default, also all at once', () => {
  expect(taken(create(loadConfig({}).limits.handshakesPerSecond), 1_000)).toBe(1_000);
});
