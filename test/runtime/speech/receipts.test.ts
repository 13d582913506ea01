import fc from 'fast-check';
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

test('splits the latency of words into the time before their audio was sent, and after it', () => {
  const receipts = oneSecond();
  receipts.sent(25 * 160, 3, 503);
  receipts.sent(50 * 160, 700, 1_700);
  const early = receipts.latency(25 * 160, 2_000);
  expect(early).toEqual({ totalMs: 2_000 - receipts.receivedAtMs(25 * 160)!, relayMs: 3 });
  expect(receipts.latency(50 * 160, 2_000)).toMatchObject({ relayMs: 700 });
  expect(receipts.latency(50 * 160 + 1, 2_000)).toBeUndefined();
});

test('knows of all that piled up how long it waited', () => {
  const receipts = oneSecond();
  receipts.sent(50 * 160, 1_000, 5_000);
  const { relayMs } = receipts.latency(160, 6_000)!;
  expect(relayMs).toBe(5_000 - receipts.receivedAtMs(160)!);
});

test('never says that words waited in the relay for longer than they took', () => {
  const receipts = oneSecond();
  receipts.sent(160, 5_000, 5_020);
  expect(receipts.latency(160, 30)).toEqual({ totalMs: 10, relayMs: 10 });
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

test('says the same of minutes that wait as of a second, and forgets them as well', () => {
  const receipts = new Receipts();
  const seconds = 300;
  for (let i = 1; i <= seconds; i += 1) {
    receipts.add(i * 8_000, i * 1_000);
    // What is text is forgotten while the ring is small: its head is not where it began.
    if (i === 40) receipts.forget(30 * 8_000);
  }
  for (let i = 31; i <= seconds; i += 1) expect(receipts.receivedAtMs(i * 8_000)).toBe(i * 1_000);
  expect(receipts.endByteAt(100_500)).toBe(100 * 8_000);
  receipts.sent(200 * 8_000, 7, 500_000);
  expect(receipts.latency(150 * 8_000, 600_000)).toEqual({ totalMs: 450_000, relayMs: 350_000 });
  expect(receipts.latency(200 * 8_000, 600_000)).toEqual({ totalMs: 400_000, relayMs: 7 });
  receipts.forget(299 * 8_000);
  receipts.forget(299 * 8_000);
  expect(receipts.receivedAtMs(1)).toBe(seconds * 1_000);
  for (let i = seconds + 1; i <= 2 * seconds; i += 1) receipts.add(i * 8_000, i * 1_000);
  expect(receipts.receivedAtMs(400 * 8_000)).toBe(400_000);
});

/** The same, as plainly as can be: a list, looked through from its beginning. */
class PlainReceipts {
  receipts: { endByte: number; receivedMs: number; waitedMs: number | undefined }[] = [];

  add(endByte: number, atMs: number): void {
    const last = this.receipts.at(-1);
    if (last !== undefined && atMs - last.receivedMs < 100) last.endByte = endByte;
    else this.receipts.push({ endByte, receivedMs: atMs, waitedMs: undefined });
  }

  sent(byte: number, waitedMs: number, nowMs: number): void {
    const of = this.receipts.findIndex(({ endByte }) => endByte >= byte);
    const unsent = this.receipts.slice(0, of).filter((each) => each.waitedMs === undefined);
    for (const each of unsent) each.waitedMs = nowMs - each.receivedMs;
    this.receipts[of]!.waitedMs = waitedMs;
  }

  forget(byte: number): void {
    while (this.receipts.length > 1 && this.receipts[0]!.endByte <= byte) this.receipts.shift();
  }

  receivedAtMs(byte: number): number | undefined {
    return this.receipts.find(({ endByte }) => endByte >= byte)?.receivedMs;
  }

  latency(byte: number, nowMs: number): { totalMs: number; relayMs: number } | undefined {
    const found = this.receipts.find(({ endByte }) => endByte >= byte);
    if (found === undefined) return undefined;
    const totalMs = nowMs - found.receivedMs;
    return { totalMs, relayMs: Math.min(found.waitedMs ?? 0, totalMs) };
  }

  endByteAt(atMs: number): number {
    return this.receipts.findLast(({ receivedMs }) => receivedMs <= atMs)?.endByte ?? 0;
  }
}

test('tells the same as a plain list, whatever comes, is sent and forgotten', () => {
  const step = fc.record({
    /** Frames that come, that are sent, and that are forgotten; ms that go by. */
    come: fc.nat(4),
    send: fc.oneof({ weight: 3, arbitrary: fc.constant(Infinity) }, { weight: 1, arbitrary: fc.nat(4) }),
    forget: fc.oneof({ weight: 9, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(400) }),
    passMs: fc.oneof({ weight: 4, arbitrary: fc.nat(40) }, { weight: 1, arbitrary: fc.nat(900) }),
    isSending: fc.boolean(),
    look: fc.nat(500),
  });
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 300 }), (steps) => {
      const [receipts, plain] = [new Receipts(), new PlainReceipts()];
      let [nowMs, cameTo, sentTo, forgottenTo] = [0, 0, 0, 0];
      for (const { come, send, forget, passMs, isSending, look } of steps) {
        nowMs += passMs;
        for (let i = 0; i < come; i += 1) {
          cameTo += 160;
          for (const each of [receipts, plain]) each.add(cameTo, nowMs);
        }
        const toByte = Math.min(cameTo, sentTo + send * 160);
        if (isSending && toByte > sentTo) {
          sentTo = toByte;
          for (const each of [receipts, plain]) each.sent(toByte, passMs, nowMs);
        }
        forgottenTo = Math.min(sentTo, forgottenTo + forget * 160);
        if (forget > 0) for (const each of [receipts, plain]) each.forget(forgottenTo);
        const byte = forgottenTo + 1 + look * 160;
        expect(receipts.receivedAtMs(byte)).toBe(plain.receivedAtMs(byte));
        expect(receipts.latency(byte, nowMs)).toEqual(plain.latency(byte, nowMs));
        expect(receipts.endByteAt(nowMs - look)).toBe(plain.endByteAt(nowMs - look));
      }
    }),
    { numRuns: 500 },
  );
});
