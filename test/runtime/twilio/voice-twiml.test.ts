import fc from 'fast-check';
import { twiml } from 'twilio';
import { checkVerbs } from '../../../runtime/twilio/check-verbs';
import {
  callParameters,
  fallbackTwiml,
  twimlBinText,
  voiceTwiml,
  type VoiceTwimlOptions,
} from '../../../runtime/twilio/voice-twiml';

const options: VoiceTwimlOptions = {
  publicUrl: 'https://relay.example.com',
  mediaPath: '/media',
  tracks: ['inbound', 'outbound'],
  streamName: 'relay-1',
  parameters: { tenant: 't_42' },
  next: { kind: 'dial', number: '+14155550100' },
};

/** The response element's inside, which must be well-formed. */
function inside(text: string): string {
  const match = /^<\?xml version="1\.0" encoding="UTF-8"\?>\s*<Response>([^]*)<\/Response>$/.exec(text);
  return match?.[1] ?? '';
}

it("writes what Twilio's own builder writes", () => {
  const response = new twiml.VoiceResponse();
  const stream = response.start().stream({
    name: 'relay-1',
    url: 'wss://relay.example.com/media',
    track: 'both_tracks',
    statusCallback: 'https://relay.example.com/stream-status',
  });
  stream.parameter({ name: 'tenant', value: 't_42' });
  response.dial('+14155550100');
  expect(voiceTwiml(options)).toBe(response.toString());
});

it.each([
  [{ kind: 'verbs', xml: '<Say>Hi</Say><Hangup/>' }, '</Start><Say>Hi</Say><Hangup/></Response>'],
  [{ kind: 'dial', number: '+1<2' }, '</Start><Dial>+1&lt;2</Dial></Response>'],
  [
    { kind: 'redirect', url: 'https://a.example/v?a=1&b=2' },
    '</Start><Redirect>https://a.example/v?a=1&amp;b=2</Redirect></Response>',
  ],
] as const)('goes on with %j', (next, end) => {
  expect(voiceTwiml({ ...options, next }).endsWith(end)).toBe(true);
});

it('asks for one track when one is transcribed', () => {
  expect(voiceTwiml({ ...options, tracks: ['inbound'] })).toContain(' track="inbound_track" ');
});

it('keeps port and prefix of the public URL, and uses ws only where it is not encrypted', () => {
  const text = voiceTwiml({ ...options, publicUrl: 'http://localhost:5000/relay/' });
  expect(text).toContain(' url="ws://localhost:5000/relay/media" ');
  expect(text).toContain(' statusCallback="http://localhost:5000/relay/stream-status"');
});

it('leaves out a parameter that Twilio would not take, at 500 characters', () => {
  const text = voiceTwiml({
    ...options,
    parameters: { from: 'x'.repeat(495), to: 'x'.repeat(498), direction: 'inbound' },
  });
  expect(text).toContain('name="from"');
  expect(text).not.toContain('name="to"');
  expect(text).toContain('name="direction"');
});

it('is well-formed whatever is in a parameter', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (value) => {
      const body = inside(voiceTwiml({ ...options, parameters: { from: value } }));
      expect(checkVerbs(body)).toBeUndefined();
      expect(body).not.toMatch(/[\u0000-\u0008\u000b\u000c\u000e-\u001f]|\p{Surrogate}/u);
    }),
  );
});

it('takes from, to and direction of the form, and nothing else', () => {
  const form = new URLSearchParams({ From: '+14158675310', To: '', Direction: 'inbound', CallerName: 'X' });
  expect(callParameters(form)).toEqual({ from: '+14158675310', direction: 'inbound' });
});

it('prints a TwiML Bin that Twilio fills in', () => {
  const text = twimlBinText(options, { kind: 'verbs', xml: '<Dial>+15005550006</Dial>' });
  expect(checkVerbs(inside(text))).toBeUndefined();
  for (const part of [
    'name="from" value="{{From}}"',
    'name="to" value="{{To}}"',
    'name="direction" value="{{Direction}}"',
  ])
    expect(text).toContain(part);
  expect(text).not.toContain('<Stream name=');
  expect(text).toContain('<Dial>+15005550006</Dial>');
});

it('says in the TwiML Bin that something must follow, when nothing is configured', () => {
  const text = twimlBinText(options);
  expect(text).toContain('Without a verb the call ends');
  expect(checkVerbs(inside(text))).toBeUndefined();
});

it('goes on with the call and starts no stream when the relay is down', () => {
  expect(fallbackTwiml(options.next)).toBe(
    '<?xml version="1.0" encoding="UTF-8"?><Response><Dial>+14155550100</Dial></Response>',
  );
});
