import { errorFields } from '../../../runtime/observability/error-fields';
import { SpeechError } from '../../../runtime/speech/speech-provider';
import { CallStoreError } from '../../../runtime/store/call-store-error';
import { TwilioRestError } from '../../../runtime/twilio/twilio-rest';

const SAID = 'my card is 4000';

function thrownBy(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  throw new Error('it threw nothing');
}

test.each([
  new CallStoreError('The lease could not be renewed', new Error(SAID)),
  new SpeechError('Gladia cannot be reached', {
    code: 'unreachable',
    retryable: true,
    cause: new Error(SAID),
  }),
  new TwilioRestError('network', { cause: new Error(SAID) }),
])('an error of ours keeps its message and loses that of its cause: $name', (error) => {
  const fields = errorFields(error);
  expect(fields).toMatchObject({ type: error.name, message: error.message, cause: { type: 'Error' } });
  expect(JSON.stringify(fields)).not.toContain(SAID);
  expect(fields.stack).toMatch(/^at .*error-fields\.test/);
});

test.each([
  ['JSON.parse', 'SyntaxError', () => JSON.parse(SAID) as unknown],
  ['an invalid URL', 'TypeError', () => new URL(SAID)],
  ['a wrong argument of Node', 'TypeError', () => Buffer.from({ [SAID]: SAID } as unknown as string)],
])('%s is told by type and place only', (_, type, action) => {
  const fields = errorFields(thrownBy(action));
  expect(fields).toMatchObject({ type, stack: expect.stringContaining('error-fields.test') as string });
  expect(fields.message).toBeUndefined();
  expect(JSON.stringify(fields)).not.toContain('card');
});

test('a mistake in our code tells what it was', () => {
  const nothing = undefined as unknown as { leg: string };
  const { message } = errorFields(thrownBy(() => nothing.leg));
  expect(message).toContain("reading 'leg'");
});

test.each([
  [
    'fields that a library hangs on it',
    Object.assign(new Error(SAID), { input: SAID, $response: { body: SAID } }),
  ],
  ['a name that is none', Object.assign(new Error('x'), { name: SAID })],
  ['a code that is none', Object.assign(new Error('x'), { code: SAID })],
  ['a message that looks like a frame', new Error(`x\n    at ${SAID} (a:1:1)`)],
  ['a text that was thrown', SAID],
  ['an object that was thrown', { message: SAID }],
  ['a cause in a cause', new Error('x', { cause: new Error('y', { cause: new Error(SAID) }) })],
])('says nothing of %s', (_, thrown) => {
  expect(JSON.stringify(errorFields(thrown))).not.toContain('card');
});

test('an error that is its own cause ends', () => {
  const error = new Error('x');
  error.cause = error;
  expect(JSON.stringify(errorFields(error)).length).toBeLessThan(20_000);
});
