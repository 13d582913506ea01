import fc from 'fast-check';
import { twilioSignatureOf, type FormFields } from '../../local/twilio/twilio-signature-of';
import { parseXml } from '../../local/twilio/xml';
import { Secret } from '../../runtime/model/secret';
import { parseGladiaJob, parseGladiaMessage } from '../../runtime/speech/gladia/gladia-messages';
import { SpeechError } from '../../runtime/speech/speech-provider';
import { publicUrlCandidates } from '../../runtime/twilio/public-url';
import { parseStreamStatus } from '../../runtime/twilio/stream-status';
import { readTicket, signTicket } from '../../runtime/twilio/stream-ticket';
import { parseTwilioMessage } from '../../runtime/twilio/twilio-messages';
import { checkTwilioSignature, signedForm } from '../../runtime/twilio/twilio-signature';
import { testWorld } from '../support/test-world';

/** As many inputs as fit into this, however fast the machine is; what fails prints its seed. */
const BUDGET = {
  interruptAfterTimeLimit: 1_000,
  markInterruptAsFailure: false,
  numRuns: Number.MAX_SAFE_INTEGER,
};

function fuzz<T>(arbitrary: fc.Arbitrary<T>, holds: (value: T) => void): void {
  fc.assert(fc.property(arbitrary, holds), BUDGET);
}

const SID = `MZ${'0123456789abcdef'.repeat(2)}`;
const KEYS = ['__proto__', 'constructor', 'toString', 'event', 'type', 'data', 'streamSid', 'length', ''];

/** A message of the protocol in which anything may stand anywhere. */
function message(names: readonly string[], values: readonly unknown[]): fc.Arbitrary<unknown> {
  const { tree } = fc.letrec<{ tree: unknown; leaf: unknown }>((tie) => ({
    leaf: fc.oneof(fc.constantFrom(...values), fc.jsonValue({ maxDepth: 1 }), fc.double(), fc.string()),
    tree: fc.oneof(
      { maxDepth: 4 },
      tie('leaf'),
      fc.array(tie('tree'), { maxLength: 4 }),
      fc.dictionary(fc.constantFrom(...names, ...KEYS), tie('tree'), { maxKeys: 8 }),
    ),
  }));
  return tree;
}

/** Whole messages, messages with some bytes changed, and bytes. */
function wire(trees: fc.Arbitrary<unknown>): fc.Arbitrary<Buffer> {
  const text = trees.map((tree) => Buffer.from(JSON.stringify(tree) ?? ''));
  const changed = fc
    .tuple(text, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }))
    .map(([bytes, changes]) => {
      for (const [at, value] of changes) if (bytes.length > 0) bytes[at % bytes.length] = value;
      return bytes;
    });
  return fc.oneof(text, changed, fc.uint8Array({ maxLength: 200 }).map(Buffer.from));
}

afterEach(() => {
  // Whatever came in, nobody's prototype has it.
  expect(Object.keys(Object.prototype)).toEqual([]);
  expect(({} as Record<string, unknown>)['event']).toBeUndefined();
});

test("Twilio's messages: whatever comes is read or ignored, and what is read fits into keys and buffers", () => {
  const names = [
    'media',
    'start',
    'stop',
    'dtmf',
    'mark',
    'track',
    'timestamp',
    'payload',
    'callSid',
    'accountSid',
  ];
  const values = [
    'media',
    'start',
    'stop',
    'inbound',
    '0',
    '99999999999999999999',
    '-1',
    '////',
    SID,
    null,
    1e308,
  ];
  fuzz(
    fc.tuple(wire(message([...names, 'tracks', 'customParameters'], values)), fc.boolean()),
    ([bytes, isBinary]) => {
      const read = parseTwilioMessage(bytes, isBinary);
      if (read.type === 'start')
        for (const sid of [read.callSid, read.streamSid, read.accountSid])
          expect(sid).toMatch(/^[\w-]{1,64}$/);
      if (read.type === 'media') {
        expect(read.payload.length).toBeGreaterThan(0);
        expect(read.payload.length).toBeLessThan(bytes.length);
        expect(Number.isSafeInteger(read.timestampMs)).toBe(true);
      }
    },
  );
});

test("Gladia's messages and results: whatever comes is read or ignored, and every time is a number", () => {
  const names = [
    'utterance',
    'start',
    'end',
    'text',
    'channel',
    'words',
    'results',
    'id',
    'is_final',
    'acknowledged',
  ];
  const values = [
    'transcript',
    'translation',
    'audio_chunk',
    'stop_recording',
    'done',
    true,
    null,
    -1,
    1e308,
    '0',
    SID,
  ];
  const trees = message(
    [...names, 'result', 'status', 'metadata', 'transcription', 'utterances', 'byte_range'],
    values,
  );
  fuzz(fc.tuple(wire(trees), trees), ([bytes, job]) => {
    const read = parseGladiaMessage(bytes.toString('utf8'));
    if (read.kind === 'heard' && read.event.type === 'transcript') {
      const { startMs, endMs, channel } = read.event.utterance;
      for (const number of [startMs, endMs, channel]) expect(typeof number).toBe('number');
      expect(endMs).toBeGreaterThanOrEqual(startMs);
    }
    try {
      parseGladiaJob(job);
    } catch (error) {
      expect(error).toBeInstanceOf(SpeechError);
    }
  });
});

const TOKEN = '0123456789abcdef0123456789abcdef';
const text = fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme' }));

test('the signature check: takes what was signed, and nothing else', () => {
  const forms: fc.Arbitrary<Record<string, string | string[]>> = fc.dictionary(
    text.filter((name) => name !== '__proto__'),
    fc.oneof(text, fc.array(text, { minLength: 1, maxLength: 3 })),
    { maxKeys: 6 },
  );
  fuzz(fc.tuple(forms, text, fc.nat(27), fc.nat(255), text), ([form, query, at, bits, header]) => {
    const [url = ''] = publicUrlCandidates({
      publicUrl: 'https://a.example',
      path: '/voice',
      kind: 'webhook',
      query,
    });
    const fields = Object.entries(form).flatMap(([name, given]) =>
      [given].flat().map((value): [string, string] => [name, value]),
    );
    const check = (given: string) =>
      checkTwilioSignature({
        header: given,
        tokens: [new Secret(TOKEN)],
        urls: [url],
        form: signedForm(fields),
      }).ok;
    const signature = twilioSignatureOf({ authToken: TOKEN, url, fields: form as FormFields });
    expect(check(signature)).toBe(true);
    const bytes = Buffer.from(signature, 'latin1');
    bytes[at] = (bytes[at] ?? 0) ^ bits;
    expect(check(bytes.toString('latin1'))).toBe(bits === 0);
    expect(check(header)).toBe(header === signature);
  });
});

test('tickets: nothing but a ticket is one, and one with another letter is none', () => {
  const key = new Secret(TOKEN);
  const claims = { callSid: 'CA1', accountSid: 'AC1', id: 'x', expiresAtMs: 1_000 };
  const ticket = signTicket(claims, key);
  const letters = fc.constantFrom(...'ABCxyz019-_.=+/ \u0000\u00e9');
  fuzz(fc.tuple(text, fc.nat(ticket.length - 1), letters), ([other, at, letter]) => {
    expect(readTicket(other, [key])).toBeUndefined();
    const changed = ticket.slice(0, at) + letter + ticket.slice(at + 1);
    expect(readTicket(changed, [key])).toEqual(changed === ticket ? claims : undefined);
  });
});

test('forms and URLs: every request has an answer, and whatever the form says the TwiML is well-formed', async () => {
  const world = await testWorld({ settings: { ALLOW_UNSIGNED_STREAMS: 'true' } });
  const { port, metrics } = world.relay;
  const names = fc.oneof(
    fc.constantFrom('From', 'To', 'Direction', 'CallSid', 'StreamEvent', 'StreamSid'),
    text,
  );
  const form = fc.array(fc.tuple(names, fc.oneof(text, fc.constantFrom(SID, 'stream-error'))), {
    maxLength: 8,
  });
  const body = fc.oneof(
    form.map((fields) => Buffer.from(new URLSearchParams(fields).toString())),
    fc.uint8Array({ maxLength: 300 }).map(Buffer.from),
  );
  const target = fc.tuple(
    fc.constantFrom('/voice', '/stream-status', '/media', '/health', '/', '//voice', '/voice/', '/%2fvoice'),
    fc.oneof(
      fc.constant(''),
      text.map((query) => `?${encodeURIComponent(query)}`),
      fc.webQueryParameters().map((q) => `?${q}`),
    ),
  );
  await fc.assert(
    fc.asyncProperty(target, body, async ([path, query], bytes) => {
      parseStreamStatus(new URLSearchParams(bytes.toString()));
      const answer = await fetch(`http://127.0.0.1:${port}${path}${query}`, { method: 'POST', body: bytes });
      const xml = await answer.text();
      expect([200, 204, 400, 403, 404]).toContain(answer.status);
      if (answer.status !== 200) return;
      const given = new URLSearchParams(bytes.toString()).get('From') ?? '';
      const [start] = parseXml(xml).children;
      const parameters = start?.children[0]?.children.map(({ attributes }) => attributes) ?? [];
      const from = parameters.find(({ name }) => name === 'from')?.['value'];
      if (/^[ -~]{1,400}$/.test(given)) expect(from).toBe(given);
    }),
    { ...BUDGET, interruptAfterTimeLimit: 2_000 },
  );
  expect(metrics.value('requestsRefused', 'failed')).toBe(0);
});
