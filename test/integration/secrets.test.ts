import { startSecretsManager, type LocalSecretsManager } from '../../local/secrets-manager';
import { startTwilioApi, type TwilioApi } from '../../local/twilio/twilio-api';
import type { Call } from '../../local/twilio/twilio-caller';
import { SECRET_TIMING } from '../../runtime/secrets';
import { patternedAudio } from '../support/audio';
import { recordLog } from '../support/recorded-log';
import { ledgerOf, testWorld, type TestWorld } from '../support/test-world';

const GLADIA = 'arn:aws:secretsmanager:us-east-1:123456789012:secret:gladia-AbCdEf';
const TWILIO = 'arn:aws:secretsmanager:us-east-1:123456789012:secret:twilio-AbCdEf';
const FILL = 'aws secretsmanager put-secret-value --region us-east-1 --secret-id';
const WORDS = 'It is in the transcript.';
const SCRIPT = { channels: [[{ startMs: 100, endMs: 700, text: WORDS }]] };
const AUDIO = patternedAudio(800, 7);
const NOT_READY = 'The next call would not be transcribed';

let aws: LocalSecretsManager;
let twilioApi: TwilioApi;
let calls: Call[];
/** The keys that Gladia knows now. */
let gladiaKeys: string[];

beforeEach(async () => {
  calls = [];
  gladiaKeys = ['first-gladia-key'];
  aws = await startSecretsManager();
  twilioApi = await startTwilioApi({ username: 'SK1', password: 'rest-secret', calls: () => calls });
  // The SDK reads them by itself, as it does in a task.
  jest.replaceProperty(process, 'env', {
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: 'local',
    AWS_ENDPOINT_URL_SECRETS_MANAGER: aws.endpoint,
    AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
  });
});

afterEach(async () => {
  jest.restoreAllMocks();
  await Promise.all([aws.close(), twilioApi.close()]);
});

async function awsWorld() {
  const { logger, lines } = recordLog();
  const world = await testWorld({
    script: () => SCRIPT,
    gladia: { apiKeys: gladiaKeys },
    logger,
    settings: {
      GLADIA_SECRET_ARN: GLADIA,
      TWILIO_SECRET_ARN: TWILIO,
      GLADIA_API_KEY: '',
      TWILIO_AUTH_TOKEN: '',
      TWILIO_API_URL: twilioApi.url,
    },
    // The gap between readings because of refusals is the real one: that they are seen in spite of it is the point.
    timing: { readinessIntervalMs: 10, secrets: { ...SECRET_TIMING, retryMs: 10 } },
  });
  return { world, lines };
}

const fillGladia = (apiKey: string): void => void aws.secrets.set(GLADIA, JSON.stringify({ apiKey }));

function fillTwilio({ accountSid }: TestWorld, authToken: string, otherAuthTokens: string[] = []): void {
  const api = { apiKeySid: 'SK1', apiKeySecret: 'rest-secret' };
  aws.secrets.set(TWILIO, JSON.stringify({ accountSid, authToken, otherAuthTokens, ...api }));
}

function callWith(world: TestWorld, authToken: string): Call {
  const call = world.callOneTrack(AUDIO, { authToken });
  calls.push(call);
  return call;
}

async function expectTranscribed(world: TestWorld, call: Call): Promise<void> {
  const summary = await world.sink.summary(call.callSid);
  const { receivedMs, acceptedMs, lateMs } = ledgerOf(summary);
  expect([acceptedMs + lateMs, receivedMs]).toEqual([800, 800]);
  expect(world.sink.segments(call.callSid)).toMatchObject([{ text: WORDS }]);
}

/** Both filled, and a first call with the first of each key. */
async function worldInUse() {
  const found = await awsWorld();
  fillGladia('first-gladia-key');
  fillTwilio(found.world, 'first-token');
  await ready(found.world);
  await expectTranscribed(found.world, callWith(found.world, 'first-token'));
  return found;
}

/** Resolves when `/ready` says so. */
async function ready({ relay }: TestWorld): Promise<void> {
  while ((await fetch(`http://127.0.0.1:${relay.adminPort}/ready`)).status !== 200);
}

test('with empty secrets the relay is healthy, tells three ways what is missing, and refuses calls with the reason', async () => {
  const { world, lines } = await awsWorld();
  const { relay } = world;
  expect((await fetch(`http://127.0.0.1:${relay.port}/health`)).status).toBe(200);

  const answer = await fetch(`http://127.0.0.1:${relay.adminPort}/ready`);
  expect(answer.status).toBe(503);
  const reasons = [
    { reason: 'no-gladia-key', fix: expect.stringContaining(`${FILL} ${GLADIA}`) },
    { reason: 'no-twilio-token', fix: expect.stringContaining(`${FILL} ${TWILIO}`) },
  ];
  expect(await answer.json()).toEqual({ ready: false, reasons });
  expect(lines.filter(({ msg }) => msg === NOT_READY)).toMatchObject(reasons);
  const metrics = await (await fetch(`http://127.0.0.1:${relay.adminPort}/metrics`)).text();
  expect(metrics).toContain('callscript_unready{reason="no-gladia-key"} 1\n');
  expect(metrics).toContain('callscript_unready{reason="no-twilio-token"} 1\n');
  expect(metrics).toContain('callscript_unready{reason="store-unreachable"} 0\n');

  const call = callWith(world, 'first-token');
  expect(await call.done).toMatchObject({ end: 'refused' });
  expect(call.events.seen).toContainEqual({ type: 'refused', code: 31920, status: 403 });
  expect(relay.metrics.value('requestsRefused', 'no-credentials')).toBe(1);
  expect(lines).toContainEqual(
    expect.objectContaining({
      reason: 'no-credentials',
      msg: expect.stringContaining('fill the secret of TWILIO_SECRET_ARN'),
    }),
  );
});

test('secrets that are filled are used without a restart, and the log says that nothing is missing any more', async () => {
  const { world, lines } = await awsWorld();
  const refused = callWith(world, 'first-token');
  await refused.done;
  fillGladia('first-gladia-key');
  fillTwilio(world, 'first-token');
  await ready(world);
  await expectTranscribed(world, callWith(world, 'first-token'));
  // In either order: both were filled while the relay was looking.
  const mended = lines.filter(({ msg }) => msg === 'This is mended').map(({ reason }) => reason);
  expect(mended.toSorted()).toEqual(['no-gladia-key', 'no-twilio-token']);
  expect(world.relay.metrics.value('unready')).toBe(0);
  const said = JSON.stringify(lines);
  for (const secret of ['first-gladia-key', 'first-token', 'rest-secret']) expect(said).not.toContain(secret);
});

test('a call that comes before the Gladia key is kept, and transcribed whole once the key is there', async () => {
  const { world } = await awsWorld();
  fillTwilio(world, 'first-token');
  const { gladia, relay } = world;
  await waitUntil(() => relay.metrics.value('unready', 'no-twilio-token') === 0);
  const call = callWith(world, 'first-token');
  await waitUntil(() => relay.metrics.value('sessionRequestsFailed', 'no-key') > 0);
  expect(gladia.sessions).toHaveLength(0);
  fillGladia('first-gladia-key');
  await expectTranscribed(world, call);
});

test('a rotated Twilio token is used by the first call signed with it, however fresh the last reading is', async () => {
  const { world } = await worldInUse();
  fillTwilio(world, 'second-token');
  await expectTranscribed(world, callWith(world, 'second-token'));
  const old = callWith(world, 'first-token');
  expect(await old.done).toMatchObject({ end: 'refused' });
  expect(world.relay.metrics.value('requestsRefused', 'bad-signature')).toBe(1);
});

test('while the next Twilio token is among otherAuthTokens, calls signed with either are taken', async () => {
  const { world } = await worldInUse();
  fillTwilio(world, 'first-token', ['second-token']);
  await expectTranscribed(world, callWith(world, 'second-token'));
  await expectTranscribed(world, callWith(world, 'first-token'));
  fillTwilio(world, 'second-token', ['first-token']);
  await expectTranscribed(world, callWith(world, 'first-token'));
  await expectTranscribed(world, callWith(world, 'second-token'));
  expect(world.relay.metrics.value('requestsRefused')).toBe(0);
});

test('a rotated Gladia key is used by the first call that the old one is refused for', async () => {
  const { world } = await worldInUse();
  gladiaKeys.splice(0, 1, 'second-gladia-key');
  fillGladia('second-gladia-key');
  await expectTranscribed(world, callWith(world, 'first-token'));
  expect(world.gladia.requests.some(({ status }) => status === 401)).toBe(true);
  expect(world.relay.metrics.value('callsFailed')).toBe(0);
});

test('a key that Gladia refuses costs the call, and the next one has the key that was filled since', async () => {
  const { world } = await worldInUse();
  gladiaKeys.splice(0, 1, 'second-gladia-key');
  const failed = callWith(world, 'first-token');
  const { failure } = await world.sink.summary(failed.callSid);
  expect(failure).toBe('http-401');
  fillGladia('second-gladia-key');
  await expectTranscribed(world, callWith(world, 'first-token'));
  expect(world.relay.metrics.value('callsFailed', 'http-401')).toBe(1);
});

async function waitUntil(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await new Promise((resolve) => setTimeout(resolve, 5));
}
