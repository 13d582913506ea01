import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { Secret } from '../../../runtime/model/secret';
import { readTicket, signTicket, type TicketClaims } from '../../../runtime/twilio/stream-ticket';

// Comes with Twilio's package, which makes its access tokens with it.
const jsonwebtoken = require('jsonwebtoken') as {
  sign(payload: object, key: string, options: { algorithm: string; noTimestamp: boolean }): string;
  verify(token: string, key: string, options: { algorithms: string[]; clockTimestamp: number }): unknown;
};

const KEY = new Secret('0123456789abcdef0123456789abcdef');
const OTHER = new Secret('fedcba9876543210fedcba9876543210');
const CLAIMS: TicketClaims = {
  callSid: `CA${'1'.repeat(32)}`,
  accountSid: `AC${'2'.repeat(32)}`,
  id: 'Zm9v-_YmFy',
  expiresAtMs: 1_800_000_000_000,
};
const PAYLOAD = { sub: CLAIMS.callSid, iss: CLAIMS.accountSid, jti: CLAIMS.id, exp: 1_800_000_000 };

const encoded = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
/** Signed with the right key, whatever it says. */
function signed(header: object, payload: object, hash = 'sha256'): string {
  const text = `${encoded(header)}.${encoded(payload)}`;
  return `${text}.${createHmac(hash, KEY.reveal()).update(text).digest('base64url')}`;
}

test('a ticket is read with the key that signed it, among others', () => {
  const ticket = signTicket(CLAIMS, KEY);
  expect(readTicket(ticket, [KEY])).toEqual(CLAIMS);
  expect(readTicket(ticket, [OTHER, KEY])).toEqual(CLAIMS);
});

test('a ticket of another key, or of none, is none', () => {
  expect(readTicket(signTicket(CLAIMS, KEY), [OTHER])).toBeUndefined();
  expect(readTicket(signTicket(CLAIMS, KEY), [])).toBeUndefined();
});

test('a ticket is a JWT to others, and theirs is one to us', () => {
  const options = { algorithms: ['HS256'], clockTimestamp: PAYLOAD.exp - 1 };
  expect(jsonwebtoken.verify(signTicket(CLAIMS, KEY), KEY.reveal(), options)).toEqual(PAYLOAD);
  const theirs = jsonwebtoken.sign(PAYLOAD, KEY.reveal(), { algorithm: 'HS256', noTimestamp: true });
  expect(readTicket(theirs, [KEY])).toEqual(CLAIMS);
});

test('it fits into a parameter, with the longest sids that we take', () => {
  const ticket = signTicket({ ...CLAIMS, callSid: 'C'.repeat(64), accountSid: 'A'.repeat(64) }, KEY);
  expect('ticket'.length + ticket.length).toBeLessThan(500);
  expect(readTicket(ticket, [KEY])?.callSid).toHaveLength(64);
});

test.each([
  ['another algorithm, rightly signed', signed({ alg: 'HS512', typ: 'JWT' }, PAYLOAD, 'sha512')],
  ['another algorithm by name only', signed({ alg: 'HS512', typ: 'JWT' }, PAYLOAD)],
  ['no algorithm', `${encoded({ alg: 'none', typ: 'JWT' })}.${encoded(PAYLOAD)}.`],
  ['no algorithm, signed', signed({ alg: 'none', typ: 'JWT' }, PAYLOAD)],
  ['more in the header', signed({ alg: 'HS256', typ: 'JWT', kid: '1' }, PAYLOAD)],
  ['a payload that is a list', signed({ alg: 'HS256', typ: 'JWT' }, [])],
  ['no call', signed({ alg: 'HS256', typ: 'JWT' }, { ...PAYLOAD, sub: undefined })],
  ['a time that is text', signed({ alg: 'HS256', typ: 'JWT' }, { ...PAYLOAD, exp: '1800000000' })],
  ['four parts', `${signTicket(CLAIMS, KEY)}.x`],
  ['a space before it', ` ${signTicket(CLAIMS, KEY)}`],
  ['a line break after it', `${signTicket(CLAIMS, KEY)}\n`],
  ['padding', `${signTicket(CLAIMS, KEY)}=`],
])('with %s it is none', (_what, ticket) => {
  expect(readTicket(ticket, [KEY])).toBeUndefined();
});

test('a ticket with any one character changed is none: it has one spelling', () => {
  const ticket = signTicket(CLAIMS, KEY);
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.';
  fc.assert(
    fc.property(fc.nat(ticket.length - 1), fc.constantFrom(...alphabet), (at, character) => {
      fc.pre(ticket[at] !== character);
      expect(readTicket(ticket.slice(0, at) + character + ticket.slice(at + 1), [KEY])).toBeUndefined();
    }),
  );
});

test('nothing that somebody sends makes it throw', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(fc.base64String()).map((parts) => parts.join('.')),
      ),
      (text) => {
        expect(readTicket(text, [KEY])).toBeUndefined();
      },
    ),
  );
});
