import { randomSid } from '../../local/twilio/random-sids';
import { placeCall, type Call } from '../../local/twilio/twilio-caller';
import { patternedAudio } from '../support/audio';
import { Canaries } from '../support/canaries';
import { RelayProcess } from '../support/relay-process';
import { startTellingServer, type TellingAnswer, type TellingServer } from '../support/telling-server';

const PUBLIC_URL = 'https://relay.callscript.example';
const servers: TellingServer[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

async function neighbour(...options: Parameters<typeof startTellingServer>): Promise<TellingServer> {
  const server = await startTellingServer(...options);
  servers.push(server);
  return server;
}

/** One answer after the other; the last one again and again. */
function inTurn(answers: readonly TellingAnswer[]): () => TellingAnswer {
  let next = 0;
  return () => answers[Math.min(next++, answers.length - 1)]!;
}

/** A DynamoDB that quotes, in its errors and in what is no JSON, what may have been in a request. */
function tellingStore(canaries: Canaries): Promise<TellingServer> {
  const error = (name: string): TellingAnswer => ({
    status: 400,
    body: JSON.stringify({
      __type: `com.amazonaws.dynamodb.v20120810#${name}`,
      message: `Value '${canaries.sentence(name)}' is not one that ${canaries.number(name)} may have`,
      Item: { text: { S: canaries.sentence(`item of ${name}`) } },
    }),
  });
  const answers = [
    error('ValidationException'),
    error('AccessDeniedException'),
    error('ConditionalCheckFailedException'),
    { status: 200, body: `${canaries.secret('store, no JSON')} "${canaries.sentence('store, no JSON')}` },
    { status: 200, body: `{"Item":{"origin":${canaries.secret('store, broken JSON')}}}` },
    { status: 500, body: canaries.sentence('store, 500') },
  ];
  let next = 0;
  return neighbour({ answer: () => answers[next++ % answers.length]! });
}

/** A Gladia that says everything wrong, and on its third session says words first. */
async function tellingGladia(canaries: Canaries): Promise<TellingServer> {
  const sentence = (place: string): string => canaries.sentence(`Gladia: ${place}`);
  const refusal = (status: number): TellingAnswer => ({
    status,
    body: JSON.stringify({
      statusCode: status,
      message: sentence(String(status)),
      validation_errors: [sentence('why')],
    }),
    headers: { 'x-request-id': canaries.secret(`Gladia: header of ${status}`) },
  });
  const grant = (url: string): TellingAnswer => ({
    status: 201,
    body: JSON.stringify({ id: '45463597-20b7-4af7-b3b3-f5fb778203ab', created_at: '', url }),
  });
  const messages = [
    `{"type":"transcript","data":${sentence('broken JSON')}`,
    sentence('no JSON'),
    JSON.stringify({ type: sentence('type'), data: {} }),
    JSON.stringify({ type: 'error', data: { code: sentence('code'), message: sentence('error') } }),
    JSON.stringify({
      type: 'audio_chunk',
      acknowledged: false,
      error: { message: sentence('ack') },
      data: null,
    }),
    JSON.stringify({ type: 'translation', error: { message: sentence('add-on') }, data: null }),
    JSON.stringify({
      type: 'transcript',
      data: {
        id: '00_00000000',
        is_final: true,
        utterance: {
          text: sentence('words'),
          start: 0,
          end: 0.5,
          language: sentence('language'),
          channel: 7,
          words: 'x',
        },
      },
    }),
    JSON.stringify({ type: 'transcript', data: { id: 7, utterance: { text: sentence('malformed') } } }),
  ];
  const post = inTurn([
    { status: 201, body: `${canaries.secret('Gladia: no JSON')} and more` },
    { status: 201, body: `{"id":"x","url":"wss://a?token=${canaries.secret('Gladia: cut JSON')}` },
    grant(`https://a.example/?token=${canaries.secret('Gladia: wrong scheme')}`),
    grant(`wss://a b/?token=${canaries.secret('Gladia: no URL')}`),
    refusal(503),
    { status: 201, body: '' },
    refusal(401),
  ]);
  const token = canaries.secret('Gladia: session url');
  let grants = 0;
  const gladia: TellingServer = await neighbour({
    answer: ({ method }) => {
      if (method === 'GET') return { status: 200, body: `{"status":"done","result":"${sentence('result')}` };
      const answer = post();
      return answer.body === '' && grants++ === 0
        ? grant(`ws://127.0.0.1:${gladia.port}/live?token=${token}`)
        : answer;
    },
    onSocket(socket) {
      socket.once('message', () => {
        for (const message of messages) socket.send(message);
        socket.send(Buffer.from(sentence('binary')));
        socket.close(4403, sentence('close reason'));
      });
    },
  });
  return gladia;
}

/** A REST API that knows nothing and quotes much. */
function tellingTwilio(canaries: Canaries): Promise<TellingServer> {
  const answers = [
    { status: 500, body: canaries.sentence('REST, 500') },
    { status: 200, body: `{"status":"${canaries.sentence('REST, broken JSON')}` },
    { status: 400, body: JSON.stringify({ code: 21220, message: canaries.number('REST, 400') }) },
    { status: 302, body: '', headers: { location: `http://a.example/${canaries.secret('REST, redirect')}` } },
  ];
  let next = 0;
  return neighbour({ answer: () => answers[next++ % answers.length]! });
}

test('what the store, Gladia and Twilio say when something is wrong is in no log, metric or answer', async () => {
  const canaries = new Canaries();
  const [store, gladia, twilio] = await Promise.all([
    tellingStore(canaries),
    tellingGladia(canaries),
    tellingTwilio(canaries),
  ]);
  const accountSid = randomSid('AC');
  const authToken = canaries.secret('auth token');
  const relay = new RelayProcess({
    environment: {
      HTTP_PORT: '0',
      ADMIN_PORT: '0',
      PUBLIC_URL,
      TWILIO_ACCOUNT_SID: accountSid,
      TWILIO_AUTH_TOKEN: `${authToken},${canaries.secret('next auth token')}`,
      TWILIO_API_URL: twilio.url,
      TWILIO_API_KEY_SID: `SK${'0'.repeat(32)}`,
      TWILIO_API_KEY_SECRET: canaries.secret('REST secret'),
      VOICE_NEXT_URL: `https://app.example/next?token=${canaries.secret('VOICE_NEXT_URL')}`,
      GLADIA_API_KEY: canaries.secret('Gladia key'),
      GLADIA_API_URL: gladia.url,
      TRANSCRIPTS_TABLE: 'callscript',
      AWS_REGION: 'us-east-1',
      AWS_ENDPOINT_URL_DYNAMODB: store.url,
      AWS_ACCESS_KEY_ID: canaries.secret('AWS key id'),
      AWS_SECRET_ACCESS_KEY: canaries.secret('AWS secret'),
      AWS_SESSION_TOKEN: canaries.secret('AWS session token'),
      DRAIN_TIMEOUT_MS: '4000',
      LOG_LEVEL: 'debug',
    },
  });
  const { port, adminPort } = await relay.started();
  const placed = (): Call =>
    placeCall({
      dial: { host: '127.0.0.1', port },
      authToken,
      accountSid,
      voiceUrl: `${PUBLIC_URL}/voice`,
      from: canaries.number('caller'),
      to: canaries.number('called number'),
      audio: { inbound: patternedAudio(4_000, 41) },
      paceFactor: 2,
      behaviour: { end: 'never' },
    });
  const calls = [placed(), placed(), placed()];
  await relay.logged('The transcription of a call failed');
  await relay.heard(() => relay.lines.some(({ code }) => code === 4403));
  calls[0]!.hangUp();
  const admin = async (path: string): Promise<string> =>
    (await fetch(`http://127.0.0.1:${adminPort}/${path}`)).text();
  const [metrics, ready] = await Promise.all([admin('metrics'), admin('ready')]);
  relay.signal('SIGTERM');
  await relay.exited;

  expect(ready).toContain('store-unreachable');
  expect(metrics).toMatch(/speech_messages_ignored_total\{reason="not-json"\} [1-9]/);
  expect(relay.lines.filter(({ err }) => err !== undefined).length).toBeGreaterThan(0);
  const outputs = { stdout: relay.stdout, stderr: relay.stderr, metrics, ready };
  const leaks = Object.entries(outputs).flatMap(([output, text]) =>
    canaries.foundIn(text).map((place) => `${place}, in ${output}`),
  );
  expect(leaks).toEqual([]);
});

test('settings that are refused are not quoted', async () => {
  const canaries = new Canaries();
  const wrong = (place: string): string => `${canaries.secret(place)} ${canaries.number(place)}\u00e9`;
  const names = [
    ...[
      'HTTP_PORT',
      'PUBLIC_URL',
      'MEDIA_PATH',
      'TWILIO_ACCOUNT_SID',
      'TWILIO_AUTH_TOKEN',
      'TWILIO_SECRET_ARN',
    ],
    ...['TWILIO_API_KEY_SID', 'TWILIO_API_KEY_SECRET', 'GLADIA_API_KEY', 'GLADIA_API_URL', 'GLADIA_REGION'],
    ...[
      'GLADIA_SESSION_OPTIONS',
      'DIAL_NUMBER',
      'VOICE_NEXT_URL',
      'AWS_REGION',
      'RETENTION_DAYS',
      'LOG_LEVEL',
    ],
  ];
  const relay = new RelayProcess({
    environment: Object.fromEntries(names.map((name) => [name, wrong(name)])),
  });
  expect(await relay.exited).toBe(2);
  for (const name of names) expect(relay.stderr).toContain(name);
  expect(canaries.foundIn(relay.stdout + relay.stderr)).toEqual([]);
});
