import { WebSocket } from 'ws';
import { GladiaClient, type LiveV2Session } from '@gladiaio/sdk';
import type { GladiaServer } from '../../../local/gladia/gladia-server';
import { KEY, pattern, startScripted, TELEPHONY, type Message } from './gladia-client';

// The SDK takes the global WebSocket; without one it loads `ws` in a way that fails here (tooling.md, section 8).
const before = globalThis.WebSocket;
beforeAll(() => Object.assign(globalThis, { WebSocket }));
afterAll(() => Object.assign(globalThis, { WebSocket: before }));

let server: GladiaServer;
beforeEach(async () => {
  server = await startScripted({
    script: () => ({ channels: [[{ startMs: 100, endMs: 700, text: 'Good morning to you.' }]] }),
  });
});
afterEach(() => server.close());

const AUDIO = pattern(16_000);

interface SdkRun {
  readonly client: GladiaClient;
  readonly session: LiveV2Session;
  readonly messages: Message[];
  readonly connected: Promise<void>;
  readonly ended: Promise<{ code: number }>;
}

function start(): SdkRun {
  const client = new GladiaClient({ apiKey: KEY, apiUrl: server.url });
  const session = client.liveV2().startSession({
    ...TELEPHONY,
    channels: 1,
    messages_config: {
      receive_partial_transcripts: true,
      receive_lifecycle_events: true,
      receive_acknowledgments: true,
    },
  });
  const messages: Message[] = [];
  session.on('message', (message) => messages.push(message as Message));
  const connected = new Promise<void>((resolve) => session.once('connected', () => resolve()));
  const ended = new Promise<{ code: number }>((resolve) => session.once('ended', resolve));
  return { client, session, messages, connected, ended };
}

function sendFrames(session: LiveV2Session, audio: Buffer): void {
  for (let at = 0; at < audio.length; at += 160) session.sendAudio(audio.subarray(at, at + 160));
}

test('the official SDK completes a session: partials, finals, results, close 1000, and the job afterwards', async () => {
  const { client, session, messages, connected, ended } = start();
  await connected;
  sendFrames(session, AUDIO);
  session.stopRecording();
  expect(await ended).toMatchObject({ code: 1000 });
  const transcripts = messages
    .filter(({ type }) => type === 'transcript')
    .map(({ data }) => [data.is_final, data.utterance.text]);
  expect(transcripts[0]).toEqual([false, ' Good']);
  expect(transcripts.at(-1)).toEqual([true, ' Good morning to you.']);
  expect(messages.map(({ type }) => type)).toEqual(
    expect.arrayContaining(['start_session', 'post_final_transcript', 'end_session']),
  );
  expect(server.sessions[0]!.accepted()).toEqual(AUDIO);
  await server.waitFor(({ sessions }) => sessions[0]!.jobStatus === 'done');
  const job = await client.liveV2().get(session.sessionId!);
  expect(job).toMatchObject({
    status: 'done',
    result: { transcription: { full_transcript: 'Good morning to you.' } },
  });
  expect(Buffer.from(await client.liveV2().getFile(session.sessionId!)).toString('latin1', 0, 4)).toBe(
    'RIFF',
  );
  expect(await client.liveV2().delete(session.sessionId!)).toBe(true);
});

test.each([
  ['acked audio', true],
  ['unacked audio that the server forgets', false],
])(
  'the official SDK resumes after a drop in the middle with %s, and no byte is lost or doubled',
  async (_, ackLast) => {
    server.faults.sessions = {
      unackedOnDrop: 'forgotten',
      cuts: [{ afterBytes: 8000, how: { closeCode: 4500 }, ackLast }],
    };
    const { session, messages, connected, ended } = start();
    await connected;
    sendFrames(session, AUDIO.subarray(0, 8000));
    await server.waitFor(({ sessions }) => sessions[0]!.resumes === 1 && sessions[0]!.acceptedBytes === 8000);
    sendFrames(session, AUDIO.subarray(8000));
    session.stopRecording();
    expect(await ended).toMatchObject({ code: 1000 });
    expect(server.sessions).toHaveLength(1);
    expect(server.sessions[0]!.accepted()).toEqual(AUDIO);
    expect(messages.filter(({ type, data }) => type === 'transcript' && data.is_final)).toHaveLength(1);
  },
);

test('the official SDK reports a wrong key', async () => {
  const client = new GladiaClient({ apiKey: 'wrong', apiUrl: server.url });
  const session = client.liveV2().startSession(TELEPHONY);
  const error = await new Promise<Error>((resolve) => session.once('error', resolve));
  expect(error.message).toContain('gladia user not found');
});
