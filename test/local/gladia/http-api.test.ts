import type { GladiaServer } from '../../../local/gladia/gladia-server';
import { createScriptedRecogniser } from '../../../local/gladia/scripted-recogniser';
import { startGladiaServer } from '../../../local/gladia/gladia-server';
import {
  type Client,
  pattern,
  type Message,
  post,
  request,
  silence,
  startScripted,
  startSession,
} from './gladia-client';

let server: GladiaServer;
afterEach(() => server.close());

describe('POST /v2/live', () => {
  test.each([
    [null, 'no gladia key provided'],
    ['wrong', 'gladia user not found'],
  ])('with the key %p it is 401', async (key, message) => {
    server = await startScripted();
    const { status, body } = await request(server, '/v2/live', { method: 'POST', body: {}, key });
    expect(status).toBe(401);
    expect(body).toEqual({
      timestamp: expect.any(String),
      path: '/v2/live',
      request_id: expect.stringMatching(/^G-[0-9a-f]{8}$/),
      statusCode: 401,
      message,
    });
  });

  test('it gives id, time and a socket url on the host that was asked', async () => {
    server = await startScripted();
    const { status, body } = await post(server, {}, '/v2/live?region=eu-west');
    expect(status).toBe(201);
    expect(Object.keys(body)).toEqual(['id', 'created_at', 'url']);
    expect(body['url']).toMatch(new RegExp(`^ws://127.0.0.1:${server.port}/v2/live\\?token=[0-9a-f-]{36}$`));
    expect(body['url']).not.toContain(body['id']);
  });

  test.each([
    ['a region that does not exist', {}, '/v2/live?region=moon', 'region'],
    ['region in the body', { region: 'us-west' }, '/v2/live', 'Field "region" is not known'],
  ])('%s is 400', async (_, body, path, message) => {
    server = await startScripted();
    const answer = await post(server, body, path);
    expect(answer.status).toBe(400);
    expect(answer.body['validation_errors']).toEqual([expect.stringContaining(message)]);
  });

  test('a body that is not JSON is 400, one that is too large 413', async () => {
    server = await startScripted();
    expect((await request(server, '/v2/live', { method: 'POST', body: '{' })).status).toBe(400);
    const large = JSON.stringify({ custom_metadata: { x: 'x'.repeat(1_100_000) } });
    expect((await request(server, '/v2/live', { method: 'POST', body: large })).status).toBe(413);
  });

  test.each([
    ['PCM', { encoding: 'wav/pcm', bit_depth: 16 }, 'telephone audio only'],
    ['16 kHz', { sample_rate: 16_000 }, 'telephone audio only'],
    ['a callback', { callback: true }, 'makes no callbacks'],
  ])('%s is refused, naming what the local server can do', async (_, body, message) => {
    server = await startScripted();
    const answer = await post(server, body);
    expect(answer.status).toBe(400);
    expect(answer.body['message']).toContain(message);
  });

  test.each([
    [{ language_config: { languages: ['en', 'fr'] } }, 'recognises en only'],
    [{ post_processing: { summarization: true } }, 'has no model for post_processing.summarization'],
    [
      { realtime_processing: { translation: true, translation_config: { target_languages: ['fr'] } } },
      'has no model for realtime_processing.translation',
    ],
  ])('an English recogniser without add-ons refuses %j', async (body, message) => {
    const recogniser = { ...createScriptedRecogniser(), languages: ['en'], scriptsAddOns: false };
    server = await startGladiaServer({ recogniser });
    expect((await post(server, body)).body['message']).toContain(message);
    expect((await post(server, { language_config: { languages: ['en'] } })).status).toBe(201);
  });

  test('over the limit of sessions it is 429 until a job is done', async () => {
    server = await startScripted({ maxConcurrentSessions: 1 });
    const { client } = await startSession(server);
    const refused = await post(server);
    expect(refused.status).toBe(429);
    expect(refused.body['message']).toContain('Maximum number of concurrent sessions reached');
    client.stop();
    await server.waitFor(({ openSessions }) => openSessions === 0);
    expect((await post(server)).status).toBe(201);
    expect(server.maxOpenSessions).toBe(1);
  });
});

describe('jobs', () => {
  async function endedSession(): Promise<string> {
    server = await startScripted({
      script: () => ({ channels: [[{ startMs: 0, endMs: 40, text: 'Hello.' }]] }),
      limits: { processingMs: 500 },
    });
    const { id, client } = await startSession(server, { custom_metadata: { callSid: 'CA1' } });
    client.audio(pattern(800));
    client.stop();
    await client.closed;
    return id;
  }

  test('a job is queued, then processing, then done with everything', async () => {
    const id = await endedSession();
    expect((await request(server, `/v2/live/${id}`)).body).toMatchObject({
      status: 'processing',
      result: null,
    });
    await server.waitFor(({ sessions }) => sessions[0]!.jobStatus === 'done');
    const { body } = await request(server, `/v2/live/${id}`);
    expect(body).toMatchObject({
      id,
      version: 2,
      kind: 'live',
      status: 'done',
      error_code: null,
      custom_metadata: { callSid: 'CA1' },
      post_session_metadata: {},
      file: { audio_duration: 0.1, number_of_channels: 1 },
      request_params: { encoding: 'wav/ulaw', custom_metadata: { callSid: 'CA1' } },
    });
    expect(body['result'].transcription.full_transcript).toBe('Hello.');
    const types = (body['result'].messages as string[]).map(
      (text) => (JSON.parse(text) as { type: string }).type,
    );
    expect(types).toEqual([
      'speech_start',
      'speech_end',
      'transcript',
      'post_transcript',
      'post_final_transcript',
    ]);
    expect((await post(server)).body['id']).not.toBe(id);
  });

  test('the file is a mu-law WAV of what was accepted', async () => {
    const id = await endedSession();
    const response = await fetch(`${server.url}/v2/live/${id}/file`, {
      headers: { 'x-gladia-key': 'local-gladia-key' },
    });
    const wav = Buffer.from(await response.arrayBuffer());
    expect(wav.toString('latin1', 0, 4)).toBe('RIFF');
    expect(wav.readUInt16LE(20)).toBe(7);
    expect(wav.readUInt32LE(4)).toBe(wav.length - 8);
    expect(wav.subarray(58)).toEqual(pattern(800));
  });

  test('only a job that is over can be deleted, and then it is gone', async () => {
    const id = await endedSession();
    expect((await request(server, `/v2/live/${id}`, { method: 'DELETE' })).status).toBe(403);
    await server.waitFor(({ sessions }) => sessions[0]!.jobStatus === 'done');
    expect((await request(server, `/v2/live/${id}`, { method: 'DELETE' })).status).toBe(202);
    expect((await request(server, `/v2/live/${id}`)).status).toBe(404);
    expect((await request(server, '/v2/live')).body['items']).toEqual([]);
  });

  test('metadata can be attached afterwards, up to 100 kB', async () => {
    const id = await endedSession();
    const patch = (body: unknown): Promise<{ status: number }> =>
      request(server, `/v2/live/${id}`, { method: 'PATCH', body });
    expect((await patch({ post_session_metadata: { rating: 5 } })).status).toBe(204);
    expect((await request(server, `/v2/live/${id}`)).body['post_session_metadata']).toEqual({ rating: 5 });
    expect((await patch({ post_session_metadata: { x: 'x'.repeat(100_001) } })).status).toBe(413);
    expect((await patch({ rating: 5 })).status).toBe(400);
  });

  test('the list comes in pages, newest first, filtered by metadata and status', async () => {
    server = await startScripted();
    const ids: string[] = [];
    for (const callSid of ['CA1', 'CA2', 'CA3'])
      ids.push((await post(server, { custom_metadata: { callSid } })).body['id']);
    const idsOf = async (query: string): Promise<unknown[]> =>
      (await request(server, `/v2/live${query}`)).body['items'].map((item: { id: string }) => item.id);
    const page = (await request(server, '/v2/live?limit=2')).body;
    expect(page['items'].map((item: { id: string }) => item.id)).toEqual([ids[2], ids[1]]);
    expect(
      await idsOf(new URL(page['next']).pathname.replace('/v2/live', '') + new URL(page['next']).search),
    ).toEqual([ids[0]]);
    expect(await idsOf('?custom_metadata[callSid]=CA2')).toEqual([ids[1]]);
    expect(await idsOf('?status=done&status=error')).toEqual([]);
    expect(await idsOf('?before_date=2000-01-01')).toEqual([]);
    expect(await idsOf(`?date=${new Date().toISOString().slice(0, 10)}`)).toHaveLength(3);
  });

  test.each(['?limit=0', '?offset=-1', '?status=nice', '?after_date=yesterday'])(
    'the list query %s is 400',
    async (query) => {
      server = await startScripted();
      expect((await request(server, `/v2/live${query}`)).status).toBe(400);
    },
  );

  test.each([
    ['PUT', '/v2/live', 'Cannot PUT /v2/live'],
    ['GET', '/', 'Cannot GET /'],
    ['POST', '/v2/live/x', 'Cannot POST /v2/live/x'],
    ['GET', '/v2/live/unknown', 'not found'],
  ])('%s %s is 404', async (method, path, message) => {
    server = await startScripted();
    const { status, body } = await request(server, path, { method });
    expect(status).toBe(404);
    expect(body['message']).toContain(message);
  });
});

describe('add-ons', () => {
  async function hear(text: string, processing: object, more: object = {}): Promise<Client> {
    server = await startScripted({
      script: () => ({ channels: [[{ startMs: 0, endMs: 100, text, ...more }]], summary: 'A short call.' }),
    });
    const { client } = await startSession(server, {
      realtime_processing: processing,
      post_processing: { summarization: true },
    });
    client.audio(silence(200));
    client.stop();
    await client.closed;
    return client;
  }

  test('custom spelling replaces the text of partials, finals and words', async () => {
    const spelling_dictionary = { Gladia: ['glad ya', 'gladiator'] };
    const client = await hear('This is glad ya, right?', {
      custom_spelling: true,
      custom_spelling_config: { spelling_dictionary },
    });
    expect(client.finals[0]!['data'].utterance.text).toBe(' This is Gladia, right?');
    expect(client.finals[0]!['data'].utterance.words[2]).toMatchObject({
      word: ' Gladia,',
      start: 0.04,
      end: 0.08,
    });
  });

  test('of two spoken variants the longer one is taken', async () => {
    const spelling_dictionary = { DATA: ['data'], 'Data Science': ['data science'] };
    const client = await hear('Data science and data.', {
      custom_spelling: true,
      custom_spelling_config: { spelling_dictionary },
    });
    expect(client.finals[0]!['data'].utterance.text).toBe(' Data Science and DATA.');
  });

  test('entities are found by pattern, with the times of their words', async () => {
    const client = await hear('Pay 40 dollars on May 4th, or write to ann@example.com.', {
      named_entity_recognition: true,
    });
    const [{ error, data }] = client.ofType('named_entity_recognition') as [Message];
    expect(error).toBeNull();
    expect(data.utterance_id).toBe('00_00000000');
    expect(data.results).toEqual([
      { entity_type: 'MONEY', text: '40 dollars', start: 0.01, end: 0.03 },
      { entity_type: 'DATE', text: 'May 4th', start: 0.04, end: 0.06 },
      { entity_type: 'EMAIL_ADDRESS', text: 'ann@example.com', start: 0.09, end: 0.1 },
    ]);
  });

  test.each([
    ['Thank you, that is great.', 'positive'],
    ['The light is broken.', 'negative'],
    ['Thanks, but it is still broken.', 'mixed'],
    ['It is a bicycle.', 'neutral'],
  ])('the sentiment of %p is %s by its words', async (text, sentiment) => {
    const client = await hear(text, { sentiment_analysis: true });
    expect(client.ofType('sentiment_analysis')[0]!['data'].results).toEqual([
      { sentiment, emotion: 'neutral', text, start: 0, end: 0.1, channel: 0 },
    ]);
  });

  test('a script can carry its add-on results', async () => {
    const client = await hear(
      'Hello Sasha.',
      {
        translation: true,
        translation_config: { target_languages: ['fr', 'de'] },
        named_entity_recognition: true,
        sentiment_analysis: true,
      },
      {
        translations: { fr: 'Bonjour Sasha.' },
        entities: [{ type: 'NAME_GIVEN', text: 'Sasha' }],
        sentiment: { sentiment: 'positive', emotion: 'ecstatic' },
      },
    );
    const [french, german] = client.ofType('translation');
    expect(french).toMatchObject({
      error: null,
      data: {
        original_language: 'en',
        target_language: 'fr',
        translated_utterance: { text: ' Bonjour Sasha.', language: 'fr' },
      },
    });
    expect(german).toMatchObject({
      data: null,
      error: { message: expect.stringContaining('no de translation') },
    });
    expect(client.ofType('named_entity_recognition')[0]!['data'].results[0]).toMatchObject({
      entity_type: 'NAME_GIVEN',
      text: 'Sasha',
    });
    expect(client.ofType('sentiment_analysis')[0]!['data'].results[0]).toMatchObject({ emotion: 'ecstatic' });
    expect(client.ofType('post_summarization')[0]!['data']).toEqual({ results: 'A short call.' });
    expect(client.ofType('post_final_transcript')[0]!['data'].summarization).toMatchObject({
      success: true,
      results: 'A short call.',
    });
  });

  test('they can be kept back by their flag', async () => {
    server = await startScripted({
      script: () => ({ channels: [[{ startMs: 0, endMs: 40, text: 'Nice.' }]] }),
    });
    const { client } = await startSession(server, {
      realtime_processing: { sentiment_analysis: true },
      messages_config: { receive_realtime_processing_events: false },
    });
    client.audio(silence(200));
    client.stop();
    await client.closed;
    expect(client.finals).toHaveLength(1);
    expect(client.ofType('sentiment_analysis')).toEqual([]);
  });
});
