import { twiml as twilioTwiml } from 'twilio';
import { TwilioError } from '../../../local/twilio/twilio-error';
import { parseTwiml } from '../../../local/twilio/twiml';

function codeOf(text: string): number | undefined {
  try {
    parseTwiml(text);
    return undefined;
  } catch (error) {
    if (error instanceof TwilioError) return error.code;
    throw error;
  }
}

function inStart(stream: string): string {
  return `<Response><Start>${stream}</Start><Pause length="60"/></Response>`;
}

describe('reading TwiML', () => {
  it('understands what the twilio package writes', () => {
    const response = new twilioTwiml.VoiceResponse();
    const stream = response.start().stream({
      name: 'relay-1',
      url: 'wss://relay.example.com/media',
      track: 'both_tracks',
      statusCallback: 'https://relay.example.com/stream-status?a=1&b=2',
      statusCallbackMethod: 'POST',
    });
    stream.parameter({ name: 'tenant', value: '"Söhne" & <Co>' });
    response.dial('+15005550006');
    expect(parseTwiml(response.toString())).toEqual({
      stream: {
        url: 'wss://relay.example.com/media',
        tracks: ['inbound', 'outbound'],
        parameters: { tenant: '"Söhne" & <Co>' },
        name: 'relay-1',
        statusCallback: 'https://relay.example.com/stream-status?a=1&b=2',
        statusCallbackMethod: 'POST',
      },
      verbsAfter: ['Dial'],
      keepsCall: true,
    });
  });

  it('takes the inbound track and no parameters when nothing else is said', () => {
    const { stream } = parseTwiml(inStart('<Stream url="wss://relay.example.com/media"/>'));
    expect(stream).toEqual({ url: 'wss://relay.example.com/media', tracks: ['inbound'], parameters: {} });
  });

  it.each([
    ['inbound_track', ['inbound']],
    ['outbound_track', ['outbound']],
    ['both_tracks', ['inbound', 'outbound']],
  ])('reads track %s', (track, tracks) => {
    expect(parseTwiml(inStart(`<Stream url='wss://a/b' track='${track}'/>`)).stream?.tracks).toEqual(tracks);
  });

  it('decodes entities, named and by number', () => {
    const parameter = '<Parameter name="a&#x3A;b" value="&lt;&gt;&quot;&apos;&amp;&#228;&#x1F600;"/>';
    const { stream } = parseTwiml(inStart(`<Stream url="wss://a/b">${parameter}</Stream>`));
    expect(stream?.parameters).toEqual({ 'a:b': `<>"'&ä😀` });
  });

  it('reads over declaration, comments, CDATA and text', () => {
    const text = `<?xml version="1.0" encoding="UTF-8"?>\n<!-- hi --><Response>
      <Start><Stream url="wss://a/b"/></Start><Say>a &amp; b <![CDATA[<Hangup/>]]></Say></Response>\n`;
    expect(parseTwiml(text)).toMatchObject({ verbsAfter: ['Say'], keepsCall: true });
  });

  it('sees that nothing after <Start> keeps the call', () => {
    const start = '<Start><Stream url="wss://a/b"/></Start>';
    expect(parseTwiml(`<Response>${start}</Response>`)).toMatchObject({ verbsAfter: [], keepsCall: false });
    const withStop = `<Response><Say>x</Say>${start}<Stop><Stream name="x"/></Stop></Response>`;
    expect(parseTwiml(withStop)).toMatchObject({ verbsAfter: ['Stop'], keepsCall: false });
  });

  it('finds no stream in <Connect> or without <Start>', () => {
    const connect = '<Response><Connect><Stream url="wss://a/b"/></Connect></Response>';
    expect(parseTwiml(connect)).toEqual({ verbsAfter: ['Connect'], keepsCall: true });
    expect(parseTwiml('<Response/>')).toEqual({ verbsAfter: [], keepsCall: false });
  });

  it('allows 499 characters for a parameter, and not 500', () => {
    const withValue = (length: number): string =>
      inStart(`<Stream url="wss://a/b"><Parameter name="n" value="${'x'.repeat(length)}"/></Stream>`);
    expect(codeOf(withValue(498))).toBeUndefined();
    expect(codeOf(withValue(499))).toBe(12200);
  });
});

describe('TwiML that Twilio refuses', () => {
  it.each([
    ['nothing', ''],
    ['no XML', 'Not found'],
    ['an element that is not closed', '<Response><Start></Response>'],
    ['elements closed in the wrong order', '<Response><Say><b></Say></b></Response>'],
    ['an end without a beginning', '<Response/></Response>'],
    ['two roots', '<Response/><Response/>'],
    ['text after the root', '<Response/>done'],
    ['a bare ampersand', '<Response><Say>a & b</Say></Response>'],
    ['an unknown entity', '<Response><Say>&nbsp;</Say></Response>'],
    ['a bare ampersand in an attribute', inStart('<Stream url="wss://a/b?x=1&y=2"/>')],
    ['an attribute without quotes', '<Response><Pause length=5/></Response>'],
    ['an attribute twice', '<Response><Pause length="5" length="6"/></Response>'],
    ['a document type', '<!DOCTYPE x><Response/>'],
    ['a character that does not exist', '<Response><Say>&#x110000;</Say></Response>'],
  ])('as not well formed (12100): %s', (_, text) => {
    expect(codeOf(text)).toBe(12100);
  });

  it.each([
    ['another root', '<Answer/>'],
    ['a stream without url', inStart('<Stream/>')],
    ['an attribute that <Stream> does not have', inStart('<Stream url="wss://a/b" tracks="both_tracks"/>')],
    [
      'a callback method that does not exist',
      inStart('<Stream url="wss://a/b" statusCallbackMethod="PUT"/>'),
    ],
    [
      'another element in the stream',
      inStart('<Stream url="wss://a/b"><Param name="a" value="b"/></Stream>'),
    ],
    ['a parameter without name', inStart('<Stream url="wss://a/b"><Parameter value="b"/></Stream>')],
    [
      'a parameter twice',
      inStart('<Stream url="wss://a/b"><Parameter name="a"/><Parameter name="a"/></Stream>'),
    ],
  ])('as not TwiML (12200): %s', (_, text) => {
    expect(codeOf(text)).toBe(12200);
  });

  it('for a track that does not exist (31941), such as the name used in messages', () => {
    expect(codeOf(inStart('<Stream url="wss://a/b" track="inbound"/>'))).toBe(31941);
  });

  it('for its size (11750)', () => {
    expect(codeOf(`<Response><Say>${'x'.repeat(65_536)}</Say></Response>`)).toBe(11750);
  });
});
