import { Receipts } from '../../../runtime/speech/receipts';

function oneSecond(): Receipts {
  const receipts = new Receipts();
  for (let i = 1; i <= 50; i += 1) receipts.add(i * 160, i * 20);
  return receipts;
}

test('tells when a byte was received, to a tenth of a second', () => {
  const receipts = oneSecond();
  const receivedAtMs = receipts.receivedAtMs(25 * 160) ?? NaN;
  expect(receivedAtMs).toBeLessThanOrEqual(500);
  expect(receivedAtMs).toBeGreaterThan(400);
});

test('tells what was received by a time', () => {
  const receipts = oneSecond();
  expect(receipts.endByteAt(0)).toBe(0);
  expect(receipts.endByteAt(1_000_000)).toBe(50 * 160);
});

test('does not know audio that never came', () => {
  expect(oneSecond().receivedAtMs(50 * 160 + 1)).toBeUndefined();
  expect(new Receipts().receivedAtMs(1)).toBeUndefined();
});

test('forgets what nobody asks for any more', () => {
  const receipts = oneSecond();
  receipts.forget(40 * 160);
  expect(receipts.receivedAtMs(160)).toBe(receipts.receivedAtMs(40 * 160 + 1));
});
