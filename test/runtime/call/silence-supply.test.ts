import { SilenceSupply } from '../../../runtime/call/silence-supply';

test('owes nothing while frames come', () => {
  const supply = new SilenceSupply();
  for (let now = 0; now < 5_000; now += 20) expect(supply.owedMs(now + 10, now)).toBe(0);
});

test('owes silence at real pace from one second after the last frame', () => {
  const supply = new SilenceSupply();
  expect(supply.owedMs(1_000, 0)).toBe(0);
  expect(supply.owedMs(1_250, 0)).toBe(250);
  expect(supply.owedMs(1_250, 0)).toBe(0);
  expect(supply.owedMs(1_600, 0)).toBe(350);
  expect(supply.owedMs(2_600, 1_700)).toBe(0);
});

test('owes nothing before the first frame until the session has been open for a second', () => {
  const supply = new SilenceSupply();
  expect(supply.owedMs(60_000, undefined)).toBe(0);
  supply.sessionOpen(60_000);
  supply.sessionOpen(60_500);
  expect(supply.owedMs(60_900, undefined)).toBe(0);
  expect(supply.owedMs(61_100, undefined)).toBe(100);
});

test('does not put back the clock of a leg that has frames when a session opens late', () => {
  const supply = new SilenceSupply();
  supply.sessionOpen(3_000);
  expect(supply.owedMs(2_000, 0)).toBe(1_000);
});

test('does not pay a night of sleep at once', () => {
  const supply = new SilenceSupply();
  expect(supply.owedMs(8 * 3_600_000, 0)).toBe(5_000);
  expect(supply.owedMs(8 * 3_600_000 + 100, 0)).toBe(100);
});
