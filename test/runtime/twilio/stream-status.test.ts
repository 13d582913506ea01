import { parseStreamStatus } from '../../../runtime/twilio/stream-status';

const FORM = {
  AccountSid: 'AC1',
  CallSid: 'CA1',
  StreamSid: 'MZ1',
  StreamName: 'my_first_stream',
  StreamEvent: 'stream-started',
  Timestamp: '2024-11-29T00:09:39.602648368Z',
};
const parse = (changes: Record<string, string> = {}) =>
  parseStreamStatus(new URLSearchParams({ ...FORM, ...changes }));

it.each(['stream-started', 'stream-stopped', 'stream-error'])('reads %s', (StreamEvent) => {
  expect(parse({ StreamEvent })).toEqual({
    callSid: 'CA1',
    streamSid: 'MZ1',
    streamEvent: StreamEvent,
    accountSid: 'AC1',
    streamName: 'my_first_stream',
  });
});

it('reads the error, and does not mind fields it does not know', () => {
  const text = 'Stream - WebSocket - Handshake Error';
  expect(parse({ StreamEvent: 'stream-error', StreamError: text, Extra: 'x' })).toMatchObject({
    streamError: text,
  });
});

it('leaves out what is empty', () => {
  expect(parse({ StreamName: '', AccountSid: '' })).toEqual({
    callSid: 'CA1',
    streamSid: 'MZ1',
    streamEvent: 'stream-started',
  });
});

it.each([
  { StreamEvent: '' },
  { StreamEvent: 'stream-paused' },
  { CallSid: '' },
  { StreamSid: 'MZ#1' },
  { CallSid: 'x'.repeat(65) },
])('takes %j for no stream status', (changes) => {
  expect(parse(changes as Record<string, string>)).toBeUndefined();
});

it('takes an empty form for no stream status', () => {
  expect(parseStreamStatus(new URLSearchParams(''))).toBeUndefined();
});
