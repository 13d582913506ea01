import fc from 'fast-check';
import { readAcknowledgment as readAt } from '../../../../runtime/speech/gladia/acknowledgment-reader';
import { parseGladiaMessage } from '../../../../runtime/speech/gladia/gladia-messages';

interface Fields {
  readonly session: string;
  readonly created: string;
  readonly fromByte: string;
  readonly toByte: string;
  readonly fromSeconds: string;
  readonly toSeconds: string;
}

/** As documented (gladia-live.md, 3.2); the values are put in as they are, so that they may break the JSON. */
const written = ({ session, created, fromByte, toByte, fromSeconds, toSeconds }: Fields): Buffer =>
  Buffer.from(
    `{"session_id":"${session}","created_at":"${created}","type":"audio_chunk","acknowledged":true,"error":null,"data":{"byte_range":[${fromByte},${toByte}],"time_range":[${fromSeconds},${toSeconds}]}}`,
  );

const usual: Fields = {
  session: '4a39a5be-7d1d-4c3b-9d3e-0a1b2c3d4e5f',
  created: '2021-09-01T12:00:00.123Z',
  fromByte: '1024',
  toByte: '2048',
  fromSeconds: '0.128',
  toSeconds: '0.256',
};

const bytes = fc.nat({ max: 1e9 }).map(String);
const seconds = fc.oneof(
  fc.nat({ max: 20_000_000 }).map((milliseconds) => String(milliseconds / 1_000)),
  fc.double({ min: 0, max: 20_000, noNaN: true }).map(String),
);
const oddly = (right: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc.oneof(
    { weight: 6, arbitrary: right },
    { weight: 1, arbitrary: fc.string({ maxLength: 12, unit: 'binary' }) },
    {
      weight: 1,
      arbitrary: fc.constantFrom('', '0', '-0', '01', '-1', '1.', '.5', '1.50', '1e2', '1E-7', 'null', '"1"'),
    },
    {
      weight: 1,
      arbitrary: fc.constantFrom('9'.repeat(15), '9'.repeat(16), '0.30000000000000004', '12.819999999999999'),
    },
  );

/** Amid other bytes, such as would go on with it. */
const readAcknowledgment = (message: Buffer): ReturnType<typeof readAt> =>
  readAt(Buffer.concat([BEFORE, message, AFTER]), BEFORE.length, BEFORE.length + message.length);
const BEFORE = Buffer.from('{"session_id":"');
const AFTER = Buffer.from(']}}]}}');

const readsLikeTheFullParser = (message: Buffer): void => {
  const range = readAcknowledgment(message);
  if (range === undefined) return;
  expect(parseGladiaMessage(message.toString('utf8'))).toEqual({ kind: 'acknowledged', range });
};

test('reads what Gladia documents as the full parser does', () => {
  fc.assert(
    fc.property(
      bytes,
      bytes,
      seconds.filter((each) => !each.includes('e')),
      (fromByte, toByte, fromSeconds) => {
        const message = written({ ...usual, fromByte, toByte, fromSeconds });
        expect(readAcknowledgment(message)).toBeDefined();
        readsLikeTheFullParser(message);
      },
    ),
    { numRuns: 1_000 },
  );
});

test('gives the same as the full parser, or nothing, whatever the fields hold', () => {
  const fields = fc.record({
    session: oddly(fc.uuid()),
    created: oddly(fc.constant(usual.created)),
    fromByte: oddly(bytes),
    toByte: oddly(bytes),
    fromSeconds: oddly(seconds),
    toSeconds: oddly(seconds),
  });
  fc.assert(
    fc.property(fields, (each) => readsLikeTheFullParser(written(each))),
    { numRuns: 2_000 },
  );
});

test('gives the same as the full parser, or nothing, wherever a message is damaged', () => {
  const damage = fc.record({
    at: fc.nat(300),
    cut: fc.nat(3),
    put: fc.oneof(
      fc.uint8Array({ maxLength: 3 }),
      fc.constantFrom(...'" {}[]\\,:.0').map((each) => Buffer.from(each)),
    ),
  });
  fc.assert(
    fc.property(damage, ({ at, cut, put }) => {
      const whole = written(usual);
      const place = at % whole.length;
      readsLikeTheFullParser(Buffer.concat([whole.subarray(0, place), put, whole.subarray(place + cut)]));
    }),
    { numRuns: 2_000 },
  );
});

test.each([
  ['a refusal', written(usual).toString().replace('"acknowledged":true', '"acknowledged":false')],
  ['the answer to stop', written(usual).toString().replace('audio_chunk', 'stop_recording')],
  ['a range that is no whole number', written({ ...usual, toByte: '2048.5' }).toString()],
  ['something behind the end', `${written(usual).toString()} `],
])('leaves %s to the full parser', (_, message) => {
  expect(readAcknowledgment(Buffer.from(message))).toBeUndefined();
});

test('reads nothing behind its end', () => {
  const message = written(usual);
  for (let end = 0; end < message.length; end += 1) expect(readAt(message, 0, end)).toBeUndefined();
  expect(readAt(message, 0, message.length)).toBeDefined();
});
