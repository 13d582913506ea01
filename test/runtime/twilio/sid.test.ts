import { randomSid } from '../../../local/twilio/random-sids';
import { isSid } from '../../../runtime/twilio/sid';

it.each([
  `CA${'0123456789abcdef'.repeat(2)}`,
  `AC${'0'.repeat(32)}`,
  `MZ${'A1'.repeat(16)}`,
  randomSid('CA'),
  'CA1',
  'a-b_9',
])('takes %s', (value) => expect(isSid(value)).toBe(true));

it.each([
  ['a card number', '4111111111111111'],
  ['a phone number', '15005550185'],
  ['a phone number after letters', 'CA15005550185'],
  ['a phone number beside other things', 'x_15005550185-y'],
  ['more than a SID', `CA${'1'.repeat(33)}`],
  ['a line break after a SID', `CA${'1'.repeat(32)}\n`],
  ['what fits into no key', 'CA#1'],
  ['too much', 'x'.repeat(65)],
  ['nothing', ''],
])('does not take %s', (_what, value) => expect(isSid(value)).toBe(false));
