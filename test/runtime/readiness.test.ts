import { loadConfig, type Environment } from '../../runtime/config';
import { Readiness } from '../../runtime/readiness';
import { Credentials } from '../../runtime/secrets';
import { recordLog } from '../support/recorded-log';

const COMPLETE = {
  PUBLIC_URL: 'https://relay.example.com',
  TWILIO_AUTH_TOKEN: 'token',
  GLADIA_API_KEY: 'key',
};

function readiness(
  settings: Environment,
  {
    isDraining = false,
    probe = () => Promise.resolve(),
  }: { isDraining?: boolean; probe?: () => Promise<void> } = {},
): Readiness {
  const config = loadConfig(settings);
  const { twilio, gladia, store } = config;
  const { logger } = recordLog();
  const credentials = new Credentials({ twilio, gladia, region: store.region, logger });
  return new Readiness({ credentials, config, store: { probe }, isDraining: () => isDraining });
}

test('has no reason when keys and store are there', async () => {
  expect(await readiness(COMPLETE).unreadyReasons()).toEqual([]);
});

test('names each missing key with the setting that brings it', async () => {
  const reasons = await readiness({}).unreadyReasons();
  expect(reasons).toEqual([
    { reason: 'no-gladia-key', fix: 'set GLADIA_API_KEY' },
    { reason: 'no-twilio-token', fix: 'set TWILIO_AUTH_TOKEN' },
    { reason: 'no-public-url', fix: expect.stringMatching(/^set PUBLIC_URL .* a tunnel to port 5000$/) },
  ]);
});

test('names the command that fills a secret', async () => {
  // Nobody answers there: the secret cannot be read.
  jest.replaceProperty(process, 'env', {
    AWS_ENDPOINT_URL_SECRETS_MANAGER: 'http://127.0.0.1:9',
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: 'local',
    AWS_MAX_ATTEMPTS: '1',
  });
  const reasons = await readiness({ ...COMPLETE, GLADIA_SECRET_ARN: 'callscript/gladia' }).unreadyReasons();
  jest.restoreAllMocks();
  expect(reasons).toEqual([
    {
      reason: 'no-gladia-key',
      fix: expect.stringContaining(
        'aws secretsmanager put-secret-value --region us-east-1 --secret-id callscript/gladia',
      ),
    },
  ]);
});

test('asks for no Twilio token where unsigned streams are allowed', async () => {
  const settings = { GLADIA_API_KEY: 'key', ALLOW_UNSIGNED_STREAMS: 'true' };
  expect(await readiness(settings).unreadyReasons()).toEqual([]);
});

test('passes on what the store says to do', async () => {
  const probe = () => Promise.reject(new Error('The table cannot be read: check TRANSCRIPTS_TABLE'));
  expect(await readiness(COMPLETE, { probe }).unreadyReasons()).toEqual([
    { reason: 'store-unreachable', fix: 'The table cannot be read: check TRANSCRIPTS_TABLE' },
  ]);
});

test('names the address where no store answers, and the command that starts one', async () => {
  const probe = () => Promise.reject(new Error('read', { cause: new Error('connect ECONNREFUSED') }));
  const settings = { ...COMPLETE, AWS_ENDPOINT_URL_DYNAMODB: 'http://127.0.0.1:8000' };
  expect(await readiness(settings, { probe }).unreadyReasons()).toEqual([
    {
      reason: 'store-unreachable',
      fix: 'nothing answers at http://127.0.0.1:8000; on a laptop: npm run store',
    },
  ]);
});

test('passes on what a store that answers says', async () => {
  const cause = Object.assign(new Error('no table'), { $metadata: { httpStatusCode: 400 } });
  const probe = () => Promise.reject(new Error('The table cannot be read', { cause }));
  const settings = { ...COMPLETE, AWS_ENDPOINT_URL_DYNAMODB: 'http://127.0.0.1:8000' };
  expect(await readiness(settings, { probe }).unreadyReasons()).toEqual([
    { reason: 'store-unreachable', fix: 'The table cannot be read' },
  ]);
});

test('offers a store on the laptop where there are no AWS credentials', async () => {
  const cause = Object.assign(new Error('none'), { name: 'CredentialsProviderError' });
  const probe = () => Promise.reject(new Error('no AWS credentials were found', { cause }));
  expect(await readiness(COMPLETE, { probe }).unreadyReasons()).toEqual([
    {
      reason: 'store-unreachable',
      fix: 'no AWS credentials were found; on a laptop: npm run store',
    },
  ]);
});

test('says that the process is shutting down, before everything else', async () => {
  const reasons = await readiness({ GLADIA_API_KEY: 'key' }, { isDraining: true }).unreadyReasons();
  expect(reasons.map(({ reason }) => reason)).toEqual(['draining', 'no-twilio-token', 'no-public-url']);
});
