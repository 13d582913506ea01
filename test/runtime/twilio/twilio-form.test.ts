import { twilioForm } from '../../../runtime/twilio/twilio-form';

const bodyOf = (fields: number, field: (index: number) => string): Buffer =>
  Buffer.from(Array.from({ length: fields }, (_, index) => field(index)).join('&'));

const KINDS: readonly [string, (index: number) => string][] = [
  ['names of their own', (index) => index.toString(36)],
  ['one name', () => 'a=b'],
  ['no names', () => ''],
  ['long names', (index) => `${'x'.repeat(200)}${index}=`],
  ['percent signs', () => '%26%'],
];

it.each(KINDS)('256 fields are a form, 257 an empty one: %s', (_what, field) => {
  const most = bodyOf(256, field);
  expect([...twilioForm(most)]).toEqual([...new URLSearchParams(most.toString())]);
  expect([...twilioForm(bodyOf(257, field))]).toEqual([]);
});

it('reads what fields hold', () => {
  expect([...twilioForm(Buffer.from('a=b%26c&d=%C3%A9+f&a='))]).toEqual([
    ['a', 'b&c'],
    ['d', 'é f'],
    ['a', ''],
  ]);
});

it('is empty for an empty body', () => {
  expect([...twilioForm(Buffer.alloc(0))]).toEqual([]);
});
