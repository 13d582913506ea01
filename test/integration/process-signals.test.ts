import { LOCAL_TABLE, startEmbeddedDynamoDb, type EmbeddedDynamoDb } from '../../local/embedded-dynamodb';
import { startGladiaServer, type GladiaServer } from '../../local/gladia/gladia-server';
import { createScriptedRecogniser } from '../../local/gladia/scripted-recogniser';
import { randomSid } from '../../local/twilio/random-sids';
import { placeCall, type Call } from '../../local/twilio/twilio-caller';
import { CallReader } from '../../runtime/store/call-reader';
import { createDocumentClient } from '../../runtime/store/dynamodb-client';
import { patternedAudio } from '../support/audio';
import { RelayProcess } from '../support/relay-process';

/** Nothing of these may be in what the process says. */
const CANARY = {
  words: 'Canary-words-about-a-secret-recipe.',
  from: '+15005559911',
  to: '+15005559922',
  authToken: 'canary-auth-token-0123456789',
  gladiaKey: 'canary-gladia-key-0123456789',
  vocabulary: 'canary-vocabulary',
};
const AUDIO = patternedAudio(1_600, 101);

let gladia: GladiaServer;
let store: EmbeddedDynamoDb;
let accountSid: string;

beforeEach(async () => {
  accountSid = randomSid('AC');
  store = await startEmbeddedDynamoDb();
  gladia = await startGladiaServer({
    apiKeys: [CANARY.gladiaKey],
    limits: { processingMs: 10 },
    recogniser: createScriptedRecogniser(() => ({
      channels: [[{ startMs: 1_000, endMs: 1_590, text: CANARY.words }]],
    })),
  });
});

afterEach(async () => {
  await gladia.close();
  await store.close();
});

function startRelay(environment: Readonly<Record<string, string>> = {}): RelayProcess {
  return new RelayProcess({
    environment: {
      HTTP_PORT: '0',
      ADMIN_PORT: '0',
      PUBLIC_URL: 'https://relay.callscript.example',
      TWILIO_ACCOUNT_SID: accountSid,
      TWILIO_AUTH_TOKEN: CANARY.authToken,
      VOICE_TWIML: '<Pause length="60"/>',
      GLADIA_API_KEY: CANARY.gladiaKey,
      GLADIA_API_URL: gladia.url,
      TRANSCRIPTS_TABLE: LOCAL_TABLE,
      AWS_ENDPOINT_URL_DYNAMODB: store.endpoint,
      LOG_LEVEL: 'debug',
      ...environment,
    },
  });
}

/** A call that has said what it says, and stays on the line. */
async function liveCall(port: number): Promise<Call> {
  const call = placeCall({
    dial: { host: '127.0.0.1', port },
    authToken: CANARY.authToken,
    accountSid,
    from: CANARY.from,
    to: CANARY.to,
    stream: {
      url: 'wss://relay.callscript.example/media',
      tracks: ['inbound'],
      parameters: { from: CANARY.from, to: CANARY.to, direction: 'inbound', vocabulary: CANARY.vocabulary },
    },
    audio: { inbound: AUDIO },
    paceFactor: 4,
    behaviour: { end: 'never' },
  });
  // What a cut makes Gladia accept twice counts twice there: the caller must have said all, too.
  await gladia.waitFor(
    ({ sessions }) =>
      call.sent.inbound.length >= AUDIO.length &&
      sessions.find(({ acceptedBytes }) => acceptedBytes >= AUDIO.length),
  );
  return call;
}

async function readCall(callSid: string) {
  const client = createDocumentClient({ region: 'us-east-1', endpoint: store.endpoint });
  const stored = await new CallReader({ client, tableName: LOCAL_TABLE }).readCall(callSid);
  client.destroy();
  return stored;
}

test.each(['SIGTERM', 'SIGINT'] as const)(
  '%s with a live call finishes its transcript, writes it and exits 0',
  async (signal) => {
    const relay = startRelay();
    const { port } = await relay.started();
    const call = await liveCall(port);
    relay.signal(signal);
    expect(await relay.exited).toBe(0);

    expect(gladia.sessions[0]).toMatchObject({ stopReceived: true, closeCodes: [1000] });
    expect(gladia.sessions[0]!.accepted()!.equals(AUDIO)).toBe(true);
    expect(await readCall(call.callSid)).toMatchObject({
      call: { status: 'completed', endReason: 'drained', reconciled: true, from: CANARY.from },
      segments: [{ text: CANARY.words, startMs: 1_000 }],
    });
    expect(await call.events.waitFor('closed')).toMatchObject({ code: 1001 });
    expect(relay.lines.at(-1)).toMatchObject({ msg: 'Drained', unwritten: 0 });
    expect(relay.stderr).toBe('');
  },
);

test('people read on Ctrl-C how many calls are finished, how long it may take and what a second one costs', async () => {
  const relay = startRelay({ CONSOLE_TRANSCRIPTS: 'on', DRAIN_TIMEOUT_MS: '20000' });
  await relay.heard(() => relay.stderr.includes('Relay started'));
  await liveCall(Number(/"port":(\d+)/.exec(relay.stderr)![1]));
  relay.signal('SIGINT');
  expect(await relay.exited).toBe(0);
  expect(relay.stdout).toContain(
    'Finishing 1 live call, up to 20 s; Ctrl-C again ends at once and loses what is not stored.',
  );
});

test('everything said is JSON on stdout, with metrics, and without words, numbers, keys or session urls', async () => {
  const relay = startRelay();
  const { port, adminPort } = await relay.started();
  gladia.faults.sessions = {
    cuts: [{ afterBytes: 4_000, how: 'reset', ackLast: false }],
    oddMessages: ['malformed-json'],
  };
  const call = await liveCall(port);
  call.sendRaw(`{"event":"media","broken":"${CANARY.words}`);
  await fetch(`http://127.0.0.1:${port}/voice`, { method: 'POST', body: `From=${CANARY.from}` });
  await fetch(`http://127.0.0.1:${adminPort}/ready`);
  call.hangUp();
  await relay.logged('Leg ended');
  relay.signal('SIGTERM');
  expect(await relay.exited).toBe(0);

  const said = relay.stdout + relay.stderr;
  // The session's url is a bearer token by its query.
  const tokens = gladia.sessions.map((session) => (session as unknown as { token: string }).token);
  expect(tokens[0]).toMatch(/^[0-9a-f-]{36}$/);
  for (const secret of [...Object.values(CANARY), ...tokens, CANARY.from.slice(1), 'wss://'])
    expect(said).not.toContain(secret);
  expect(said).toContain(call.callSid);
  const metrics = relay.lines.filter((line) => '_aws' in line);
  expect(metrics).toContainEqual(expect.objectContaining({ AudioReceived: 1_600, LegsStarted: 1 }));
  expect(metrics).toContainEqual(expect.objectContaining({ Reason: 'stopped', LegsEnded: 1 }));
  for (const line of relay.lines.filter((each) => !('_aws' in each)))
    expect(line).toMatchObject({
      level: expect.any(Number),
      time: expect.any(String),
      msg: expect.any(String),
    });
});

test('a relay without calls exits 0 at once', async () => {
  const relay = startRelay();
  await relay.started();
  relay.signal('SIGTERM');
  expect(await relay.exited).toBe(0);
});

test('the end of the drain time ends the process, though Gladia says nothing', async () => {
  const relay = startRelay({ DRAIN_TIMEOUT_MS: '2000' });
  const { port } = await relay.started();
  gladia.faults.sessions = { loseStop: true };
  const call = await liveCall(port);
  relay.signal('SIGTERM');
  expect(await relay.exited).toBe(0);
  const stored = await readCall(call.callSid);
  expect(stored!.call).toMatchObject({ status: 'completed', endReason: 'drained', reconciled: false });
});
