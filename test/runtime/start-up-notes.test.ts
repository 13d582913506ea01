import { loadConfig, type Environment } from '../../runtime/config';
import { publicUrlFault, startUpNotes } from '../../runtime/start-up-notes';

const COMPLETE = {
  PUBLIC_URL: 'https://relay.example.com',
  TWILIO_AUTH_TOKEN: 'token',
  GLADIA_API_KEY: 'key',
};

function notes(settings: Environment): string {
  return startUpNotes(loadConfig(settings), { port: 5000 }).join('\n');
}

test('say what to paste into Twilio', () => {
  const text = notes({ ...COMPLETE, DIAL_NUMBER: '+15005550006' });
  expect(text).toContain('Stream URL: wss://relay.example.com/media');
  expect(text).toContain('Voice webhook of your number: https://relay.example.com/voice');
  expect(text).toContain('<Dial>+15005550006</Dial>');
  expect(text).not.toContain('Missing');
});

test('say that /voice is off, and with what it is on', () => {
  const text = notes(COMPLETE);
  expect(text).toContain('/voice is off until VOICE_TWIML, DIAL_NUMBER or VOICE_NEXT_URL is set');
  expect(text).not.toContain('https://relay.example.com/voice');
});

test('name every setting that is missing', () => {
  const text = notes({});
  for (const name of ['GLADIA_API_KEY', 'TWILIO_AUTH_TOKEN', 'PUBLIC_URL']) expect(text).toContain(name);
});

test('say that Twilio does not stream to an http URL', () => {
  expect(notes({ ...COMPLETE, PUBLIC_URL: 'http://relay.example.com' })).toContain('wss only');
});

test.each([
  [undefined, false],
  ['https://relay.example.com', false],
  ['http://127.0.0.1:5000', false],
  ['http://localhost:5000', false],
  ['http://[::1]:5000', false],
  ['http://relay.example.com', true],
  ['http://10.0.0.1:5000', true],
  ['HTTP://127.example.com', true],
])('the public URL %s is at fault: %s', (publicUrl, isAtFault) => {
  expect(publicUrlFault(publicUrl) !== undefined).toBe(isAtFault);
});
