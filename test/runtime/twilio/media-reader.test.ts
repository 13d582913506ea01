import fc from 'fast-check';
import { readMedia as readMediaAt } from '../../../runtime/twilio/media-reader';
import { MAX_TIMESTAMP_MS, parseTwilioMessage } from '../../../runtime/twilio/twilio-messages';

const MZ = `MZ${'0123456789abcdef'.repeat(2)}`;

interface Fields {
  readonly sequenceNumber: string;
  readonly track: string;
  readonly chunk: string;
  readonly timestamp: string;
  readonly payload: string;
  readonly streamSid: string;
}

/** As Twilio writes it: the values are put in as they are, so that they may break the JSON. */
const written = ({ sequenceNumber, track, chunk, timestamp, payload, streamSid }: Fields): Buffer =>
  Buffer.from(
    `{"event":"media","sequenceNumber":"${sequenceNumber}","media":{"track":"${track}","chunk":"${chunk}","timestamp":"${timestamp}","payload":"${payload}"},"streamSid":"${streamSid}"}`,
  );

const frame = (over: Partial<Fields> = {}): Buffer =>
  written({
    sequenceNumber: '2',
    track: 'inbound',
    chunk: '1',
    timestamp: '20',
    payload: Buffer.alloc(160, 0x7f).toString('base64'),
    streamSid: MZ,
    ...over,
  });

/** Amid other bytes, such as would make a number or a name longer. */
const readMedia = (message: Buffer, streamSid: string): ReturnType<typeof readMediaAt> =>
  readMediaAt(
    Buffer.concat([BEFORE, message, AFTER]),
    BEFORE.length,
    BEFORE.length + message.length,
    streamSid,
  );
const BEFORE = Buffer.from('{"event":');
const AFTER = Buffer.from('"}0"},"streamSid":""}');

const digits = fc.nat({ max: 10_000_000 }).map(String);
const payload = fc.uint8Array({ minLength: 1, maxLength: 400 }).map((bytes) => Buffer.from(bytes));
const base64 = payload.map((bytes) => bytes.toString('base64'));
/** Values that are right, nearly right, and neither. */
const oddly = (usual: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc.oneof(
    { weight: 6, arbitrary: usual },
    { weight: 1, arbitrary: fc.string({ maxLength: 12, unit: 'binary' }) },
    {
      weight: 1,
      arbitrary: fc.constantFrom('', '0', '007', '-1', '1e3', ' 1', '9'.repeat(15), '9'.repeat(16), 'A'),
    },
    {
      weight: 1,
      arbitrary: fc.constantFrom('AA=', 'AB==', 'AAB=', 'A===', 'AA==AA==', '-_-_', 'AAA\\u0041', '"'),
    },
    { weight: 1, arbitrary: fc.constantFrom(String(MAX_TIMESTAMP_MS), String(MAX_TIMESTAMP_MS + 1)) },
  );
const fields: fc.Arbitrary<Fields> = fc.record({
  sequenceNumber: oddly(digits),
  track: oddly(fc.constantFrom('inbound', 'outbound')),
  chunk: oddly(digits),
  timestamp: oddly(digits),
  payload: oddly(base64),
  streamSid: oddly(fc.constant(MZ)),
});

const readsLikeTheFullParser = (message: Buffer): void => {
  const read = readMedia(message, MZ);
  if (read !== undefined) expect(read).toEqual(parseTwilioMessage(message, false));
};

test('reads what Twilio sends, for every length of audio, as the full parser does', () => {
  fc.assert(
    fc.property(
      fc.record({ sequenceNumber: digits, chunk: digits, timestamp: digits }),
      fc.constantFrom('inbound', 'outbound'),
      payload,
      (counters, track, audio) => {
        const message = frame({ ...counters, track, payload: audio.toString('base64') });
        const read = readMedia(message, MZ);
        expect(read).toEqual(parseTwilioMessage(message, false));
        expect(read?.payload.equals(audio)).toBe(true);
      },
    ),
  );
});

test('gives the same as the full parser, or nothing, whatever the fields hold', () => {
  fc.assert(
    fc.property(fields, (each) => readsLikeTheFullParser(written(each))),
    { numRuns: 2_000 },
  );
});

test('gives the same as the full parser, or nothing, wherever a message is damaged', () => {
  const damage = fc.record({
    at: fc.nat(500),
    cut: fc.nat(3),
    put: fc.oneof(
      fc.uint8Array({ maxLength: 3 }),
      fc.constantFrom(...'" {}\\,:=').map((each) => Buffer.from(each)),
    ),
  });
  fc.assert(
    fc.property(damage, base64, ({ at, cut, put }, audio) => {
      const whole = frame({ payload: audio });
      const place = at % whole.length;
      readsLikeTheFullParser(whole);
      readsLikeTheFullParser(Buffer.concat([whole.subarray(0, place), put, whole.subarray(place + cut)]));
    }),
    { numRuns: 2_000 },
  );
});

test('tells streams apart, also when the name of one is the end of another', () => {
  for (const streamSid of [MZ, 'MZ2', 'Z2', ''])
    for (const other of [MZ, 'MZ2', 'Z2', ''])
      expect(readMedia(frame({ streamSid }), other)?.streamSid).toBe(other === streamSid ? other : undefined);
});

test('hands out audio that the next message does not touch', () => {
  const first = readMedia(frame({ payload: Buffer.alloc(160, 1).toString('base64') }), MZ);
  readMedia(frame({ payload: Buffer.alloc(160, 2).toString('base64') }), MZ);
  expect(first?.payload.equals(Buffer.alloc(160, 1))).toBe(true);
});

test.each([
  [
    'another event',
    Buffer.from('{"event":"mark","sequenceNumber":"2","streamSid":"MZ1","mark":{"name":"a"}}'),
  ],
  [
    'keys in another order',
    Buffer.from(
      JSON.stringify({ ...JSON.parse(frame().toString()), event: 'media' }).replace('"event":"media",', ''),
    ),
  ],
  ['white space', Buffer.from(frame().toString().replace(',', ', '))],
  ['something behind the end', Buffer.concat([frame(), Buffer.from(' ')])],
  ['a time beyond any call', frame({ timestamp: String(MAX_TIMESTAMP_MS + 1) })],
  ['no audio', frame({ payload: '' })],
  ['nothing', Buffer.alloc(0)],
])('leaves %s to the full parser', (_, message) => {
  expect(readMedia(message, MZ)).toBeUndefined();
});

test('reads nothing behind its end', () => {
  const message = frame();
  for (let end = 0; end < message.length; end += 1) expect(readMediaAt(message, 0, end, MZ)).toBeUndefined();
  expect(readMediaAt(message, 0, message.length, MZ)).toBeDefined();
});
