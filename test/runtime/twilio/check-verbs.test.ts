import fc from 'fast-check';
import { twiml } from 'twilio';
import { checkVerbs } from '../../../runtime/twilio/check-verbs';

describe('verbs that can follow <Start>', () => {
  it.each([
    '<Dial>+15005550006</Dial>',
    '<Say>Hello</Say><Dial>+15005550006</Dial>',
    '  <Say voice="alice" language=\'en-GB\'>Tom &amp; Jerry &#8211; &#x2014;</Say>\n<Hangup/>\n',
    '<Dial callerId="+15005550006"><Number url="https://example.com/a?b=1&amp;c=2">+15005550007</Number></Dial>',
    '<!-- greet --><Pause length = "2" />',
    '<Play><![CDATA[https://example.com/a?b=1&c=2]]></Play>',
    '<Say>{{From}}</Say>',
    '<Say><prosody rate="85%">slowly</prosody></Say>',
  ])('%s is right', (xml) => {
    expect(checkVerbs(xml)).toBeUndefined();
  });

  it("takes whatever Twilio's own builder writes", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.integer({ min: 32, max: 0xd7ff }).map((n) => String.fromCharCode(n)) }),
        (text) => {
          const response = new twiml.VoiceResponse();
          response.say({ voice: 'alice' }, text);
          response.dial({ callerId: text }).number({ statusCallback: text }, text);
          const verbs = /<Response>([^]*)<\/Response>/.exec(response.toString())![1]!;
          expect(checkVerbs(verbs)).toBeUndefined();
        },
      ),
    );
  });
});

describe('verbs that would end every call with an application error', () => {
  it.each([
    ['', 'it has no verb, such as <Dial>'],
    ['   ', 'it has no verb, such as <Dial>'],
    ['<!-- nothing -->', 'it has no verb, such as <Dial>'],
    ['+15005550006', 'there is text outside of a verb, before character 13'],
    ['<Say>a</Say>tail', 'there is text outside of a verb, before character 17'],
    ['<Response><Say>a</Say></Response>', '<Response> is put around it; leave it out'],
    ['<Say>Hello', '<Say> is not closed'],
    ['<Dial><Number>1</Dial></Number>', '</Dial> stands where </Number> should'],
    ['<Say>a</say>', '</say> stands where </Say> should'],
    ['</Say>', '</Say> closes nothing'],
    ['<Say>Tom & Jerry</Say>', 'it is not well-formed XML at character 10'],
    ['<Say>&nbsp;</Say>', 'it is not well-formed XML at character 6'],
    ['<Say>1 < 2</Say>', 'it is not well-formed XML at character 8'],
    ['<Say voice=alice>a</Say>', 'the tag <Say> is not well-formed at character 5'],
    ['<Say voice="alice>a</Say>', 'the tag <Say> is not well-formed at character 5'],
    ['<Say voice="a&b">a</Say>', 'the tag <Say> is not well-formed at character 5'],
    ['<Say voice="a"loop="2">a</Say>', 'the tag <Say> is not well-formed at character 15'],
    ['<Say loop="1" loop="2">a</Say>', '<Say> has the attribute loop twice'],
    ['<Dial', 'the tag <Dial> is not well-formed at character 6'],
    ['< Dial/>', 'it is not well-formed XML at character 1'],
    ['<1Dial/>', 'it is not well-formed XML at character 1'],
    ['<?xml version="1.0"?><Dial/>', 'it is not well-formed XML at character 1'],
    ['<!DOCTYPE x><Dial/>', 'it is not well-formed XML at character 1'],
    ['<!-- a -- b --><Dial/>', 'it is not well-formed XML at character 1'],
    ['<!-- open <Dial/>', 'it is not well-formed XML at character 1'],
    ['<![CDATA[text]]><Dial/>', 'it is not well-formed XML at character 1'],
    ['<Say><![CDATA[x</Say>', 'it is not well-formed XML at character 6'],
  ])('%s is refused', (xml, sentence) => {
    expect(checkVerbs(xml)).toBe(sentence);
  });

  it('takes no noticeable time on a long one', () => {
    expect(checkVerbs(`<Say>${'a&amp;'.repeat(10_000)}`)).toBe('<Say> is not closed');
    expect(checkVerbs(`<Say${' a="1"'.repeat(5_000)}`)).toBe('<Say> has the attribute a twice');
    expect(checkVerbs(`<!--${'-'.repeat(60_000)}`)).toBe('it is not well-formed XML at character 1');
  });
});
