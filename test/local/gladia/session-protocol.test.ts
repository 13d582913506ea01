import { startGladiaServer, type GladiaServer } from '../../../local/gladia/gladia-server';
import type { RecogniserTrack, TrackOptions } from '../../../local/gladia/recogniser';
import { createScriptedRecogniser } from '../../../local/gladia/scripted-recogniser';
import {
  Client,
  interleave,
  pattern,
  type Message,
  request,
  silence,
  startScripted,
  startSession,
  tone,
} from './gladia-client';

let server: GladiaServer;
afterEach(() => server.close());

const SCRIPT = {
  channels: [
    [
      { startMs: 100, endMs: 500, text: 'Hello there, caller.' },
      { startMs: 1200, endMs: 1400, text: 'Goodbye.' },
    ],
    [{ startMs: 600, endMs: 900, text: 'Hi.' }],
  ],
};

async function play(body: object = {}): Promise<{ id: string; client: Client }> {
  server = await startScripted({ script: () => SCRIPT });
  const session = await startSession(server, { channels: 2, endpointing: 0.1, ...body });
  session.client.frames(interleave(silence(2000), silence(2000)), 2);
  session.client.stop();
  return session;
}

test('the recogniser in use is named', async () => {
  server = await startScripted();
  expect(server.recogniserName).toContain('scripted');
});

test('every frame is acked with its range over the session and its time', async () => {
  const { client } = await play();
  await client.closed;
  expect(client.acks).toHaveLength(100);
  expect(client.acks[1]).toMatchObject({
    acknowledged: true,
    error: null,
    data: { byte_range: [320, 640], time_range: [0.02, 0.04] },
  });
  expect(client.acks.at(-1)!['data'].byte_range).toEqual([31_680, 32_000]);
});

test('finals come with their channel, times, leading spaces and ids', async () => {
  const { client } = await play();
  await client.closed;
  expect(client.finals.map(({ data }) => [data.id, data.utterance.channel, data.utterance.text])).toEqual([
    ['00_00000000', 0, ' Hello there, caller.'],
    ['01_00000000', 1, ' Hi.'],
    ['00_00000001', 0, ' Goodbye.'],
  ]);
  expect(client.finals[0]!['data'].utterance).toMatchObject({
    start: 0.1,
    end: 0.5,
    language: 'en',
    confidence: 1,
  });
  expect(client.finals[0]!['data'].utterance.words[1]).toEqual({
    word: ' there,',
    start: 0.233,
    end: 0.367,
    confidence: 1,
  });
});

test('partials come only when asked for, grow, and share the id of their final', async () => {
  const { client } = await play({ messages_config: { receive_partial_transcripts: true } });
  await client.closed;
  const first = client.ofType('transcript').filter(({ data }) => data.id === '00_00000000');
  expect(first.map(({ data }) => [data.is_final, data.utterance.text])).toEqual([
    [false, ' Hello'],
    [false, ' Hello there,'],
    [false, ' Hello there, caller.'],
    [true, ' Hello there, caller.'],
  ]);
});

test('with default flags a session runs in the documented order and closes 1000', async () => {
  const { client } = await play();
  expect(await client.closed).toMatchObject({ code: 1000 });
  const order = client.messages.map((message) => message['type']).filter((type) => type !== 'audio_chunk');
  expect(order).toEqual([
    'speech_start', 'speech_end', 'transcript', 'speech_start', 'speech_end', 'transcript', 'speech_start', 'speech_end',
    'transcript', 'stop_recording', 'post_transcript', 'post_final_transcript',
  ]); // prettier-ignore
  expect(client.ofType('speech_end')[1]!['data']).toEqual({ time: 0.9, channel: 1 });
});

test('lifecycle messages come only when asked for', async () => {
  const { client } = await play({ messages_config: { receive_lifecycle_events: true } });
  await client.closed;
  expect(client.messages[0]).toMatchObject({ type: 'start_recording' });
  expect(client.ofType('end_recording')[0]!['data']).toEqual({ recording_duration: 2 });
  expect(client.messages.at(-1)).toMatchObject({ type: 'end_session' });
});

test.each([
  ['receive_acknowledgments', ['audio_chunk', 'stop_recording']],
  ['receive_speech_events', ['speech_start', 'speech_end']],
  ['receive_final_transcripts', ['transcript']],
  ['receive_post_processing_events', ['post_transcript', 'post_final_transcript']],
])('%s false keeps its messages back', async (flag, types) => {
  const { client } = await play({ messages_config: { [flag]: false } });
  await client.closed;
  expect(client.messages.length).toBeGreaterThan(0);
  expect(client.messages.filter(({ type }) => types.includes(type as string))).toEqual([]);
});

test('post_final_transcript holds the conversation by time and bills each channel', async () => {
  const { client } = await play();
  await client.closed;
  const [{ data }] = client.ofType('post_final_transcript') as [Message];
  expect(data.metadata).toMatchObject({ audio_duration: 2, number_of_distinct_channels: 2, billing_time: 4 });
  expect(data.transcription).toMatchObject({
    full_transcript: 'Hello there, caller. Hi. Goodbye.',
    languages: ['en'],
  });
});

test('speech that is still open at the stop becomes a final before the close', async () => {
  server = await startScripted({ script: () => SCRIPT });
  const { client } = await startSession(server);
  client.frames(silence(400));
  client.stop();
  await client.closed;
  expect(client.ofType('stop_recording')[0]!['data']).toEqual({
    recording_duration: 0.4,
    recording_left_to_process: 0.3,
  });
  expect(client.finals[0]!['data'].utterance.text).toBe(' Hello there,');
});

test('audio and a second stop after the stop are refused, and the results still come', async () => {
  const scripted = createScriptedRecogniser(() => SCRIPT);
  let release = (): void => {};
  const released = new Promise<void>((resolve) => (release = resolve));
  const openTrack = (options: TrackOptions): RecogniserTrack => {
    const track = scripted.openTrack(options);
    return {
      push: (audio) => track.push(audio),
      finish: () => released.then(() => track.finish()),
      close: () => track.close(),
    };
  };
  server = await startGladiaServer({ recogniser: { ...scripted, openTrack } });
  const { client } = await startSession(server);
  client.frames(silence(400));
  client.stop();
  client.audio(silence(20));
  client.stop();
  await client.until(
    ({ messages }) => messages.filter((each) => each['acknowledged'] === false).length === 2,
  );
  release();
  expect(await client.closed).toMatchObject({ code: 1000 });
  expect(client.messages.filter((each) => each['acknowledged'] === false)).toMatchObject([
    { type: 'audio_chunk', data: null, error: { message: 'Recording already stopped' } },
    { type: 'stop_recording', data: {}, error: { status_code: 409, message: 'Recording already stopped' } },
  ]);
  expect(server.sessions[0]).toMatchObject({ acceptedBytes: 3200, lateFrames: 1, stopReceived: true });
  expect(client.finals).toHaveLength(1);
});

test('audio as JSON counts like binary audio', async () => {
  server = await startScripted();
  const { client } = await startSession(server);
  const audio = pattern(320);
  client.audio(audio.subarray(0, 160));
  client.json({ type: 'audio_chunk', data: { chunk: audio.subarray(160).toString('base64') } });
  client.json({ type: 'audio_chunk', data: { chunk: '' } });
  await client.until(({ acks }) => acks.length === 3);
  expect(client.acks.map(({ data }) => data.byte_range)).toEqual([[0, 160], [160, 320], [320, 320]]); // prettier-ignore
  expect(server.sessions[0]!.accepted()).toEqual(audio);
});

test.each([
  ['text that is no JSON', 'hello'],
  ['an unknown type', '{"type":"dance"}'],
  ['a chunk that is no base64', '{"type":"audio_chunk","data":{"chunk":"*"}}'],
  ['a JSON array', '[]'],
])('%s is answered with an error, and the session goes on', async (_, text) => {
  server = await startScripted();
  const { client } = await startSession(server);
  client.ws.send(text);
  client.audio(silence(20));
  await client.until(({ acks }) => acks.length === 1);
  expect(client.messages[0]).toMatchObject({ type: 'error', data: { code: 'invalid_message' } });
});

test('frames that end in the middle of a sample keep the channels apart', async () => {
  server = await startScripted();
  const { client } = await startSession(server, { channels: 2 });
  const audio = interleave(Buffer.concat([tone(600), silence(600)]), silence(1200));
  for (let at = 0; at < audio.length; at += 333) client.audio(audio.subarray(at, at + 333));
  client.stop();
  await client.closed;
  expect(client.ofType('speech_start').map(({ data }) => data.channel)).toEqual([0]);
  expect(client.finals[0]!['data'].utterance.text).toMatch(/^ utterance 0 of channel 0, (58|60)0 ms$/);
});

test('a client that closes with 1000 ends the session without delivery, and the job holds the result', async () => {
  server = await startScripted({ script: () => SCRIPT });
  const { id, url, client } = await startSession(server);
  client.frames(silence(400));
  await client.until(({ acks }) => acks.length === 20);
  client.ws.close(1000);
  await server.waitFor(({ sessions }) => sessions[0]!.jobStatus === 'done');
  expect(server.sessions[0]!.endReason).toBe('client-closed');
  expect(client.finals).toEqual([]);
  expect((await request(server, `/v2/live/${id}`)).body['result'].transcription.full_transcript).toBe(
    'Hello there,',
  );
  expect(await new Client(url).closed).toMatchObject({ code: 4403 });
});

test.each([[4000], [1001]])(
  'a client that closes with %i can resume on the same url, and the time goes on',
  async (code) => {
    server = await startScripted({ script: () => SCRIPT });
    const { url, client } = await startSession(server);
    client.frames(silence(400));
    await client.until(({ acks }) => acks.length === 20);
    client.ws.close(code);
    await server.waitFor(({ sessions }) => !sessions[0]!.connected);
    const second = await Client.open(url);
    second.frames(silence(200));
    second.stop();
    await second.closed;
    expect(second.acks[0]!['data'].byte_range).toEqual([3200, 3360]);
    expect(second.finals[0]!['data'].utterance).toMatchObject({ start: 0.1, end: 0.5 });
    expect(server.sessions[0]).toMatchObject({ resumes: 1, closeCodes: [code, 1000], endReason: 'stopped' });
  },
);

test('an ended session is accepted and closed with 4403', async () => {
  const { client } = await play();
  await client.closed;
  const again = await Client.open(client.ws.url);
  expect(await again.closed).toMatchObject({ code: 4403 });
});

test('an unknown token is refused at the upgrade', async () => {
  server = await startScripted({ unknownTokenStatus: 401 });
  const client = new Client(`${server.url.replace('http', 'ws')}/v2/live?token=none`);
  expect(await client.closed).toMatchObject({ code: 1006 });
  expect(server.upgrades).toEqual([401]);
});

test('a message over 1 MiB closes with 1009, and repeated ones make the session unrecoverable', async () => {
  server = await startScripted({ oversizedUntilRefused: 2 });
  const { url, client } = await startSession(server);
  client.audio(Buffer.alloc(1024 * 1024 + 1));
  expect(await client.closed).toMatchObject({ code: 1009 });
  const second = await Client.open(url);
  second.audio(Buffer.alloc(1024 * 1024 + 1));
  await second.closed;
  await new Client(url).closed;
  expect(server.upgrades).toEqual([101, 101, 403]);
  expect(server.sessions[0]!.acceptedBytes).toBe(0);
});

test('a session without audio is closed with 4408 and is over', async () => {
  server = await startScripted({ limits: { noAudioMs: 20 } });
  const { url, client } = await startSession(server);
  expect(await client.closed).toMatchObject({ code: 4408 });
  await server.waitFor(({ sessions }) => sessions[0]!.jobStatus === 'done');
  expect(server.sessions[0]!.endReason).toBe('no-audio');
  expect(await new Client(url).closed).toMatchObject({ code: 4403 });
});

test('a session without text is cut with 4504 and can be resumed', async () => {
  server = await startScripted({ limits: { noTextMs: 20 } });
  const { url, client } = await startSession(server);
  expect(await client.closed).toMatchObject({ code: 4504 });
  await Client.open(url);
  expect(server.sessions[0]).toMatchObject({ state: 'recording', resumes: 1 });
});

test('a session ends at its longest life', async () => {
  server = await startScripted({ limits: { lifetimeMs: 500, lifetimeCloseCode: 4400 } });
  const { client } = await startSession(server);
  expect(await client.closed).toMatchObject({ code: 4400 });
  expect(server.sessions[0]!.endReason).toBe('lifetime');
});

test('the newest of two sockets on one token wins', async () => {
  server = await startScripted();
  const { url, client } = await startSession(server);
  const second = await Client.open(url);
  expect(await client.closed).toMatchObject({ code: 1006 });
  second.audio(silence(20));
  await second.until(({ acks }) => acks.length === 1);
});

test('each session gets the script that its metadata chooses', async () => {
  server = await startScripted({
    script: ({ callSid }) => ({ channels: [[{ startMs: 0, endMs: 40, text: `I am ${String(callSid)}` }]] }),
  });
  const sessions = await Promise.all(
    ['CA1', 'CA2'].map((callSid) => startSession(server, { custom_metadata: { callSid } })),
  );
  for (const { client } of sessions) {
    client.frames(silence(100));
    client.stop();
  }
  await Promise.all(sessions.map(({ client }) => client.closed));
  expect(sessions.map(({ client }) => client.finals[0]!['data'].utterance.text)).toEqual([
    ' I am CA1',
    ' I am CA2',
  ]);
});

test('with the digest only, the server has length and hash of the audio but no bytes', async () => {
  server = await startScripted({ keep: 'digest' });
  const { id, client } = await startSession(server);
  client.audio(Buffer.from('abc'));
  await client.until(({ acks }) => acks.length === 1);
  expect(server.sessions[0]).toMatchObject({
    acceptedBytes: 3,
    acceptedSha256: 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
  });
  expect(server.sessions[0]!.accepted()).toBeUndefined();
  expect((await request(server, `/v2/live/${id}/file`)).status).toBe(404);
});

test('waiting for what does not happen fails with what is there', async () => {
  server = await startScripted();
  await expect(server.waitFor(() => false, { timeoutMs: 10, what: 'a miracle' })).rejects.toThrow(
    'waited 10 ms for a miracle; sessions: none',
  );
});
