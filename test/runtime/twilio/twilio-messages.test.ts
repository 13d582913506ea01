import fc from 'fast-check';
import { parseTwilioMessage, type TwilioMessage } from '../../../runtime/twilio/twilio-messages';

const MZ = `MZ${'0123456789abcdef'.repeat(2)}`;
const CA = `CA${'0123456789abcdef'.repeat(2)}`;
const AC = `AC${'0123456789abcdef'.repeat(2)}`;

const parse = (value: unknown): TwilioMessage =>
  parseTwilioMessage(Buffer.from(JSON.stringify(value)), false);
const reasonOf = (message: TwilioMessage): string =>
  message.type === 'ignored' ? message.reason : message.type;

const start = (body: object = {}, envelope: object = {}) => ({
  event: 'start',
  sequenceNumber: '1',
  start: {
    accountSid: AC,
    streamSid: MZ,
    callSid: CA,
    tracks: ['inbound'],
    mediaFormat: { encoding: 'audio/x-mulaw', sampleRate: 8000, channels: 1 },
    customParameters: { tenant: 't_42' },
    ...body,
  },
  streamSid: MZ,
  ...envelope,
});

const media = (body: object = {}, envelope: object = {}) => ({
  event: 'media',
  sequenceNumber: '2',
  media: {
    track: 'inbound',
    chunk: '1',
    timestamp: '8',
    payload: Buffer.alloc(160, 0x7f).toString('base64'),
    ...body,
  },
  streamSid: MZ,
  ...envelope,
});

describe('what Twilio sends', () => {
  it.each(['1.0.0', '0.2.0', undefined, 7])('takes connected of version %p', (version) => {
    expect(parse({ event: 'connected', protocol: 'Call', version })).toEqual({ type: 'connected' });
  });

  it('reads start', () => {
    expect(parse(start())).toEqual({
      type: 'start',
      streamSid: MZ,
      callSid: CA,
      accountSid: AC,
      tracks: ['inbound'],
      mediaFormat: { encoding: 'audio/x-mulaw', sampleRate: 8000, channels: 1 },
      parameters: { tenant: 't_42' },
    });
  });

  it('gives the tracks of start in channel order, whatever their order on the wire', () => {
    expect(parse(start({ tracks: ['outbound', 'inbound', 'mixed', 3] }))).toMatchObject({
      tracks: ['inbound', 'outbound'],
    });
  });

  it('reads the media format as it is and judges nothing', () => {
    const mediaFormat = { encoding: 'audio/L16', sampleRate: '16000', channels: 2 };
    expect(parse(start({ mediaFormat }))).toMatchObject({
      mediaFormat: { encoding: 'audio/L16', sampleRate: 16000, channels: 2 },
    });
  });

  it.each([
    undefined,
    null,
    'audio/x-mulaw',
    {},
    { encoding: 'audio/x-mulaw', sampleRate: 'fast', channels: 1 },
  ])('gives no media format when start says %p', (mediaFormat) => {
    const message = parse(start({ mediaFormat }));
    expect(message.type).toBe('start');
    expect(message).not.toHaveProperty('mediaFormat');
  });

  it('takes a start without parameters, and leaves out values that are no text', () => {
    expect(parse(start({ customParameters: undefined }))).toMatchObject({ parameters: {} });
    expect(parse(start({ customParameters: { a: 'x', b: { c: 1 }, d: null } }))).toMatchObject({
      parameters: { a: 'x' },
    });
  });

  it('keeps a parameter called __proto__ a parameter', () => {
    const text = JSON.stringify(start()).replace('"tenant"', '"__proto__"');
    const message = parseTwilioMessage(Buffer.from(text), false);
    if (message.type !== 'start') throw new Error(reasonOf(message));
    expect(Object.entries(message.parameters)).toEqual([['__proto__', 't_42']]);
    expect(Object.getPrototypeOf(message.parameters)).toBe(Object.prototype);
  });

  it('reads parameters in UTF-8', () => {
    expect(parse(start({ customParameters: { name: 'José Ñandú' } }))).toMatchObject({
      parameters: { name: 'José Ñandú' },
    });
  });

  it('reads media', () => {
    expect(parse(media())).toEqual({
      type: 'media',
      streamSid: MZ,
      sequenceNumber: 2,
      track: 'inbound',
      timestampMs: 8,
      payload: Buffer.alloc(160, 0x7f),
    });
  });

  it('takes numbers as numbers too', () => {
    expect(parse(media({ timestamp: 86_400_000 }, { sequenceNumber: 8_640_000 }))).toMatchObject({
      sequenceNumber: 8_640_000,
      timestampMs: 86_400_000,
    });
  });

  it('keeps audio whose sequence number cannot be read', () => {
    const message = parse(media({}, { sequenceNumber: 'two' }));
    expect(message.type).toBe('media');
    expect(message).not.toHaveProperty('sequenceNumber');
  });

  it('takes frames of any size, byte for byte', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 400 }), (bytes) => {
        const message = parse(media({ payload: Buffer.from(bytes).toString('base64') }));
        expect(message.type === 'media' && message.payload.equals(bytes)).toBe(true);
      }),
    );
  });

  it('reads dtmf, mark and stop', () => {
    expect(
      parse({
        event: 'dtmf',
        streamSid: MZ,
        sequenceNumber: '5',
        dtmf: { track: 'inbound_track', digit: '#' },
      }),
    ).toEqual({
      type: 'dtmf',
      streamSid: MZ,
      digit: '#',
    });
    expect(parse({ event: 'mark', streamSid: MZ, sequenceNumber: '4', mark: { name: 'my label' } })).toEqual({
      type: 'mark',
      streamSid: MZ,
      name: 'my label',
    });
    expect(
      parse({ event: 'stop', sequenceNumber: '352', streamSid: MZ, stop: { accountSid: AC, callSid: CA } }),
    ).toEqual({
      type: 'stop',
      streamSid: MZ,
    });
  });

  it('does not mind fields it does not know', () => {
    expect(parse(start({ region: 'us1' }, { extra: [1] })).type).toBe('start');
    expect(parse(media({ extra: {} }, { extra: null })).type).toBe('media');
  });
});

describe('what nobody should send', () => {
  it('ignores binary', () => {
    expect(parseTwilioMessage(Buffer.from(JSON.stringify(start())), true)).toEqual({
      type: 'ignored',
      reason: 'binary',
    });
  });

  it.each(['', '{', '{"event":"media"', '\u0000', 'undefined', '\ufeff{}'])(
    'ignores %p as not JSON',
    (text) => {
      expect(reasonOf(parseTwilioMessage(Buffer.from(text), false))).toBe('not-json');
    },
  );

  it.each([null, [], [start()], 'start', 7, true, {}, { event: null }, { event: ['start'] }])(
    'ignores %p as malformed',
    (value) => {
      expect(reasonOf(parse(value))).toBe('malformed');
    },
  );

  it.each(['', 'Start', 'clear', 'constructor', '__proto__', 'toString'])(
    'ignores the unknown event %p',
    (event) => {
      expect(reasonOf(parse({ event, streamSid: MZ }))).toBe('unknown-event');
    },
  );

  it.each([
    ['no body', { event: 'start', streamSid: MZ }],
    ['a list as its body', { event: 'start', streamSid: MZ, start: [] }],
    ['no callSid', start({ callSid: undefined })],
    ['an empty callSid', start({ callSid: '' })],
    ['a callSid that would break a key', start({ callSid: 'CA#1' })],
    ['a callSid that is no text', start({ callSid: 7 })],
    ['a streamSid without end', start({ streamSid: 'M'.repeat(65) }, { streamSid: undefined })],
    ['no accountSid', start({ accountSid: null })],
    ['two different streamSids', start({}, { streamSid: `${MZ.slice(0, -1)}0` })],
    ['no tracks', start({ tracks: undefined })],
    ['tracks that are no list', start({ tracks: 'inbound' })],
  ])('ignores a start with %s', (_what, value) => {
    expect(reasonOf(parse(value))).toBe('malformed');
  });

  it.each([
    ['no body', 'malformed', { event: 'media', streamSid: MZ }],
    ['no streamSid', 'malformed', media({}, { streamSid: undefined })],
    ['no track', 'bad-track', media({ track: undefined })],
    ['the track of an attribute', 'bad-track', media({ track: 'inbound_track' })],
    ['no timestamp', 'malformed', media({ timestamp: undefined })],
    ['a negative timestamp', 'malformed', media({ timestamp: '-8' })],
    ['a fractional timestamp', 'malformed', media({ timestamp: 8.5 })],
    ['a hexadecimal timestamp', 'malformed', media({ timestamp: '0x10' })],
    ['an empty timestamp', 'malformed', media({ timestamp: '' })],
    ['a timestamp of years', 'malformed', media({ timestamp: '99999999999' })],
    ['no payload', 'bad-payload', media({ payload: undefined })],
    ['a payload that is no text', 'bad-payload', media({ payload: [1, 2] })],
    ['an empty payload', 'empty-payload', media({ payload: '' })],
    ['a payload of words', 'bad-payload', media({ payload: 'not base64!!' })],
    ['a payload with a line break', 'bad-payload', media({ payload: 'AAAA\nAAA' })],
    ['a payload without its padding', 'bad-payload', media({ payload: 'AAA' })],
    ['a payload with padding inside', 'bad-payload', media({ payload: 'AA==AAAA' })],
    ['a payload in the URL alphabet', 'bad-payload', media({ payload: 'A-_A' })],
    ['a payload whose letters look right to the decoder', 'bad-payload', media({ payload: 'ŁŁŁŁ' })],
    ['a payload with bits left over', 'bad-payload', media({ payload: 'AB==' })],
  ])('ignores media with %s', (_what, reason, value) => {
    expect(reasonOf(parse(value))).toBe(reason);
  });

  it.each([
    { event: 'dtmf', streamSid: MZ },
    { event: 'dtmf', dtmf: { digit: '1' } },
    { event: 'mark', streamSid: MZ, mark: { name: 1 } },
    { event: 'stop' },
    { event: 'stop', streamSid: 'MZ 1' },
  ])('ignores %j as malformed', (value) => {
    expect(reasonOf(parse(value))).toBe('malformed');
  });

  it('never throws, whatever the bytes', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.json().map((text) => Buffer.from(text)),
          fc.uint8Array().map(Buffer.from),
        ),
        (data) => {
          expect(parseTwilioMessage(data, false).type).toBe('ignored');
        },
      ),
    );
  });

  it('never throws, whatever is in the fields', () => {
    const event = fc.constantFrom('connected', 'start', 'media', 'dtmf', 'mark', 'stop');
    const message = fc.record({
      event,
      streamSid: fc.jsonValue(),
      start: fc.jsonValue(),
      media: fc.jsonValue(),
    });
    fc.assert(fc.property(message, (value) => typeof parse(value).type === 'string'));
  });
});
