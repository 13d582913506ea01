import { startGladiaServer, type GladiaServer } from '../../../local/gladia/gladia-server';
import { createScriptedRecogniser } from '../../../local/gladia/scripted-recogniser';
import { Secret } from '../../../runtime/model/secret';
import { createLogger } from '../../../runtime/observability/logger';
import { Metrics } from '../../../runtime/observability/metrics';
import { createGladiaProvider, GLADIA_TIMING } from '../../../runtime/speech/gladia/gladia-provider';
import { recoverSession, type OrphanOptions } from '../../../runtime/speech/orphaned-session';
import { RECOGNITION_TIMING } from '../../../runtime/speech/recognition-timing';
import type { SessionGrant, SpeechProvider } from '../../../runtime/speech/speech-provider';
import { FakeSpeech, utterance } from '../../support/fake-speech';

const SCRIPT = {
  channels: [
    [
      { startMs: 200, endMs: 600, text: 'Thank you.' },
      { startMs: 1_500, endMs: 1_990, text: 'Good bye.' },
    ],
  ],
};
const AUDIO = Buffer.alloc(2_000 * 8, 0x10);

let server: GladiaServer;
let provider: SpeechProvider;
const never = new AbortController().signal;

beforeEach(async () => {
  server = await startGladiaServer({
    recogniser: createScriptedRecogniser(() => SCRIPT),
    limits: { processingMs: 30 },
  });
  const key = new Secret('local-gladia-key');
  const logger = createLogger('silent', 2);
  provider = createGladiaProvider({
    ...GLADIA_TIMING,
    apiUrl: server.url,
    sessionOptions: {},
    credentials: {
      gladiaApiKey: () => Promise.resolve(key),
      refreshGladiaApiKey: () => Promise.resolve(key),
    },
    logger,
    metrics: new Metrics(),
  });
});

afterEach(() => server.close());

function optionsFor(session: OrphanOptions['session'], options: Partial<OrphanOptions> = {}): OrphanOptions {
  return {
    session,
    orphan: { endForMs: 2_000, silenceMs: 500, backOff: { baseMs: 5, capMs: 5 } },
    timing: { ...RECOGNITION_TIMING, resultBackOff: { baseMs: 20, capMs: 20 }, resultForMs: 1_000 },
    now: () => performance.now(),
    random: () => 0.5,
    logger: createLogger('silent', 2),
    signal: never,
    ...options,
  };
}

/** A session that has taken audio and was left alone: its process is gone. */
async function abandoned(): Promise<SessionGrant> {
  const grant = await provider.createSession({ callSid: 'CA1', streamSid: 'MZ1', channels: 1 }, never);
  const ignore = (): void => undefined;
  const socket = provider.connect(grant, {
    opened: () => socket.sendAudio(AUDIO),
    acknowledged: ignore,
    heard: ignore,
    closed: ignore,
  });
  const session = await server.waitFor(({ sessions }) =>
    sessions.find(({ acceptedBytes }) => acceptedBytes === AUDIO.length),
  );
  session.cut('reset');
  return grant;
}

const WORDS = [
  ['Thank you.', 200, 600],
  ['Good bye.', 1_500, 1_990],
];

test('an orphaned session is stopped, and everything it had is recovered', async () => {
  const grant = await abandoned();
  const recovered = await recoverSession(provider, optionsFor(grant));
  expect(recovered.utterances.map(({ text, startMs, endMs }) => [text, startMs, endMs])).toEqual(WORDS);
  expect(recovered).toMatchObject({ durationMs: 2_000, isEnded: true, facts: { audioSeconds: 2 } });
  expect(server.sessions).toHaveLength(1);
  expect(server.sessions[0]).toMatchObject({ endReason: 'stopped', resumes: 1 });
  expect(server.openSessions).toBe(0);
});

test('a session whose socket drops while it is being ended is reached again', async () => {
  const grant = await abandoned();
  server.faults.sessions = { closeOnOpen: 1011 };
  const recovering = recoverSession(provider, optionsFor(grant));
  await server.waitFor(({ sessions }) => (sessions[0]?.connections ?? 0) >= 3);
  server.faults.sessions = {};
  expect((await recovering).utterances).toHaveLength(2);
  expect(server.sessions[0]).toMatchObject({ endReason: 'stopped' });
});

test('of a session that Gladia has ended already the result is fetched', async () => {
  const grant = await abandoned();
  await recoverSession(provider, optionsFor(grant));
  const again = await recoverSession(provider, optionsFor(grant));
  expect(again.utterances.map(({ text }) => text)).toEqual(['Thank you.', 'Good bye.']);
  expect(again.isEnded).toBe(true);
});

test('without its url a session is not touched, and its result is fetched', async () => {
  const grant = await abandoned();
  await recoverSession(provider, optionsFor(grant));
  const { connections } = server.sessions[0]!;
  const again = await recoverSession(provider, optionsFor({ sessionId: grant.sessionId }));
  expect(again.durationMs).toBe(2_000);
  expect(server.sessions[0]!.connections).toBe(connections);
});

test('where there is no result, the finals that came while the session was ended are kept', async () => {
  const grant = await abandoned();
  server.faults.http.push({
    when: ({ method }) => method === 'GET',
    times: Infinity,
    answer: { status: 404 },
  });
  const recovered = await recoverSession(provider, optionsFor(grant));
  expect(recovered.utterances.map(({ text }) => text)).toEqual(['Good bye.']);
  expect(recovered).toMatchObject({ isEnded: true, durationMs: 2_000 });
  expect(recovered.facts).toBeUndefined();
});

test('a session that does not answer stop is closed, and is over all the same', async () => {
  const grant = await abandoned();
  server.faults.sessions = { loseStop: true };
  const orphan = { endForMs: 2_000, silenceMs: 50, backOff: { baseMs: 5, capMs: 5 } };
  const recovered = await recoverSession(provider, optionsFor(grant, { orphan }));
  expect(recovered).toMatchObject({ isEnded: true, durationMs: 2_000 });
  expect(recovered.utterances).toHaveLength(2);
  expect(server.openSessions).toBe(0);
});

test('a service that is not there costs no more than the limits, and says that nothing is settled', async () => {
  const grant = await abandoned();
  await server.close();
  const recovered = await recoverSession(
    provider,
    optionsFor(grant, {
      orphan: { endForMs: 50, silenceMs: 50, backOff: { baseMs: 5, capMs: 5 } },
      timing: { ...RECOGNITION_TIMING, resultBackOff: { baseMs: 5, capMs: 5 }, resultForMs: 50 },
    }),
  );
  expect(recovered).toEqual({ utterances: [], isEnded: false });
});

test('what keeps talking is not listened to for ever', async () => {
  const speech = new FakeSpeech();
  let nowMs = 0;
  const orphan = { endForMs: 1_000, silenceMs: 10, backOff: { baseMs: 0, capMs: 0 } };
  const recovering = recoverSession(
    speech,
    optionsFor({ sessionId: 's', url: new Secret('ws://x') }, { now: () => nowMs, orphan }),
  );
  const socket = await speech.open(0);
  expect(socket.isStopped).toBe(true);
  nowMs = 1_000;
  socket.final('a', 0, 500);
  const recovered = await recovering;
  expect(socket.closedAs).toBe('end');
  expect(recovered).toEqual({ utterances: [utterance(0, 500)], isEnded: false });
});

test('ends at once when nobody wants it any more', async () => {
  const speech = new FakeSpeech();
  const gone = new AbortController();
  const grant = { sessionId: 's', url: new Secret('ws://x') };
  const recovering = recoverSession(speech, optionsFor(grant, { signal: gone.signal }));
  const socket = await speech.open(0);
  gone.abort(new Error('The relay goes'));
  expect(await recovering).toMatchObject({ isEnded: false });
  expect(socket.closedAs).toBe('end');
});
