import twilioClient, { validateRequest } from 'twilio';
import type { RestFaultKind } from '../../../local/twilio/rest-faults';
import { type LocalTwilio, type LocalTwilioOptions, startTwilio } from '../../../local/twilio/local-twilio';
import type { Call, CallOptions } from '../../../local/twilio/twilio-caller';
import { patternedAudio } from '../../support/audio';
import { type AppOptions, audioOf, type MediaSocket, RecordingApp } from './recording-app';

const TOKEN = '0123456789abcdef0123456789abcdef';
const KEY = { sid: `SK${'1'.repeat(32)}`, secret: 'rest-secret' };
const MEDIA_URL = 'wss://relay.example.com/media';
const STATUS_URL = 'https://relay.example.com/stream-status';
const CALL_MS = 12_000;
const inbound = patternedAudio(CALL_MS, 1);
const outbound = patternedAudio(CALL_MS, 2);
const STREAM = {
  url: MEDIA_URL,
  tracks: ['inbound', 'outbound'] as const,
  name: 'first',
  statusCallback: STATUS_URL,
};

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

interface TestTwilio extends LocalTwilio {
  readonly app: RecordingApp;
  /** A call of both tracks whose first stream is open. */
  liveCall(options?: CallOptions): Promise<Call>;
  create(call: Call, fields?: Record<string, string>): Promise<RestAnswer>;
  stop(call: Call, stream: string, fields?: Record<string, string>): Promise<RestAnswer>;
  post(path: string, fields: Record<string, string>, options?: PostOptions): Promise<RestAnswer>;
}

interface PostOptions {
  readonly credentials?: string;
  readonly signal?: AbortSignal;
}

interface RestAnswer {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

async function start(
  options: Partial<LocalTwilioOptions> = {},
  appOptions: AppOptions = {},
): Promise<TestTwilio> {
  const app = await RecordingApp.start(appOptions);
  closers.push(() => app.close());
  const twilio = await startTwilio({
    ...{ authToken: TOKEN, apiKey: KEY, dial: () => app.dial, paceFactor: 8 },
    ...options,
  });
  closers.push(() => twilio.close());
  const post: TestTwilio['post'] = async (path, fields, { credentials, signal } = {}) => {
    const pair = credentials ?? `${KEY.sid}:${KEY.secret}`;
    const response = await fetch(twilio.apiUrl + path, {
      method: 'POST',
      headers: { authorization: `Basic ${Buffer.from(pair).toString('base64')}` },
      body: new URLSearchParams(fields),
      ...(signal && { signal }),
    });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };
  return Object.assign(twilio, {
    app,
    post,
    liveCall: async (call: CallOptions = {}) => {
      const live = twilio.call({ stream: STREAM, audio: { inbound, outbound }, ...call });
      await live.events.waitFor('started');
      return live;
    },
    create: (call: Call, fields: Record<string, string> = {}) =>
      post(`${pathOf(call)}/Streams.json`, {
        ...{ Url: MEDIA_URL, Name: 'second', Track: 'both_tracks', StatusCallback: STATUS_URL },
        ...fields,
      }),
    stop: (call: Call, stream: string, fields: Record<string, string> = { Status: 'stopped' }) =>
      post(`${pathOf(call)}/Streams/${stream}.json`, fields),
  });
}

function pathOf({ accountSid, callSid }: Pick<Call, 'accountSid' | 'callSid'>): string {
  return `/2010-04-01/Accounts/${accountSid}/Calls/${callSid}`;
}

/** The second stream of a call, once it is open. */
async function secondOf(twilio: LocalTwilio, call: Call): Promise<NonNullable<Call['streams'][1]>> {
  return twilio.waitFor(() => call.streams[1]?.state === 'open' && call.streams[1]);
}

function mediaOf({ app }: TestTwilio, streamSid: string): MediaSocket {
  const isOf = ({ messages }: MediaSocket): boolean => messages.some((each) => each.streamSid === streamSid);
  return app.sockets.find(isOf)!;
}

describe('a stream made through REST', () => {
  it('begins with what is being said, as a stream of its own, while the first one goes on', async () => {
    const twilio = await start();
    const call = await twilio.liveCall();
    const { status, body } = await twilio.create(call, {
      'Parameter1.Name': 'nonce',
      'Parameter1.Value': 'n-1',
    });
    const second = await secondOf(twilio, call);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      account_sid: call.accountSid,
      call_sid: call.callSid,
      sid: second.streamSid,
      name: 'second',
      status: 'in-progress',
      uri: `${pathOf(call)}/Streams/${second.streamSid}.json`,
    });
    expect(call.streams.map(({ state }) => state)).toEqual(['open', 'open']);
    await call.over;

    expect(second.streamSid).not.toBe(call.streamSid);
    const { messages } = mediaOf(twilio, second.streamSid);
    expect(messages[1]).toMatchObject({
      event: 'start',
      sequenceNumber: '1',
      start: { callSid: call.callSid, customParameters: { nonce: 'n-1' }, tracks: ['inbound', 'outbound'] },
    });
    expect(Number((messages[2]!.media as unknown as { timestamp: string }).timestamp)).toBeLessThanOrEqual(
      200,
    );
    const heard = audioOf(mediaOf(twilio, second.streamSid), 'inbound');
    expect(second.startMs).toBeGreaterThan(0);
    const rest = inbound.subarray(second.startMs * 8);
    // The call may end before its last frame is full.
    expect(heard.length).toBeGreaterThan(rest.length - 160);
    expect(heard.subarray(0, rest.length)).toEqual(rest.subarray(0, heard.length));
    expect(audioOf(mediaOf(twilio, call.streamSid), 'outbound')).toEqual(outbound);
    expect(call.status).toBe('completed');
  });

  it('says which part of the call it has sent, to the millisecond', async () => {
    const twilio = await start();
    const call = await twilio.liveCall();
    await twilio.create(call, { Track: 'inbound_track' });
    const second = await secondOf(twilio, call);
    second.lose('reset');
    await second.done;
    await call.over;
    expect(call.streams[0]!.sent.ranges('inbound')).toEqual([{ fromMs: 0, toMs: CALL_MS }]);
    expect(second.sent.ranges('outbound')).toEqual([]);
    const [range, ...more] = second.sent.ranges('inbound');
    expect(more).toEqual([]);
    expect(range!.fromMs).toBe(second.startMs);
    const part = inbound.subarray(range!.fromMs * 8, range!.toMs * 8);
    expect(second.sent.inbound).toEqual(part);
  });

  it('comes with a burst of what was said while it was set up', async () => {
    const twilio = await start({ paceFactor: 1 });
    const call = await twilio.liveCall({ restBehaviour: { burstFrames: 10 } });
    await twilio.create(call, { Track: 'inbound_track' });
    const second = await secondOf(twilio, call);
    expect(second.sent.frames.inbound).toBeGreaterThanOrEqual(9);
  });

  it('is stopped by sid with stop and stream-stopped, and the call and its other stream go on', async () => {
    const twilio = await start();
    const call = await twilio.liveCall();
    await twilio.create(call);
    const second = await secondOf(twilio, call);
    expect(await twilio.stop(call, call.streamSid)).toMatchObject({
      status: 200,
      body: { sid: call.streamSid, name: 'first', status: 'stopped' },
    });
    expect(await call.done).toEqual({ end: 'stopped by request', faults: [] });
    expect(mediaOf(twilio, call.streamSid).messages.at(-1)!.event).toBe('stop');
    const stopped = twilio.app.forms.find(({ fields }) => fields['StreamEvent'] === 'stream-stopped');
    expect(stopped!.fields).toMatchObject({ StreamSid: call.streamSid, StreamName: 'first' });
    expect(call.status).toBe('in-progress');
    expect(second.state).toBe('open');
    await call.over;
    expect(second.end).toBe('stopped');
    expect(call.streams[0]!.sent.ranges('inbound').at(-1)!.toMs).toBeLessThan(CALL_MS);
    expect(second.sent.ranges('inbound').at(-1)!.toMs).toBe(
      CALL_MS + 20 - ((CALL_MS - second.startMs) % 20 || 20),
    );
  });

  it('is stopped by its name', async () => {
    const twilio = await start();
    const call = await twilio.liveCall();
    await twilio.create(call, { Name: 'nonce 1/2' });
    const second = await secondOf(twilio, call);
    expect((await twilio.stop(call, encodeURIComponent('nonce 1/2'))).status).toBe(200);
    expect(await second.done).toBe('stopped by request');
  });

  it('can be stopped before it was dialled, and never is', async () => {
    const twilio = await start({ paceFactor: 1 });
    // Ten seconds until it would be dialled.
    const call = await twilio.liveCall({ restBehaviour: { burstFrames: 500 } });
    await twilio.create(call);
    await twilio.stop(call, 'second');
    expect(await call.streams[1]!.done).toBe('stopped by request');
    expect(twilio.app.sockets).toHaveLength(1);
  });

  it('ends with the call, as does every other one, when somebody hangs up', async () => {
    const twilio = await start();
    const call = await twilio.liveCall();
    await twilio.create(call);
    await secondOf(twilio, call);
    call.hangUp();
    await call.over;
    expect(call.streams.map(({ end }) => end)).toEqual(['stopped', 'stopped']);
    expect(twilio.app.sockets.map(({ messages }) => messages.at(-1)!.event)).toEqual(['stop', 'stop']);
  });

  it('is refused by a server that refuses, with a callback and no second try', async () => {
    const twilio = await start({}, { refuseWith: 503 });
    const call = twilio.call({ stream: STREAM, audio: { inbound } });
    await call.done;
    await twilio.create(call);
    expect(await call.streams[1]!.done).toBe('refused');
    const errors = twilio.app.forms.filter(({ fields }) => fields['StreamEvent'] === 'stream-error');
    expect(errors.map(({ fields }) => fields['StreamName'])).toEqual(['first', 'second']);
  });

  it('is made with account sid and token as well as with an API key', async () => {
    const twilio = await start();
    const call = await twilio.liveCall();
    const credentials = `${twilio.accountSid}:${TOKEN}`;
    const { status } = await twilio.post(`${pathOf(call)}/Streams.json`, { Url: MEDIA_URL }, { credentials });
    expect(status).toBe(200);
  });

  it('works with the real client of Twilio', async () => {
    const twilio = await start();
    const call = await twilio.liveCall();
    const client = twilioClient(KEY.sid, KEY.secret, { accountSid: twilio.accountSid });
    client.httpClient.request = async (options) => {
      const body = new URLSearchParams(options.data as Record<string, string>);
      const headers = {
        authorization: `Basic ${Buffer.from(`${options.username}:${options.password}`).toString('base64')}`,
      };
      const response = await fetch(options.uri.replace('https://api.twilio.com', twilio.apiUrl), {
        method: options.method.toUpperCase(),
        headers,
        ...(options.method.toLowerCase() === 'post' && { body }),
      });
      return { statusCode: response.status, body: (await response.json()) as never, headers: {} };
    };
    const streams = client.calls(call.callSid).streams;
    const made = await streams.create({
      url: MEDIA_URL,
      name: 'by-client',
      track: 'both_tracks',
      'parameter1.name': 'tenant',
      'parameter1.value': 't_42',
    });
    const second = await secondOf(twilio, call);
    expect(made).toMatchObject({ sid: second.streamSid, status: 'in-progress', callSid: call.callSid });
    expect(second.request.parameters).toEqual({ tenant: 't_42' });
    expect(await client.calls(call.callSid).streams(made.sid).update({ status: 'stopped' })).toMatchObject({
      status: 'stopped',
    });
    await expect(streams('MZ0').update({ status: 'stopped' })).rejects.toMatchObject({
      code: 20404,
      status: 404,
    });
    expect((await client.calls(call.callSid).fetch()).status).toBe('in-progress');
  });
});

describe('REST refuses', () => {
  it('a stream on a call that is over (21220), and stopping one there (20404)', async () => {
    const twilio = await start();
    const call = await twilio.liveCall();
    call.hangUp();
    expect(await twilio.create(call)).toMatchObject({ status: 400, body: { code: 21220, status: 400 } });
    expect(await twilio.stop(call, 'first')).toMatchObject({ status: 404, body: { code: 20404 } });
    expect(call.streams).toHaveLength(1);
  });

  it('a stream on a call that still rings (21220)', async () => {
    const twilio = await start();
    const call = twilio.call({ voiceUrl: 'https://relay.example.com/voice' });
    expect(call.status).toBe('ringing');
    expect(() => call.createStream({ url: MEDIA_URL, tracks: ['inbound'], parameters: {} })).toThrow(
      'Invalid call state',
    );
  });

  it('to stop a stream that is over, that never was, or with another status (20404)', async () => {
    const twilio = await start();
    const call = await twilio.liveCall();
    await twilio.create(call);
    const second = await secondOf(twilio, call);
    expect((await twilio.stop(call, second.streamSid, { Status: 'paused' })).status).toBe(404);
    await twilio.stop(call, second.streamSid);
    await second.done;
    expect((await twilio.stop(call, second.streamSid)).status).toBe(404);
    expect((await twilio.stop(call, 'never was')).status).toBe(404);
    expect(call.streams[0]!.state).toBe('open');
  });

  it('a call that it does not know, and one of another account (20404)', async () => {
    const twilio = await start();
    const call = await twilio.liveCall();
    for (const wrong of [{ callSid: `CA${'0'.repeat(32)}` }, { accountSid: `AC${'0'.repeat(32)}` }]) {
      const path = `${pathOf({ ...{ callSid: call.callSid, accountSid: call.accountSid }, ...wrong })}/Streams.json`;
      expect(await twilio.post(path, { Url: MEDIA_URL })).toMatchObject({
        status: 404,
        body: { code: 20404 },
      });
    }
  });

  it.each(['wrong', `${KEY.sid}:wrong`, `AC${'0'.repeat(32)}:${TOKEN}`])(
    'the credentials %s (20003)',
    async (credentials) => {
      const twilio = await start();
      const call = await twilio.liveCall();
      expect(
        await twilio.post(`${pathOf(call)}/Streams.json`, { Url: MEDIA_URL }, { credentials }),
      ).toMatchObject({
        status: 401,
        body: { code: 20003 },
      });
      expect(twilio.requests).toEqual([]);
    },
  );

  it.each([
    ['no Url', { Url: '' }],
    ['a track that does not exist', { Track: 'inbound' }],
    [
      'a parameter of 500 characters',
      { 'Parameter1.Name': 'n'.repeat(10), 'Parameter1.Value': 'v'.repeat(490) },
    ],
    ['a name that the call has had', { Name: 'first' }],
    ['another method of callback', { StatusCallbackMethod: 'PUT' }],
  ])('%s', async (_, fields) => {
    const twilio = await start();
    const call = await twilio.liveCall();
    expect((await twilio.create(call, fields)).status).toBe(400);
    expect(call.streams).toHaveLength(1);
  });

  it('a fifth track, foreign ones included', async () => {
    const twilio = await start();
    const call = await twilio.liveCall();
    call.foreignTracks = 2;
    expect((await twilio.create(call)).status).toBe(400);
    expect((await twilio.create(call, { Track: 'inbound_track' })).status).toBe(400);
    call.foreignTracks = 1;
    expect((await twilio.create(call, { Track: 'inbound_track' })).status).toBe(200);
    expect((await twilio.create(call, { Name: 'third', Track: 'inbound_track' })).status).toBe(400);
  });

  it('tracks that a dead stream still holds, when that is how Twilio is', async () => {
    const twilio = await start({ restRules: { deadStreamHoldsTracksMs: 60_000 } });
    const call = await twilio.liveCall({ foreignTracks: 1 });
    call.streams[0]!.lose('reset');
    await call.done;
    expect((await twilio.create(call)).status).toBe(400);
    const other = await start();
    const otherCall = await other.liveCall({ foreignTracks: 1 });
    otherCall.streams[0]!.lose('reset');
    await otherCall.done;
    expect((await other.create(otherCall)).status).toBe(200);
  });

  it('with a stream-error instead of an answer, when that is how Twilio is', async () => {
    const twilio = await start({ restRules: { unknownRefusals: 'stream-error', createdStatus: 201 } });
    const call = await twilio.liveCall();
    expect((await twilio.create(call, { Name: 'first' })).status).toBe(201);
    expect(await call.streams[1]!.done).toBe('refused');
    expect(call.streams[1]!.events.seen.at(-1)).toEqual({
      type: 'callback',
      streamEvent: 'stream-error',
      status: 204,
    });
    expect(twilio.app.sockets).toHaveLength(1);
  });
});

describe('REST made to fail', () => {
  it.each([
    [{ status: 429 }, 20429],
    [{ status: 500 }, 20500],
    [{ status: 400, code: 21220 }, 21220],
  ])('answers %j and does nothing, as often as it is told', async (answer, code) => {
    const twilio = await start();
    const call = await twilio.liveCall();
    twilio.restFaults.push({ when: ({ operation }) => operation === 'create stream', times: 2, answer });
    for (let n = 0; n < 2; n += 1) {
      expect(await twilio.create(call)).toEqual({
        status: answer.status,
        body: expect.objectContaining({ code, status: answer.status }),
      });
    }
    expect(call.streams).toHaveLength(1);
    expect((await twilio.create(call)).status).toBe(200);
    expect(twilio.requests.map(({ operation }) => operation)).toEqual(Array(3).fill('create stream'));
  });

  it.each([
    ['silence', 1],
    ['cut', 1],
    ['lost', 2],
  ] as const)('does not answer (%s), and has %d streams then', async (answer, streams) => {
    const twilio = await start();
    const call = await twilio.liveCall();
    twilio.restFaults.push({ times: 1, answer: answer satisfies RestFaultKind });
    const gaveUp = new AbortController();
    const asked = twilio.post(`${pathOf(call)}/Streams.json`, { Url: MEDIA_URL }, { signal: gaveUp.signal });
    const failed = expect(asked).rejects.toThrow();
    await twilio.waitFor(() => twilio.requests.length === 1 && call.streams.length === streams);
    gaveUp.abort();
    await failed;
    expect(call.streams).toHaveLength(streams);
  });

  it('is slow and right', async () => {
    const twilio = await start();
    const call = await twilio.liveCall();
    twilio.restFaults.push({ times: 1, latencyMs: 20 });
    expect((await twilio.create(call)).status).toBe(200);
    expect(call.streams).toHaveLength(2);
  });
});

describe('status callbacks of every stream', () => {
  it.each([
    [0, []],
    [2, ['stream-started', 'stream-started', 'stream-stopped', 'stream-stopped']],
  ])('come %d times', async (statusCallbackCopies, expected) => {
    const twilio = await start();
    const call = await twilio.liveCall({
      behaviour: { statusCallbackCopies },
      audio: { inbound: inbound.subarray(0, 800) },
    });
    await call.over;
    expect(twilio.app.forms.map(({ fields }) => fields['StreamEvent'])).toEqual(expected);
  });

  it('are signed and name their stream', async () => {
    const twilio = await start();
    const call = await twilio.liveCall();
    await twilio.create(call);
    (await secondOf(twilio, call)).lose('close without stop');
    await call.streams[1]!.done;
    const { fields, headers } = twilio.app.forms.find(
      (form) => form.fields['StreamEvent'] === 'stream-error',
    )!;
    expect(fields).toMatchObject({ StreamSid: call.streams[1]!.streamSid, StreamName: 'second' });
    expect(validateRequest(TOKEN, String(headers['x-twilio-signature']), STATUS_URL, fields)).toBe(true);
    expect(call.status).toBe('in-progress');
  });
});

describe('the call', () => {
  it('goes on without a stream, and is over when its audio is', async () => {
    const twilio = await start();
    const call = await twilio.liveCall({ audio: { inbound: inbound.subarray(0, 32_000) } });
    call.streams[0]!.lose('reset');
    await call.done;
    expect(call.status).toBe('in-progress');
    await call.over;
    expect(call.status).toBe('completed');
    expect(call.positionMs).toBeGreaterThanOrEqual(4_000);
  });

  it('whose first stream is refused runs all the same, and a later stream has only the rest', async () => {
    const twilio = await start({}, { refuseWith: 503 });
    const call = twilio.call({ stream: STREAM, audio: { inbound } });
    await call.done;
    await twilio.waitFor(() => call.positionMs > 0);
    await twilio.create(call);
    expect(call.streams[1]!.startMs).toBeGreaterThan(0);
    call.hangUp();
    await call.over;
  });

  it('is hung up when Twilio closes, twice too', async () => {
    const twilio = await start();
    const call = await twilio.liveCall();
    await twilio.close();
    await twilio.close();
    expect(call.status).toBe('completed');
    await expect(twilio.create(call)).rejects.toThrow();
  });

  it('knows no fact that does not come', async () => {
    const twilio = await start();
    await expect(twilio.waitFor(() => false, { timeoutMs: 10, what: 'a miracle' })).rejects.toThrow(
      'waited 10 ms for a miracle',
    );
  });
});
