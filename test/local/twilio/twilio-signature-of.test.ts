import fc from 'fast-check';
import { validateRequest } from 'twilio';
import {
  streamUrlToSign,
  twilioSignatureOf,
  webhookUrlToSign,
} from '../../../local/twilio/twilio-signature-of';

const T = '0123456789abcdef0123456789abcdef';
const T2 = 'fedcba9876543210fedcba9876543210';
const AccountSid = 'AC0123456789abcdef0123456789abcdef';
const CallSid = 'CA0123456789abcdef0123456789abcdef';
const VOICE = {
  AccountSid,
  ApiVersion: '2010-04-01',
  CallSid,
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
  AccountSid,
  CallSid,
  StreamSid: 'MZ0123456789abcdef0123456789abcdef',
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
const ERROR = { ...STATUS, StreamEvent: 'stream-error', StreamError: 'Stream - WebSocket - Handshake Error' };
const HASH = '93a23971a914e5eacbf0a8d25154cda309c3c1c72fbb9914d47c60f3cb681588';
const GET_QUERY = `AccountSid=${AccountSid}&StreamEvent=stream-stopped`;

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
  ['V11', T, 'https://relay.example.com/voice', VOICE, 'kn1q2oWX39cuZG8Miy6PfypdUVo='],
  ['V12', T, 'https://relay.example.com/voice?tenant=42&x=a%20b', VOICE, '96/wP7A7et2OTENxJieOhBnJakQ='],
  ['V13', T, 'https://relay.example.com/stream-status', STATUS, '3AuF4VDJYu0wkctWQCMJ0E3EVVs='],
  ['V14', T, 'https://relay.example.com/stream-status', ERROR, 'k3rcBap2a0+pwWqkAzAfijGJHCM='],
  ['V15', T, 'http://localhost:8080/voice', VOICE, 'jX271839eEE05hgXwQqqDxR9FY0='],
  ['V16', T, 'https://relay.example.com/voice', V16, 't5Qua89wCkCi4t9suJrE9GV6vEw='],
  ['V17', T, `https://relay.example.com/get-status?${GET_QUERY}`, {}, 'OTy/P0SQRUaG9bbNhWC5oU5ZVYs='],
  ['V18', T, `https://relay.example.com/json?bodySHA256=${HASH}`, {}, 'zVwOAp4yu0ShAGR8PsXHUFLJOVE='],
];

describe('the signature of Twilio', () => {
  it.each(VECTORS)('is that of vector %s', (_, authToken, url, fields, signature) => {
    expect(twilioSignatureOf({ authToken, url, fields })).toBe(signature);
  });

  it('is accepted by the twilio package for any form', () => {
    const name = fc.string({ minLength: 1, maxLength: 12 }).filter((each) => each !== '__proto__');
    const value = fc.oneof(fc.string(), fc.uniqueArray(fc.string(), { minLength: 2, maxLength: 3 }));
    fc.assert(
      fc.property(fc.dictionary(name, value, { noNullPrototype: true }), (fields) => {
        const url = 'https://relay.example.com/voice';
        expect(validateRequest(T, twilioSignatureOf({ authToken: T, url, fields }), url, fields)).toBe(true);
      }),
      { numRuns: 200 },
    );
  });

  it('is refused by the twilio package under another token, URL or field', () => {
    const url = 'https://relay.example.com/voice';
    const signature = twilioSignatureOf({ authToken: T, url, fields: VOICE });
    expect(validateRequest(T2, signature, url, VOICE)).toBe(false);
    expect(validateRequest(T, signature, `${url}/`, VOICE)).toBe(false);
    expect(validateRequest(T, signature, url, { ...VOICE, ToZip: '1' })).toBe(false);
  });
});

describe('the URL that is signed', () => {
  it.each([
    ['https://relay.example.com:8443/voice?x=a%20b#rc=2', 'https://relay.example.com/voice?x=a%20b'],
    ['http://localhost:8080/voice', 'http://localhost:8080/voice'],
    ['https://user:secret@relay.example.com/voice', 'https://relay.example.com/voice'],
    ['http://user:secret@localhost:8080/voice', 'http://localhost:8080/voice'],
    ['https://Relay.example.com/a:1/@b', 'https://Relay.example.com/a:1/@b'],
  ])('of a webhook at %s is %s', (url, signed) => {
    expect(webhookUrlToSign(url)).toBe(signed);
  });

  it.each([
    ['wss://relay.example.com', 'normal', 'wss://relay.example.com/'],
    ['wss://relay.example.com/media?x=1', 'normal', 'wss://relay.example.com/media'],
    ['wss://relay.example.com:8443/media', 'normal', 'wss://relay.example.com/media'],
    ['wss://relay.example.com:8443/media', 'keep port', 'wss://relay.example.com:8443/media'],
    ['wss://relay.example.com/media', 'add slash', 'wss://relay.example.com/media/'],
    ['wss://relay.example.com/media/', 'add slash', 'wss://relay.example.com/media/'],
    ['wss://relay.example.com/media/', 'drop slash', 'wss://relay.example.com/media'],
    ['wss://relay.example.com', 'drop slash', 'wss://relay.example.com'],
  ] as const)('of a stream at %s, %s, is %s', (url, form, signed) => {
    expect(streamUrlToSign(url, form)).toBe(signed);
  });
});
