import { pino } from 'pino';
import { startSecretsManager, type LocalSecretsManager } from '../../local/secrets-manager';
import { Secret } from '../../runtime/model/secret';
import { Credentials, type CredentialsOptions } from '../../runtime/secrets';
import type { TwilioCredentials } from '../../runtime/twilio/twilio-credentials';

const GLADIA = 'arn:aws:secretsmanager:us-east-1:123456789012:secret:gladia-AbCdEf';
const TWILIO = 'callscript/twilio';

let server: LocalSecretsManager;
let log: string[];
let nowMs: number;

beforeEach(async () => {
  server = await startSecretsManager();
  log = [];
  nowMs = 0;
  jest.replaceProperty(process, 'env', {
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: 'local',
    AWS_ENDPOINT_URL_SECRETS_MANAGER: server.endpoint,
    AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
  });
});

afterEach(async () => {
  jest.restoreAllMocks();
  await server.close();
});

function credentials(options: Partial<CredentialsOptions> = {}): Credentials {
  return new Credentials({
    gladia: { secretArn: GLADIA },
    twilio: { authTokens: [], secretArn: TWILIO },
    region: 'us-east-1',
    logger: pino({ base: null }, { write: (line) => void log.push(line) }),
    now: () => nowMs,
    sleep: async (ms) => void (nowMs += ms),
    ...options,
  });
}

const fill = (id: string, fields: object): unknown => server.secrets.set(id, JSON.stringify(fields));
/** Whoever asks for it gets no answer before this is told what that is. */
function holdBack(id: string): (fields: object) => void {
  let answer: (text: string) => void = () => undefined;
  server.secrets.set(id, new Promise((resolve) => (answer = resolve)));
  return (fields) => answer(JSON.stringify(fields));
}
/** Resolves when a secret is being read. */
async function beingRead(): Promise<void> {
  while (server.requests.length === 0) await new Promise((resolve) => setImmediate(resolve));
}
const key = async (from: Credentials): Promise<string | undefined> => (await from.gladiaApiKey())?.reveal();
const shown = (twilio: TwilioCredentials | undefined) =>
  twilio && {
    ...twilio,
    authTokens: twilio.authTokens.map((token) => token.reveal()),
    apiKey: twilio.apiKey && [twilio.apiKey.sid, twilio.apiKey.secret.reveal()],
  };

describe('keys of the environment', () => {
  it('are given as they are, and nobody is asked', async () => {
    const local = credentials({
      gladia: { apiKey: new Secret('g') },
      twilio: {
        accountSid: 'AC1',
        authTokens: [new Secret('a'), new Secret('b')],
        apiKey: { sid: 'SK1', secret: new Secret('s') },
      },
    });
    expect(await key(local)).toBe('g');
    expect(shown(await local.twilio())).toEqual({
      accountSid: 'AC1',
      authTokens: ['a', 'b'],
      apiKey: ['SK1', 's'],
    });
    expect(server.requests).toEqual([]);
  });

  it('are nothing when none is set', async () => {
    const local = credentials({ gladia: {}, twilio: { authTokens: [] } });
    expect([await key(local), await local.twilio()]).toEqual([undefined, undefined]);
    expect([await local.refreshGladiaApiKey(), await local.refreshTwilio()]).toEqual([undefined, undefined]);
    expect(nowMs).toBe(0);
    expect(log).toEqual([]);
  });

  it('are not used where there is a secret, filled or not', async () => {
    fill(TWILIO, { authToken: 'from-secret' });
    const both = credentials({
      gladia: { apiKey: new Secret('g'), secretArn: GLADIA },
      twilio: { accountSid: 'AC1', authTokens: [new Secret('a')], secretArn: TWILIO },
    });
    expect(await key(both)).toBeUndefined();
    expect(shown(await both.twilio())).toEqual({ authTokens: ['from-secret'], apiKey: undefined });
  });
});

describe('a filled secret', () => {
  it('gives the Gladia key, and is read once for many', async () => {
    fill(GLADIA, { apiKey: ' key ' });
    const aws = credentials();
    expect(await Promise.all([key(aws), key(aws), key(aws)])).toEqual(['key', 'key', 'key']);
    nowMs = 299_999;
    expect(await key(aws)).toBe('key');
    expect(server.requests).toEqual([GLADIA]);
  });

  it.each([
    [{ authToken: 'a' }, { authTokens: ['a'], apiKey: undefined }],
    [
      { accountSid: 'AC1', authToken: 'a', otherAuthTokens: 'b, c,' },
      { accountSid: 'AC1', authTokens: ['a', 'b', 'c'], apiKey: undefined },
    ],
    [
      { authToken: 'a', otherAuthTokens: ['b', '', 7] },
      { authTokens: ['a', 'b'], apiKey: undefined },
    ],
    [
      { authToken: 'a', apiKeySid: 'SK1', apiKeySecret: 's' },
      { authTokens: ['a'], apiKey: ['SK1', 's'] },
    ],
    [
      { authToken: 'a', apiKeySid: 'SK1', apiKeySecret: '' },
      { authTokens: ['a'], apiKey: undefined },
    ],
  ])('with %j gives %j', async (fields, expected) => {
    fill(TWILIO, fields);
    expect(shown(await credentials().twilio())).toEqual(expected);
  });

  it('that was rotated is used from the next reading on', async () => {
    fill(GLADIA, { apiKey: 'old' });
    const aws = credentials();
    expect(await key(aws)).toBe('old');
    fill(GLADIA, { apiKey: 'new' });
    nowMs = 300_000;
    expect(await key(aws)).toBe('new');
  });

  it('that was rotated is used at once after a refusal', async () => {
    fill(GLADIA, { apiKey: 'old' });
    const aws = credentials();
    await key(aws);
    fill(GLADIA, { apiKey: 'new' });
    nowMs = 1_000;
    expect((await aws.refreshGladiaApiKey())?.reveal()).toBe('new');
    expect(nowMs).toBe(1_000);
    expect(await key(aws)).toBe('new');
  });

  it('that was just read is read again after a refusal, and after the next one a second later', async () => {
    fill(GLADIA, { apiKey: 'old' });
    const aws = credentials();
    await key(aws);
    fill(GLADIA, { apiKey: 'new' });
    nowMs = 1;
    expect((await aws.refreshGladiaApiKey())?.reveal()).toBe('new');
    expect(nowMs).toBe(1);
    await aws.refreshGladiaApiKey();
    expect(nowMs).toBe(1_001);
  });

  it('is read once for a crowd of refusals', async () => {
    fill(GLADIA, { apiKey: 'old' });
    const aws = credentials();
    await key(aws);
    const refused = Array.from({ length: 10 }, () => aws.refreshGladiaApiKey());
    expect((await Promise.all(refused)).map((each) => each?.reveal())).toEqual(Array(10).fill('old'));
    expect(server.requests.length).toBe(2);
  });

  it('that was rotated while it was being read is read again after a refusal', async () => {
    const answer = holdBack(GLADIA);
    const aws = credentials();
    const under = key(aws);
    await beingRead();
    const refused = aws.refreshGladiaApiKey();
    fill(GLADIA, { apiKey: 'new' });
    answer({ apiKey: 'old' });
    expect(await under).toBe('old');
    expect((await refused)?.reveal()).toBe('new');
  });

  it('is read again for Twilio as well', async () => {
    fill(TWILIO, { authToken: 'old' });
    const aws = credentials();
    await aws.twilio();
    fill(TWILIO, { authToken: 'new' });
    nowMs = 10_000;
    expect(shown(await aws.refreshTwilio())?.authTokens).toEqual(['new']);
  });
});

describe('a secret that is not filled', () => {
  it.each([
    ['no version', undefined],
    ['no text', ''],
    ['text that is no JSON', 'key'],
    ['JSON that is no object', '"key"'],
    ['null', 'null'],
    ['an empty object', '{}'],
    ['an empty field', '{"apiKey":" "}'],
    ['a field that is no text', '{"apiKey":7}'],
    ['a key with a line break in it', '{"apiKey":"first\\nsecond"}'],
  ])('because it has %s gives nothing, and the log says how to fill it', async (_what, text) => {
    if (text !== undefined) server.secrets.set(GLADIA, text);
    expect(await key(credentials())).toBeUndefined();
    expect(log.length).toBe(1);
    expect(JSON.parse(log[0]!)).toMatchObject({
      msg: 'Secret is not filled',
      setting: 'GLADIA_SECRET_ARN',
      secret: GLADIA,
      command: `aws secretsmanager put-secret-value --region us-east-1 --secret-id ${GLADIA} --secret-string '{"apiKey":"YOUR_GLADIA_KEY"}'`,
    });
  });

  it('is Twilio without an auth token, whatever else is there', async () => {
    fill(TWILIO, {
      accountSid: 'AC1',
      authToken: '',
      otherAuthTokens: 'b',
      apiKeySid: 'SK1',
      apiKeySecret: 's3cret',
    });
    expect(await credentials().twilio()).toBeUndefined();
    expect(log.join()).toContain('"authToken\\":\\"YOUR_AUTH_TOKEN');
    expect(log.join()).not.toContain('s3cret');
  });

  it('is looked at every ten seconds, said once, and taken when it is filled', async () => {
    const aws = credentials();
    for (nowMs = 0; nowMs < 30_000; nowMs += 5_000) expect(await key(aws)).toBeUndefined();
    expect(server.requests.length).toBe(3);
    expect(log.length).toBe(1);
    fill(GLADIA, { apiKey: 'key' });
    expect(await key(aws)).toBe('key');
    expect(log.join()).not.toContain('"key"');
  });

  it('ends the use of the value before: that is what emptying it means', async () => {
    fill(GLADIA, { apiKey: 'key' });
    const aws = credentials();
    await key(aws);
    fill(GLADIA, { apiKey: '' });
    nowMs = 300_000;
    expect(await key(aws)).toBeUndefined();
  });
});

describe('a secret that cannot be read', () => {
  const DENIED = { error: 'AccessDeniedException', status: 400 };

  it('gives nothing, says why once, and is tried again after ten seconds', async () => {
    server.secrets.set(GLADIA, DENIED);
    const aws = credentials();
    expect(await key(aws)).toBeUndefined();
    nowMs = 9_999;
    expect(await key(aws)).toBeUndefined();
    expect(server.requests.length).toBe(1);
    nowMs = 10_000;
    expect(await key(aws)).toBeUndefined();
    expect(log.length).toBe(1);
    expect(JSON.parse(log[0]!)).toMatchObject({
      msg: 'Secret cannot be read',
      reason: 'AccessDeniedException',
      secret: GLADIA,
    });
    fill(GLADIA, { apiKey: 'key' });
    nowMs = 20_000;
    expect(await key(aws)).toBe('key');
  });

  it('keeps the value it had', async () => {
    fill(GLADIA, { apiKey: 'key' });
    const aws = credentials();
    await key(aws);
    server.secrets.set(GLADIA, DENIED);
    nowMs = 300_000;
    expect(await key(aws)).toBe('key');
    nowMs = 310_000;
    expect((await aws.refreshGladiaApiKey())?.reveal()).toBe('key');
  });

  it('is read at the usual pace again after it could be read', async () => {
    fill(GLADIA, { apiKey: 'key' });
    const aws = credentials();
    await key(aws);
    server.secrets.set(GLADIA, DENIED);
    nowMs = 300_000;
    await key(aws);
    fill(GLADIA, { apiKey: 'new' });
    nowMs = 310_000;
    expect((await aws.refreshGladiaApiKey())?.reveal()).toBe('new');
    nowMs = 600_000;
    expect(await key(aws)).toBe('new');
    // Asks for something else, so that a reading nobody waited for would have arrived.
    await aws.twilio();
    expect(server.requests.filter((id) => id === GLADIA).length).toBe(3);
  });

  it('lets nobody wait for the next try while there is a value', async () => {
    fill(GLADIA, { apiKey: 'key' });
    const aws = credentials({ timing: { timeoutMs: 60_000 } });
    await key(aws);
    server.secrets.set(GLADIA, DENIED);
    nowMs = 300_000;
    await key(aws);
    server.secrets.set(GLADIA, 'silence');
    nowMs = 310_000;
    expect(await key(aws)).toBe('key');
  });

  it('because nobody answers is given up in time', async () => {
    server.secrets.set(GLADIA, 'silence');
    expect(await key(credentials({ timing: { timeoutMs: 30 } }))).toBeUndefined();
    expect(JSON.parse(log[0]!)).toMatchObject({ msg: 'Secret cannot be read' });
  });

  it('does not hold up the other secret', async () => {
    const answer = holdBack(GLADIA);
    fill(TWILIO, { authToken: 'a' });
    const aws = credentials({ timing: { timeoutMs: 60_000 } });
    const slow = key(aws);
    expect(shown(await aws.twilio())?.authTokens).toEqual(['a']);
    answer({ apiKey: 'key' });
    expect(await slow).toBe('key');
  });
});
