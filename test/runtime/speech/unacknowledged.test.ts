import fc from 'fast-check';
import { Unacknowledged } from '../../../runtime/speech/unacknowledged';

function sent(...lengths: number[]): Unacknowledged {
  const unacknowledged = new Unacknowledged();
  let endByte = 0;
  for (const bytes of lengths) unacknowledged.sent(bytes, (endByte += bytes));
  return unacknowledged;
}

test('counts an ack per message', () => {
  const unacknowledged = sent(160, 160);
  expect(unacknowledged.acknowledge({ fromByte: 0, toByte: 160 })).toEqual({ bytes: 160, toByte: 160 });
  expect(unacknowledged.acknowledge({ fromByte: 160, toByte: 320 })).toEqual({ bytes: 160, toByte: 320 });
  expect(unacknowledged.bytes).toBe(0);
});

test('counts by length where offsets begin again with each socket', () => {
  const unacknowledged = sent(160, 160);
  unacknowledged.acknowledge({ fromByte: 0, toByte: 160 });
  expect(unacknowledged.acknowledge({ fromByte: 0, toByte: 160 })).toEqual({ bytes: 160, toByte: 320 });
});

test('takes a range whose end is its last byte for the whole message', () => {
  const unacknowledged = sent(160, 160);
  expect(unacknowledged.acknowledge({ fromByte: 0, toByte: 159 })).toEqual({ bytes: 160, toByte: 160 });
  expect(unacknowledged.acknowledge({ fromByte: 160, toByte: 319 })).toEqual({ bytes: 160, toByte: 320 });
});

test('counts one ack for several messages, with either kind of end', () => {
  expect(sent(160, 160, 160).acknowledge({ fromByte: 0, toByte: 480 })).toEqual({ bytes: 480, toByte: 480 });
  expect(sent(160, 160, 160).acknowledge({ fromByte: 0, toByte: 319 })).toEqual({ bytes: 320, toByte: 320 });
});

test('counts acks for parts of a message', () => {
  const unacknowledged = sent(400, 160);
  expect(unacknowledged.acknowledge({ fromByte: 0, toByte: 100 })).toEqual({ bytes: 100, toByte: 100 });
  expect(unacknowledged.bytes).toBe(460);
  expect(unacknowledged.acknowledge({ fromByte: 100, toByte: 400 })).toEqual({ bytes: 300, toByte: 400 });
});

test('acknowledges nothing for an empty or backward range, and no more than was sent', () => {
  const unacknowledged = sent(160);
  expect(unacknowledged.acknowledge({ fromByte: 5, toByte: 5 })).toBeUndefined();
  expect(unacknowledged.acknowledge({ fromByte: 500, toByte: 5 })).toBeUndefined();
  expect(unacknowledged.acknowledge({ fromByte: 0, toByte: 10_000 })).toEqual({ bytes: 160, toByte: 160 });
  expect(unacknowledged.acknowledge({ fromByte: 0, toByte: 160 })).toBeUndefined();
});

test('has nothing outstanding once every message was acknowledged, however acks are grouped', () => {
  const messages = fc.array(fc.integer({ min: 2, max: 1_600 }), { minLength: 1, maxLength: 600 });
  fc.assert(
    fc.property(
      messages,
      fc.infiniteStream(fc.integer({ min: 1, max: 5 })),
      fc.boolean(),
      (lengths, groups, isInclusive) => {
        const unacknowledged = sent(...lengths);
        let fromByte = 0;
        for (let i = 0; i < lengths.length;) {
          const size = groups.next().value as number;
          const toByte = fromByte + lengths.slice(i, i + size).reduce((sum, bytes) => sum + bytes, 0);
          const acknowledged = unacknowledged.acknowledge({
            fromByte,
            toByte: isInclusive ? toByte - 1 : toByte,
          });
          expect(acknowledged?.toByte).toBe(toByte);
          fromByte = toByte;
          i += size;
        }
        expect(unacknowledged.bytes).toBe(0);
      },
    ),
    { numRuns: 50 },
  );
});

test('keeps the messages in order when room is made for more than ever while some are acknowledged', () => {
  const unacknowledged = sent(...Array.from({ length: 60 }, () => 160));
  unacknowledged.acknowledge({ fromByte: 0, toByte: 40 * 160 });
  for (let i = 61; i <= 200; i += 1) unacknowledged.sent(160, i * 160);
  for (let i = 41; i <= 200; i += 1)
    expect(unacknowledged.acknowledge({ fromByte: 0, toByte: 160 })).toEqual({ bytes: 160, toByte: i * 160 });
  expect(unacknowledged.isEmpty).toBe(true);
});

test('stays small when nothing is ever acknowledged, and still knows where all of it ends', () => {
  const unacknowledged = new Unacknowledged();
  let endByte = 0;
  for (let i = 0; i < 100_000; i += 1) {
    const bytes = i % 2 === 0 ? 160 : 320;
    unacknowledged.sent(bytes, (endByte += bytes));
  }
  expect(unacknowledged.bytes).toBe(endByte);
  expect(unacknowledged.acknowledge({ fromByte: 0, toByte: 160 })).toEqual({ bytes: 160, toByte: 160 });
  expect(unacknowledged.acknowledge({ fromByte: 160, toByte: endByte })).toEqual({
    bytes: endByte - 160,
    toByte: endByte,
  });
  expect(unacknowledged.isEmpty).toBe(true);
});
