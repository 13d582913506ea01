import { replacedBy } from '../../../runtime/call/fencing';
import type { LegStart } from '../../../runtime/model/call-event';

const start = (streamSid: string, change: Partial<LegStart> = {}): LegStart => ({
  type: 'started',
  callSid: 'CA1',
  accountSid: 'AC1',
  streamSid,
  tracks: ['inbound', 'outbound'],
  parameters: {},
  ...change,
});
const leg = (legStart: LegStart | undefined) => ({ session: { start: legStart } });

test('the newest stream of a call and track wins', () => {
  const old = leg(start('MZ1'));
  expect(replacedBy(start('MZ2', { tracks: ['inbound'] }), [old])).toEqual([old]);
});

test('a stream that takes one over replaces a third one', () => {
  const other = leg(start('MZ3'));
  const newest = start('MZ2', { parameters: { handover: 'nonce', takesOver: 'MZ1' } });
  expect(replacedBy(newest, [leg(start('MZ1')), other])).toEqual([other]);
});

test.each([
  [
    'it takes that one over',
    start('MZ2', { parameters: { handover: 'nonce', takesOver: 'MZ1' } }),
    leg(start('MZ1')),
  ],
  ['it is of another call', start('MZ2', { callSid: 'CA2' }), leg(start('MZ1'))],
  [
    'it hears the other side',
    start('MZ2', { tracks: ['outbound'] }),
    leg(start('MZ1', { tracks: ['inbound'] })),
  ],
  ['it is the same stream', start('MZ1'), leg(start('MZ1'))],
  ['the other one has not begun', start('MZ2'), leg(undefined)],
])('a stream replaces no other when %s', (_, newest, other) => {
  expect(replacedBy(newest, [other])).toEqual([]);
});
