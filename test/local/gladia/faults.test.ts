import type { SessionFaults } from '../../../local/gladia/faults';
import { startGladiaServer, type GladiaServer } from '../../../local/gladia/gladia-server';
import type { Recogniser, TrackListener } from '../../../local/gladia/recogniser';
import { createScriptedRecogniser } from '../../../local/gladia/scripted-recogniser';
import { Client, KEY, pattern, post, request, silence, startScripted, startSession } from './gladia-client';

let server: GladiaServer;
beforeEach(async () => {
  server = await startScripted({
    script: () => ({ channels: [[{ startMs: 20, endMs: 60, text: 'One two.' }]] }),
  });
});
afterEach(() => server.close());

const frame = (seed: number): Buffer => pattern(160, seed);

/** Says what the test tells it to say. */
function createManualRecogniser(): { recogniser: Recogniser; listeners: TrackListener[] } {
  const listeners: TrackListener[] = [];
  const openTrack: Recogniser['openTrack'] = ({ listener }) => {
    listeners.push(listener);
    return { push: () => {}, finish: () => Promise.resolve(), close: () => {} };
  };
  return { recogniser: { ...createScriptedRecogniser(), openTrack }, listeners };
}

async function withFaults(faults: Partial<SessionFaults>): Promise<{ url: string; client: Client }> {
  server.faults.sessions = faults;
  return startSession(server, { endpointing: 0.02 });
}

describe('HTTP', () => {
  test.each([[400], [402], [403], [422], [429], [503]])(
    'the next two posts get %i, then it works',
    async (status) => {
      server.faults.http = [{ times: 2, answer: { status, message: 'planned' } }];
      const answers = [await post(server), await post(server), await post(server)];
      expect(answers.map((answer) => answer.status)).toEqual([status, status, 201]);
      expect(answers[0]!.body).toMatchObject({ statusCode: status, message: 'planned', path: '/v2/live' });
      expect(server.sessions).toHaveLength(1);
    },
  );

  test('a fault can choose its requests by their body', async () => {
    server.faults.http = [
      { times: Infinity, when: ({ body }) => JSON.stringify(body).includes('CA2'), answer: { status: 500 } },
    ];
    const status = async (callSid: string): Promise<number> =>
      (await post(server, { custom_metadata: { callSid } })).status;
    expect([await status('CA1'), await status('CA2')]).toEqual([201, 500]);
  });

  test('an answer can be broken JSON', async () => {
    server.faults.http = [{ times: 1, answer: 'invalid-json' }];
    await expect(post(server)).rejects.toThrow(SyntaxError);
  });

  test('an answer can be lost after the session was made', async () => {
    server.faults.http = [{ times: 1, answer: 'lost' }];
    await expect(post(server)).rejects.toThrow('fetch failed');
    expect(server.sessions).toHaveLength(1);
  });

  test('a post can hang without making a session', async () => {
    server.faults.http = [{ times: 1, answer: 'hang' }];
    const abort = new AbortController();
    const headers = { 'x-gladia-key': KEY };
    const hanging = fetch(`${server.url}/v2/live`, {
      method: 'POST',
      headers,
      body: '{}',
      signal: abort.signal,
    });
    await server.waitFor(({ requests }) => requests.some(({ status }) => status === 0));
    abort.abort();
    await expect(hanging).rejects.toThrow('aborted');
    expect(server.sessions).toHaveLength(0);
  });

  test('a late answer comes', async () => {
    server.faults.http = [{ times: 1, latencyMs: 20 }];
    expect((await post(server)).status).toBe(201);
  });

  test('a fault of GET leaves POST alone', async () => {
    server.faults.http = [{ times: 1, when: ({ method }) => method === 'GET', answer: { status: 502 } }];
    expect((await post(server)).status).toBe(201);
    expect((await request(server, '/v2/live')).status).toBe(502);
  });
});

describe('cuts', () => {
  test.each([
    ['a reset', 'reset', 1006],
    ['an end without close frame', 'fin', 1006],
    ['a close code', { closeCode: 1011 }, 1011],
  ] as const)('%s comes with the frame that passes the byte count, once', async (_, how, code) => {
    const { url, client } = await withFaults({ cuts: [{ afterBytes: 320, how, ackLast: true }] });
    client.audio(frame(1));
    client.audio(frame(2));
    client.audio(frame(3));
    expect(await client.closed).toMatchObject({ code });
    expect(server.sessions[0]).toMatchObject({
      receivedBytes: 320,
      acceptedBytes: 320,
      acks: 2,
      connected: false,
    });
    const second = await Client.open(url);
    second.audio(frame(3));
    await second.until(({ acks }) => acks.length === 1);
    expect(server.sessions[0]!.accepted()).toEqual(Buffer.concat([frame(1), frame(2), frame(3)]));
  });

  test.each([
    ['counted', [frame(1), frame(2), frame(2)], [320, 480]],
    ['forgotten', [frame(1), frame(2)], [160, 320]],
  ] as const)('bytes that were not acked at a cut can be %s', async (unackedOnDrop, expected, range) => {
    const { url, client } = await withFaults({
      unackedOnDrop,
      cuts: [{ afterBytes: 320, how: 'fin', ackLast: false }],
    });
    client.audio(frame(1));
    client.audio(frame(2));
    await client.closed;
    expect(client.acks).toHaveLength(1);
    const second = await Client.open(url);
    second.audio(frame(2));
    await second.until(({ acks }) => acks.length === 1);
    expect(second.acks[0]!['data'].byte_range).toEqual(range);
    expect(server.sessions[0]!.accepted()).toEqual(Buffer.concat(expected));
  });

  test('a socket can be cut on demand', async () => {
    const { client } = await startSession(server);
    server.sessions[0]!.cut('reset');
    expect(await client.closed).toMatchObject({ code: 1006 });
    expect(server.sessions[0]).toMatchObject({ state: 'recording', connected: false });
  });

  test('a session can be closed as soon as it is open, as long as the fault lasts', async () => {
    const { url, client } = await withFaults({ closeOnOpen: 4500 });
    expect(await client.closed).toMatchObject({ code: 4500 });
    expect(await new Client(url).closed).toMatchObject({ code: 4500 });
    server.faults.sessions = {};
    const third = await Client.open(url);
    third.audio(frame(1));
    await third.until(({ acks }) => acks.length === 1);
    expect(server.sessions[0]!.connections).toBe(3);
  });

  test('an upgrade can be refused with a status', async () => {
    server.faults.sessions = { upgradeStatus: 503 };
    const { body } = await post(server);
    await new Client(body['url'] as string).closed;
    expect(server.upgrades).toEqual([503]);
  });

  test('a half-open socket says nothing more, and a new one takes over', async () => {
    const { url, client } = await withFaults({ stallAfterBytes: 320 });
    client.audio(frame(1));
    client.audio(frame(2));
    await client.until(({ acks }) => acks.length === 2);
    client.audio(frame(3));
    const second = await Client.open(url);
    second.audio(frame(3));
    await second.until(({ acks }) => acks.length === 1);
    expect(client.acks).toHaveLength(2);
    expect(server.sessions[0]!.accepted()).toEqual(Buffer.concat([frame(1), frame(2), frame(3)]));
  });
});

describe('acks', () => {
  async function rangesOf(faults: Partial<SessionFaults>, count: number): Promise<number[][]> {
    const { client } = await withFaults(faults);
    for (let i = 0; i < 4; i += 1) client.audio(frame(i));
    await client.until(({ acks }) => acks.length === count);
    return client.acks.map(({ data }) => data.byte_range as number[]);
  }

  test('delayed ones keep their order', async () => {
    const ranges = await rangesOf({ ackDelayMs: 10 }, 4);
    expect(ranges).toEqual([[0, 160], [160, 320], [320, 480], [480, 640]]); // prettier-ignore
  });

  test('each second one can be dropped', async () => {
    expect(await rangesOf({ ackDropEvery: 2 }, 2)).toEqual([[0, 160], [320, 480]]); // prettier-ignore
  });

  test('two frames can share one', async () => {
    expect(await rangesOf({ ackCoalesce: 2 }, 2)).toEqual([[0, 320], [320, 640]]); // prettier-ignore
  });

  test('the end can be inclusive', async () => {
    expect((await rangesOf({ ackInclusiveEnd: true }, 4)).slice(0, 2)).toEqual([[0, 159], [160, 319]]); // prettier-ignore
  });

  test.each([
    ['session', [160, 320]],
    ['connection', [0, 160]],
  ] as const)('after a resume they count over the %s', async (ackRelativeTo, range) => {
    const { url, client } = await withFaults({ ackRelativeTo });
    client.audio(frame(1));
    await client.until(({ acks }) => acks.length === 1);
    server.sessions[0]!.cut('reset');
    const second = await Client.open(url);
    second.audio(frame(2));
    await second.until(({ acks }) => acks.length === 1);
    expect(second.acks[0]!['data'].byte_range).toEqual(range);
  });

  test('a coalesced one that is still due comes before the ack of the stop', async () => {
    const { client } = await withFaults({ ackCoalesce: 3 });
    client.audio(frame(1));
    client.stop();
    await client.closed;
    expect(client.messages.filter((each) => 'acknowledged' in each)).toMatchObject([
      { type: 'audio_chunk' },
      { type: 'stop_recording' },
    ]);
  });

  test('with all of them dropped the audio still counts at the stop', async () => {
    const { client } = await withFaults({ ackDropEvery: 1, unackedOnDrop: 'forgotten' });
    client.audio(frame(1));
    client.stop();
    await client.closed;
    expect(client.acks).toEqual([]);
    expect(server.sessions[0]!.accepted()).toEqual(frame(1));
  });
});

describe('messages', () => {
  test.each([
    ['lost', []],
    ['replayed', [' Meanwhile.']],
  ] as const)(
    'made without a socket can be %s; the job has them in any case',
    async (missedMessages, texts) => {
      await server.close();
      const { recogniser, listeners } = createManualRecogniser();
      server = await startGladiaServer({ recogniser, limits: { processingMs: 5 } });
      const { url, client } = await withFaults({ missedMessages });
      server.sessions[0]!.cut('reset');
      await client.closed;
      const words = [{ text: 'Meanwhile.', startMs: 0, endMs: 10, confidence: 1 }];
      const rest = { startMs: 0, endMs: 10, text: 'Meanwhile.', confidence: 1, language: 'en', words };
      listeners[0]!.final({ number: 0, ...rest });
      const second = await Client.open(url);
      second.stop();
      await second.closed;
      expect(second.finals.map(({ data }) => data.utterance.text)).toEqual(texts);
      expect(server.sessions[0]!.messages.join()).toContain('Meanwhile.');
      expect(second.ofType('post_transcript')[0]!['data'].full_transcript).toBe('Meanwhile.');
    },
  );

  test('a recogniser that breaks closes its session with 4500, and the job is in error', async () => {
    await server.close();
    const { recogniser, listeners } = createManualRecogniser();
    server = await startGladiaServer({ recogniser, limits: { processingMs: 5 } });
    const { id, client } = await startSession(server);
    listeners[0]!.failed(new Error('the model is gone'));
    expect(await client.closed).toEqual({ code: 4500, reason: 'the model is gone' });
    await server.waitFor(({ sessions }) => sessions[0]!.jobStatus === 'error');
    expect((await request(server, `/v2/live/${id}`)).body).toMatchObject({
      status: 'error',
      error_code: 500,
      result: null,
    });
  });

  test('the last final can come again after a resume', async () => {
    const { url, client } = await withFaults({ duplicateFinals: true });
    client.audio(silence(100));
    await client.until(({ finals }) => finals.length === 1);
    server.sessions[0]!.cut('reset');
    const second = await Client.open(url);
    await second.until(({ finals }) => finals.length === 1);
    expect(second.finals[0]!['data']).toEqual(client.finals[0]!['data']);
    expect(server.sessions[0]!.finals).toHaveLength(1);
  });

  test('odd ones come once after the first frame of each connection', async () => {
    const { client } = await withFaults({
      oddMessages: ['malformed-json', 'unknown-type', 'error-frame', 'huge-message'],
    });
    client.audio(frame(1));
    client.audio(frame(2));
    await client.until(({ acks }) => acks.length === 2);
    const odd = client.raw.filter((text) => !text.includes('audio_chunk') && !text.includes('speech'));
    expect(() => JSON.parse(odd[0]!) as unknown).toThrow(SyntaxError);
    expect(odd.slice(1, 3).map((text) => (JSON.parse(text) as { type: string }).type)).toEqual([
      'weather_report',
      'error',
    ]);
    expect(odd[3]!.length).toBeGreaterThan(4_000_000);
    expect(odd).toHaveLength(4);
  });

  test('a mute session acks and says nothing', async () => {
    server.faults.sessions = { mute: true };
    const { client } = await startSession(server, { messages_config: { receive_partial_transcripts: true } });
    client.audio(silence(200));
    client.stop();
    await client.closed;
    expect(client.acks).toHaveLength(1);
    expect([...client.ofType('transcript'), ...client.ofType('speech_start')]).toEqual([]);
  });

  test('a lost stop leaves the session running until the next one', async () => {
    const { client } = await withFaults({ loseStop: true });
    client.stop();
    await server.waitFor(({ sessions }) => sessions[0]!.lostStops === 1);
    expect(server.sessions[0]).toMatchObject({ state: 'recording', stopReceived: false });
    server.faults.sessions = {};
    client.stop();
    expect(await client.closed).toMatchObject({ code: 1000 });
  });
});

test('a rule strikes only the sessions it chooses', async () => {
  server.faults.rules = [
    { when: ({ customMetadata }) => customMetadata['callSid'] === 'CA2', faults: { closeOnOpen: 4500 } },
  ];
  const first = await startSession(server, { custom_metadata: { callSid: 'CA1' } });
  const second = await startSession(server, { custom_metadata: { callSid: 'CA2' } });
  expect(await second.client.closed).toMatchObject({ code: 4500 });
  first.client.audio(frame(1));
  await first.client.until(({ acks }) => acks.length === 1);
});
