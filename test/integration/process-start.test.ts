import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { SETTINGS } from '../../runtime/contract/settings';
import { emptyDirectory, RelayProcess } from '../support/relay-process';

const PORTS = { HTTP_PORT: '0', ADMIN_PORT: '0' };
const NOT_READY = 'The next call would not be transcribed';
const CANARY = 'canary-0123456789';

async function takenPort(): Promise<{ port: number; free: () => void }> {
  const server = createServer().listen(0, '0.0.0.0');
  await once(server, 'listening');
  return { port: (server.address() as AddressInfo).port, free: () => server.close() };
}

test('wrong settings end the start with every name, the allowed values and no value', async () => {
  const wrong = {
    HTTP_PORT: CANARY,
    ADMIN_PORT: '70000',
    PUBLIC_URL: `https://user:${CANARY}@relay.example.com`,
    TWILIO_ACCOUNT_SID: CANARY,
    ALLOW_UNSIGNED_STREAMS: 'maybe',
    DIAL_NUMBER: CANARY,
    TWILIO_API_KEY_SECRET: CANARY,
    GLADIA_REGION: CANARY,
    GLADIA_SESSION_OPTIONS: `{"diarization":"${CANARY}"}`,
    TRACKS: CANARY,
    AUDIO_CHUNK_MS: '10',
    MAX_CALLS: '0',
    DRAIN_TIMEOUT_MS: '999999',
    LOG_LEVEL: CANARY,
  };
  const relay = new RelayProcess({ environment: wrong });
  expect(await relay.exited).toBe(2);
  for (const name of Object.keys(wrong)) expect(relay.stderr).toContain(name);
  expect(relay.stderr).toContain('TRACKS: is a text of 17 characters; allowed: both or inbound');
  expect(relay.stderr).toContain('TRACKS=both keeps the two sides of a call apart');
  expect(relay.stderr + relay.stdout).not.toContain(CANARY);
  expect(relay.stdout).toBe('');
});

test.each(['HTTP_PORT', 'ADMIN_PORT'])('a port in use ends the start and names %s', async (name) => {
  const { port, free } = await takenPort();
  const relay = new RelayProcess({ environment: { ...PORTS, [name]: String(port) } });
  expect(await relay.exited).toBe(1);
  expect(relay.stderr).toContain(`${name}: port ${port} is in use`);
  free();
});

describe('a .env file', () => {
  function directoryWith(text: string): string {
    const directory = emptyDirectory();
    writeFileSync(join(directory, '.env'), text);
    return directory;
  }

  test('is read outside of production', async () => {
    const directory = directoryWith(`MAX_CALLS=${CANARY}\n`);
    const relay = new RelayProcess({ environment: PORTS, directory });
    expect(await relay.exited).toBe(2);
    expect(relay.stderr).toContain('MAX_CALLS');
  });

  test('is not read in production', async () => {
    const directory = directoryWith(`MAX_CALLS=${CANARY}\n`);
    const relay = new RelayProcess({ environment: { ...PORTS, NODE_ENV: 'production' }, directory });
    await relay.started();
  });

  test('does not win over the environment', async () => {
    const directory = directoryWith(`MAX_CALLS=${CANARY}\n`);
    const relay = new RelayProcess({ environment: { ...PORTS, MAX_CALLS: '7' }, directory });
    await relay.started();
  });
});

test('secrets of the environment are in no report that Node writes, and in no command line', async () => {
  const secrets = Object.entries(SETTINGS).filter(([, { secret }]) => secret === true);
  const directory = emptyDirectory();
  const relay = new RelayProcess({
    environment: {
      ...PORTS,
      ...Object.fromEntries(secrets.map(([name]) => [name, `${CANARY}-${'x'.repeat(32)}`])),
      TWILIO_API_KEY_SID: `SK${'0'.repeat(32)}`,
      PUBLIC_URL: 'https://relay.example.com',
      NODE_OPTIONS: `--report-on-signal --report-directory=${directory} --report-filename=report.json`,
    },
    directory,
  });
  await relay.started();
  relay.signal('SIGUSR2');
  await relay.heard(() => relay.stderr.includes('report completed'));
  const report = readFileSync(join(directory, 'report.json'), 'utf8');
  expect(report).toContain('"PUBLIC_URL": "https://relay.example.com"');
  expect(report).not.toContain(CANARY);
  expect(relay.stdout + relay.stderr).not.toContain(CANARY);
  expect(secrets.map(([name]) => name)).toContain('TICKET_KEY');
});

test('ALLOW_UNSIGNED_STREAMS=true warns, and nothing warns without it', async () => {
  const unsigned = new RelayProcess({ environment: { ...PORTS, ALLOW_UNSIGNED_STREAMS: 'true' } });
  const warning = (relay: RelayProcess) =>
    relay.lines.find(({ msg }) => /ALLOW_UNSIGNED_STREAMS/.test(String(msg)));
  await unsigned.logged(
    'ALLOW_UNSIGNED_STREAMS=true: anybody who reaches this port can stream audio at your cost',
  );
  expect(warning(unsigned)).toMatchObject({ level: 40 });
  const signed = new RelayProcess({ environment: PORTS });
  await signed.started();
  signed.signal('SIGTERM');
  await signed.exited;
  expect(warning(signed)).toBeUndefined();
});

test('a relay without keys starts, is healthy and says on /ready what is missing', async () => {
  const relay = new RelayProcess({
    environment: { ...PORTS, AWS_ENDPOINT_URL_DYNAMODB: 'http://127.0.0.1:9' },
  });
  const { port, adminPort } = await relay.started();
  expect((await fetch(`http://127.0.0.1:${port}/health`)).status).toBe(200);
  const ready = await fetch(`http://127.0.0.1:${adminPort}/ready`);
  expect(ready.status).toBe(503);
  expect(await ready.json()).toMatchObject({
    reasons: [
      { reason: 'no-gladia-key', fix: 'set GLADIA_API_KEY' },
      { reason: 'no-twilio-token', fix: 'set TWILIO_AUTH_TOKEN' },
      { reason: 'no-public-url', fix: expect.stringContaining('PUBLIC_URL') },
      {
        reason: 'store-unreachable',
        fix: expect.stringContaining('http://127.0.0.1:9; on a laptop: npm run'),
      },
    ],
  });
});

test('what is missing is a warning each at the start, with what mends it', async () => {
  const relay = new RelayProcess({
    environment: { ...PORTS, AWS_ENDPOINT_URL_DYNAMODB: 'http://127.0.0.1:9' },
  });
  const missing = () => relay.lines.filter(({ msg }) => msg === NOT_READY);
  await relay.heard(() => missing().length === 4);
  expect(missing()).toMatchObject(
    ['no-gladia-key', 'no-twilio-token', 'no-public-url', 'store-unreachable'].map((reason) => ({
      level: 40,
      reason,
      fix: expect.stringMatching(/./),
    })),
  );
});

test('a PUBLIC_URL that Twilio does not stream to is a warning', async () => {
  const relay = new RelayProcess({ environment: { ...PORTS, PUBLIC_URL: 'http://relay.example.com' } });
  await relay.logged(
    'PUBLIC_URL is an http URL: Twilio streams to wss only, so no call reaches the relay. Set an https URL.',
  );
});

test('the reader of the output goes, and the relay stays and ends as it should', async () => {
  const relay = new RelayProcess({ environment: { ...PORTS, CONSOLE_TRANSCRIPTS: 'on' } });
  // Before the notes for people are written.
  relay.stopListening();
  await relay.heard(() => relay.stderr.includes(NOT_READY));
  const port = Number(/"port":(\d+)/.exec(relay.stderr)![1]);
  expect((await fetch(`http://127.0.0.1:${port}/health`)).status).toBe(200);
  relay.signal('SIGTERM');
  expect(await relay.exited).toBe(0);
});
