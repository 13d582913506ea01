import fc from 'fast-check';
import { getExpectedTwilioSignature, validateRequest } from 'twilio/lib/webhooks/webhooks';
import { Secret } from '../../../runtime/model/secret';
import {
  checkTwilioSignature,
  signedForm,
  twilioSignature,
  type FormFields,
} from '../../../runtime/twilio/twilio-signature';
import { publicUrlCandidates } from '../../../runtime/twilio/public-url';

const T = '0123456789abcdef0123456789abcdef';
const T2 = 'fedcba9876543210fedcba9876543210';
const HOST = 'https://relay.example.com';
const SID = '0123456789abcdef0123456789abcdef';

const VOICE = {
  AccountSid: `AC${SID}`,
  ApiVersion: '2010-04-01',
  CallSid: `CA${SID}`,
  CallStatus: 'ringing',
  Called: '+15005550006',
  CalledCity: '',
  CalledCountry: 'US',
  CalledState: 'CA',
  CalledZip: '',
  Caller: '+14158675310',
  CallerCity: 'SAN FRANCISCO',
  CallerCountry: 'US',
  CallerState: 'CA',
  CallerZip: '94103',
  Direction: 'inbound',
  From: '+14158675310',
  FromCity: 'SAN FRANCISCO',
  FromCountry: 'US',
  FromState: 'CA',
  FromZip: '94103',
  To: '+15005550006',
  ToCity: '',
  ToCountry: 'US',
  ToState: 'CA',
  ToZip: '',
};
const STATUS = {
  AccountSid: `AC${SID}`,
  CallSid: `CA${SID}`,
  StreamSid: `MZ${SID}`,
  StreamName: 'my_first_stream',
  StreamEvent: 'stream-started',
  Timestamp: '2024-11-29T00:09:39.602648368Z',
};
const V1 = {
  CallSid: 'CA1234567890ABCDE',
  Caller: '+14158675310',
  Digits: '1234',
  From: '+14158675310',
  To: '+18005551212',
};
const V16 = { From: '+14158675310', CallerName: 'José Ñandú & Söhne', Empty: '', Body: 'a=b&c +d' };

/** twilio-media-streams.md, 3.5 */
const VECTORS: [string, string, string, Record<string, string>, string][] = [
  ['V1', '12345', 'https://example.com/myapp.php?foo=1&bar=2', V1, 'L/OH5YylLD5NRKLltdqwSvS0BnU='],
  ['V3', T, 'wss://relay.example.com/media', {}, '1R0/XlDybZHEyUSgHAIvxBCKz5o='],
  ['V4', T, 'wss://relay.example.com/media/', {}, 'MUbmOtzGpjvYyfvEAj6KT59rqhg='],
  ['V5', T, 'wss://relay.example.com', {}, 'gXZrIZymFGomtzxKa3KzVA8gadc='],
  ['V6', T, 'wss://relay.example.com/', {}, '+So0Ez52uxgWCDX6A8TbzhT+3+I='],
  ['V7', T, 'wss://relay.example.com:8443/media', {}, 'n/jRwtZDmfMlhmtSLr72J2Z98sY='],
  ['V8', T, 'wss://relay.example.com:443/media', {}, 'mQ0RO///hjtXrhNFcalFKxKWOkE='],
  ['V9', T, 'https://relay.example.com/media', {}, '0og17Yh9fdb9Lwx4z0a1EhZNeks='],
  ['V10', T2, 'wss://relay.example.com/media', {}, 'OCyxx9zeCs7TQRjjW09wvwDCxEw='],
  ['V11', T, `${HOST}/voice`, VOICE, 'kn1q2oWX39cuZG8Miy6PfypdUVo='],
  ['V12', T, `${HOST}/voice?tenant=42&x=a%20b`, VOICE, '96/wP7A7et2OTENxJieOhBnJakQ='],
  ['V13', T, `${HOST}/stream-status`, STATUS, '3AuF4VDJYu0wkctWQCMJ0E3EVVs='],
  [
    'V14',
    T,
    `${HOST}/stream-status`,
    { ...STATUS, StreamEvent: 'stream-error', StreamError: 'Stream - WebSocket - Handshake Error' },
    'k3rcBap2a0+pwWqkAzAfijGJHCM=',
  ],
  ['V15', T, 'http://localhost:8080/voice', VOICE, 'jX271839eEE05hgXwQqqDxR9FY0='],
  ['V16', T, `${HOST}/voice`, V16, 't5Qua89wCkCi4t9suJrE9GV6vEw='],
  [
    'V17',
    T,
    `${HOST}/get-status?AccountSid=AC${SID}&StreamEvent=stream-stopped`,
    {},
    'OTy/P0SQRUaG9bbNhWC5oU5ZVYs=',
  ],
  [
    'V18',
    T,
    `${HOST}/json?bodySHA256=93a23971a914e5eacbf0a8d25154cda309c3c1c72fbb9914d47c60f3cb681588`,
    {},
    'zVwOAp4yu0ShAGR8PsXHUFLJOVE=',
  ],
];
const vector = (id: string): string => VECTORS.find(([name]) => name === id)![4];

const check = (header: string | undefined, tokens: string[], urls: readonly string[], fields?: FormFields) =>
  checkTwilioSignature({
    header,
    tokens: tokens.map((token) => new Secret(token)),
    urls,
    ...(fields ? { form: signedForm(fields) } : {}),
  });

it.each(VECTORS)('%s: makes and takes the known signature', (_id, token, url, params, signature) => {
  expect(twilioSignature(token, url, Object.entries(params))).toBe(signature);
  expect(check(signature, [token], [url], Object.entries(params))).toEqual({ ok: true, tokenIndex: 0 });
});

describe('the URLs that Twilio may have signed', () => {
  const stream = (publicUrl: string, path = '/media') =>
    publicUrlCandidates({ publicUrl, path, kind: 'stream' });
  const webhook = (publicUrl: string, path: string, query?: string) =>
    publicUrlCandidates({ publicUrl, path, kind: 'webhook', ...(query === undefined ? {} : { query }) });

  it.each(['V3', 'V4', 'V8'])('%s is taken on the media upgrade of https://relay.example.com', (id) => {
    expect(check(vector(id), [T], stream(HOST))).toEqual({ ok: true, tokenIndex: 0 });
  });

  it.each(['V5', 'V6'])('%s is taken when the stream is at the root', (id) => {
    expect(check(vector(id), [T], stream(HOST, '/'))).toEqual({ ok: true, tokenIndex: 0 });
  });

  it.each(['V3', 'V4', 'V7'])('%s is taken on port 8443', (id) => {
    expect(check(vector(id), [T], stream('https://relay.example.com:8443'))).toMatchObject({ ok: true });
  });

  it.each(['V5', 'V6', 'V7', 'V9', 'V10'])(
    '%s is refused on the media upgrade of https://relay.example.com',
    (id) => {
      expect(check(vector(id), [T], stream(HOST))).toEqual({ ok: false, reason: 'mismatch' });
    },
  );

  it('V11, V12 and V15 are taken as webhooks', () => {
    expect(check(vector('V11'), [T], webhook(`${HOST}/`, '/voice'), Object.entries(VOICE)).ok).toBe(true);
    expect(
      check(vector('V12'), [T], webhook(HOST, '/voice', 'tenant=42&x=a%20b'), Object.entries(VOICE)).ok,
    ).toBe(true);
    expect(
      check(vector('V15'), [T], webhook('http://localhost:8080', '/voice'), Object.entries(VOICE)).ok,
    ).toBe(true);
  });

  it('the query of a webhook is signed: leaving it out or changing it is a mismatch', () => {
    expect(check(vector('V12'), [T], webhook(HOST, '/voice'), Object.entries(VOICE)).ok).toBe(false);
    expect(
      check(vector('V12'), [T], webhook(HOST, '/voice', 'tenant=43&x=a%20b'), Object.entries(VOICE)).ok,
    ).toBe(false);
    expect(check(vector('V11'), [T], webhook(HOST, '/voice', 'tenant=42'), Object.entries(VOICE)).ok).toBe(
      false,
    );
  });

  it('a path in the public URL is part of what is signed', () => {
    const urls = stream('https://example.com/relay/');
    expect(urls).toContain('wss://example.com/relay/media');
    expect(urls).not.toContain('wss://example.com/media');
  });

  it('an unencrypted public URL takes ws and wss, an encrypted one only wss', () => {
    expect(stream('http://localhost:5000')).toEqual(
      expect.arrayContaining(['ws://localhost:5000/media', 'wss://localhost:5000/media']),
    );
    expect(stream(HOST).filter((url) => !url.startsWith('wss://'))).toEqual([]);
  });

  it('names the host as written and in lower case, and never a user', () => {
    const urls = webhook('HTTPS://me:pw@Relay.Example.com', '/voice');
    expect(urls).toEqual(
      expect.arrayContaining(['https://Relay.Example.com/voice', 'https://relay.example.com/voice']),
    );
    expect(urls.join()).not.toContain('pw');
  });

  it('keeps the brackets of an IPv6 address apart from its port', () => {
    expect(stream('http://[::1]:5000')).toContain('ws://[::1]/media');
    expect(stream('http://[::1]')).toContain('ws://[::1]:80/media');
  });

  it.each(['relay.example.com', 'wss://relay.example.com', '', 'https://'])(
    'does not guess what %p means',
    (publicUrl) => {
      expect(() => stream(publicUrl)).toThrow('PUBLIC_URL is not an http(s) URL');
    },
  );
});

describe('requests that are not from Twilio', () => {
  const urls = ['wss://relay.example.com/media'];

  it.each([undefined, ''])('without a header (%p) there is nothing to check', (header) => {
    expect(check(header, [T], urls)).toEqual({ ok: false, reason: 'no-header' });
  });

  it.each(['x', 'ŁR0/XlDybZHEyUSgHAIvxBCKz5o=', `${'A'.repeat(10_000)}`])('%p is a mismatch', (header) => {
    expect(check(header, [T], urls)).toEqual({ ok: false, reason: 'mismatch' });
  });

  it('no token and no URL match nothing', () => {
    expect(check(vector('V3'), [], urls).ok).toBe(false);
    expect(check(vector('V3'), [T], []).ok).toBe(false);
  });

  it('a changed, added or missing field is a mismatch', () => {
    const url = [`${HOST}/voice`];
    const { ToZip: _left, ...less } = VOICE;
    for (const fields of [{ ...VOICE, To: '+1' }, { ...VOICE, More: '1' }, less, {}])
      expect(check(vector('V11'), [T], url, Object.entries(fields))).toMatchObject({ ok: false });
    expect(check(vector('V11'), [T], url, Object.entries(less).concat([['ToZip', '']])).ok).toBe(true);
  });
});

it('says which token signed, by its place in the list', () => {
  const urls = ['wss://relay.example.com/media'];
  expect(check(vector('V10'), [T, T2], urls)).toEqual({ ok: true, tokenIndex: 1 });
  expect(check(vector('V3'), [T, T2], urls)).toEqual({ ok: true, tokenIndex: 0 });
});

describe("agrees with Twilio's own library", () => {
  const host = fc.domain();
  const port = fc.option(fc.integer({ min: 1, max: 65_535 }), { nil: undefined });
  const segment = fc.stringMatching(/^[A-Za-z0-9._~-]{1,8}$/);
  const fieldName = fc.stringMatching(/^[A-Za-z][A-Za-z0-9]{0,6}$/);
  const fields = fc.dictionary(
    fieldName,
    fc.oneof(fc.string({ unit: 'grapheme' }), fc.array(fc.string(), { minLength: 1 })),
  );
  const flat = (params: Record<string, string | string[]>): [string, string][] =>
    Object.entries(params).flatMap(([name, value]) =>
      [value].flat().map((one): [string, string] => [name, one]),
    );

  it('on the signature of any form, repeated names included', () => {
    fc.assert(
      fc.property(
        fc.string({ minLength: 1 }),
        fc.webUrl({ withQueryParameters: true }),
        fields,
        (token, url, params) => {
          expect(twilioSignature(token, url, flat(params))).toBe(
            getExpectedTwilioSignature(token, url, params),
          );
        },
      ),
    );
  });

  it('on every request it accepts for a webhook or a stream of ours', () => {
    fc.assert(
      fc.property(host, port, segment, fc.boolean(), fields, (name, at, path, isStream, params) => {
        const publicUrl = `https://${name}${at === undefined ? '' : `:${at}`}`;
        const kind = isStream ? 'stream' : 'webhook';
        const candidates = publicUrlCandidates({ publicUrl, path: `/${path}`, kind });
        const url = `${isStream ? 'wss' : 'https'}${publicUrl.slice(5)}/${path}`;
        const form = isStream ? {} : params;
        const signed = getExpectedTwilioSignature(T, url.replace(/:\d+\//, '/'), form);
        expect(validateRequest(T, signed, url, form)).toBe(true);
        expect(check(signed, [T2, T], candidates, flat(form))).toEqual({ ok: true, tokenIndex: 1 });
      }),
    );
  });

  it('on every candidate: each is the same URL to it, but for the slash and a port that was not signed', () => {
    fc.assert(
      fc.property(host, segment, fields, (name, path, params) => {
        for (const url of publicUrlCandidates({
          publicUrl: `https://${name}`,
          path: `/${path}`,
          kind: 'webhook',
        }))
          expect(
            validateRequest(T, twilioSignature(T, url, flat(params)), url.replace(':443', ''), params),
          ).toBe(true);
      }),
    );
  });

  it('on refusing a form of which one value was changed', () => {
    fc.assert(
      fc.property(fields, fieldName, fc.string(), (params, name, value) => {
        const url = `${HOST}/voice`;
        const changed = { ...params, [name]: value };
        const signed = twilioSignature(T, url, flat(params));
        expect(check(signed, [T], [url], flat(changed)).ok).toBe(validateRequest(T, signed, url, changed));
      }),
    );
  });
});
