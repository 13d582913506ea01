import { once } from 'node:events';
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net';
import { validateRequest } from 'twilio';
import type { Behaviour } from '../../../local/twilio/behaviour';
import { type CallOptions, placeCall } from '../../../local/twilio/twilio-caller';
import { type AppOptions, audioOf, RecordingApp } from './recording-app';

const TOKEN = '0123456789abcdef0123456789abcdef';
const URL_TO_DIAL = 'wss://relay.example.com/media';
const VOICE_URL = 'https://relay.example.com/voice';
const STATUS_URL = 'https://relay.example.com/stream-status';
const inbound = Buffer.from(Array.from({ length: 16_000 }, (_, n) => n % 251));
const outbound = Buffer.from(Array.from({ length: 16_000 }, (_, n) => (n * 7) % 251));
const TWIML = `<Response><Start><Stream name="relay-1" url="${URL_TO_DIAL}" track="both_tracks" statusCallback="${STATUS_URL}"><Parameter name="from" value="+15005550101"/></Stream></Start><Dial>+15005550006</Dial></Response>`;

const apps: RecordingApp[] = [];

async function start(options: AppOptions = {}): Promise<RecordingApp> {
  const app = await RecordingApp.start(options);
  apps.push(app);
  return app;
}

afterEach(async () => {
  await Promise.all(apps.splice(0).map((app) => app.close()));
});

/** Two seconds of one track, forty times as fast, without webhook. */
function direct(
  app: RecordingApp,
  behaviour: Partial<Behaviour> = {},
  more: Partial<CallOptions> = {},
): CallOptions {
  return {
    stream: { url: URL_TO_DIAL },
    dial: app.dial,
    authToken: TOKEN,
    audio: { inbound },
    paceFactor: 40,
    behaviour,
    ...more,
  };
}

describe('a call that goes well', () => {
  it('asks the voice webhook with a signed form and obeys its TwiML', async () => {
    const app = await start({ twiml: TWIML });
    const call = placeCall({
      voiceUrl: VOICE_URL,
      dial: app.dial,
      authToken: TOKEN,
      from: '+15005550101',
      to: '+15005550006',
      audio: { inbound, outbound },
      paceFactor: 40,
    });
    expect(call.status).toBe('ringing');
    expect((await call.events.next('webhook')).verbsAfter).toEqual(['Dial']);
    expect(await call.done).toEqual({ end: 'stopped', faults: [] });

    const voice = app.forms[0]!;
    expect(voice.headers).toMatchObject({
      host: 'relay.example.com',
      'user-agent': 'TwilioProxy/1.1',
      accept: '*/*',
      'i-twilio-idempotency-token': expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
    expect(voice.headers['content-type']).toMatch(/^application\/x-www-form-urlencoded/);
    expect(voice.fields).toMatchObject({
      CallSid: call.callSid,
      AccountSid: call.accountSid,
      CallStatus: 'ringing',
      Direction: 'inbound',
      From: '+15005550101',
      Caller: '+15005550101',
      To: '+15005550006',
      Called: '+15005550006',
      ApiVersion: '2010-04-01',
      FromCity: '',
    });
    const signature = String(voice.headers['x-twilio-signature']);
    expect(validateRequest(TOKEN, signature, VOICE_URL, voice.fields)).toBe(true);

    const { messages } = app.media;
    expect(messages[1]!.start).toMatchObject({
      accountSid: call.accountSid,
      callSid: call.callSid,
      streamSid: call.streamSid,
      tracks: ['inbound', 'outbound'],
      customParameters: { from: '+15005550101' },
    });
    expect(audioOf(app.media, 'inbound')).toEqual(inbound);
    expect(audioOf(app.media, 'outbound')).toEqual(outbound);
    expect(call.status).toBe('completed');
  });

  it('has sids of two letters and 32 hex digits', async () => {
    const app = await start();
    const call = placeCall(direct(app));
    await call.done;
    expect(call.callSid).toMatch(/^CA[0-9a-f]{32}$/);
    expect(call.accountSid).toMatch(/^AC[0-9a-f]{32}$/);
    expect(call.streamSid).toMatch(/^MZ[0-9a-f]{32}$/);
  });

  it('numbers its messages, ends with stop and closes without a code', async () => {
    const app = await start();
    const call = placeCall(direct(app));
    await call.done;
    const { messages } = app.media;
    expect(messages[0]).toEqual({ event: 'connected', protocol: 'Call', version: '1.0.0' });
    expect(messages.slice(1).map((message) => message.sequenceNumber)).toEqual(
      messages.slice(1).map((_, n) => String(n + 1)),
    );
    expect(messages.at(-1)).toMatchObject({ event: 'stop', stop: { callSid: call.callSid } });
    expect(await app.media.closed).toBe(1005);
    expect(call.sent.messages).toBe(messages.length);
    expect(call.sent.frames).toEqual({ inbound: 100, outbound: 0 });
    expect(call.sent.inbound).toEqual(inbound);
    const types = call.events.seen.map(({ type }) => type);
    expect(types).toEqual(['stream-open', 'started', 'stopped', 'closed']);
  });

  it('sends its burst at once and the rest as time goes by', async () => {
    const app = await start();
    const call = placeCall(direct(app, { burstFrames: 11 }, { paceFactor: 0.001 }));
    await call.events.waitFor('started');
    expect(call.sent.frames.inbound).toBe(11);
    call.hangUp();
    expect((await call.done).end).toBe('stopped');
    expect(app.media.messages.filter((message) => message.event === 'media')).toHaveLength(11);
  });

  it('answers pings', async () => {
    const app = await start({ onSocket: ({ socket }) => socket.ping('are you there') });
    const call = placeCall(direct(app, { end: 'never' }));
    await call.events.waitFor('started');
    const [data] = (await once(app.media.socket, 'pong')) as [Buffer];
    expect(data.toString()).toBe('are you there');
    call.hangUp();
    expect((await call.done).end).toBe('stopped');
  });

  it('keeps a hundred calls apart', async () => {
    const app = await start();
    const calls = Array.from({ length: 100 }, (_, n) =>
      placeCall(direct(app, {}, { audio: { inbound: Buffer.alloc(1600, n) } })),
    );
    await Promise.all(calls.map((call) => call.done));
    expect(app.sockets).toHaveLength(100);
    for (const media of app.sockets) {
      const { callSid } = media.messages[1]!.start as { callSid: string };
      const call = calls.findIndex((each) => each.callSid === callSid);
      expect(audioOf(media, 'inbound')).toEqual(Buffer.alloc(1600, call));
    }
  });
});

describe('the handshake', () => {
  async function captureRequest(options: Partial<CallOptions> = {}): Promise<string> {
    const server = createTcpServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const url = 'wss://relay.example.com/media?secret=1';
    const dial = { host: '127.0.0.1', port, ...options.dial };
    const call = placeCall({ stream: { url }, authToken: TOKEN, ...options, dial: { ...dial, port } });
    const [socket] = (await once(server, 'connection')) as [Socket];
    const [request] = (await once(socket, 'data')) as [Buffer];
    socket.destroy();
    server.close();
    expect((await call.done).end).toBe('refused');
    return request.toString();
  }

  it("has exactly Twilio's headers, and no query", async () => {
    const request = await captureRequest();
    const key = /sec-websocket-key: (\S+)/.exec(request)?.[1] ?? '';
    const signature = /x-twilio-signature: (\S+)/.exec(request)?.[1] ?? '';
    expect(request).toBe(
      [
        'GET /media HTTP/1.1',
        'host: relay.example.com',
        'user-agent: Twilio.TmeWs/1.0',
        'connection: Upgrade',
        'upgrade: websocket',
        'sec-websocket-version: 13',
        `sec-websocket-key: ${key}`,
        `x-twilio-signature: ${signature}`,
        '\r\n',
      ].join('\r\n'),
    );
    expect(Buffer.from(key, 'base64')).toHaveLength(16);
    expect(signature).toHaveLength(28);
    expect(validateRequest(TOKEN, signature, URL_TO_DIAL, {})).toBe(true);
  });

  it('comes through a tunnel with another Host and the public one forwarded', async () => {
    const request = await captureRequest({ dial: { host: '127.0.0.1', port: 0, rewritesHost: true } });
    expect(request).toMatch(/\r\nhost: 127\.0\.0\.1:\d+\r\n/);
    expect(request).toContain('x-forwarded-host: relay.example.com\r\n');
    expect(request).toContain('x-forwarded-proto: https\r\n');
  });

  it.each([
    ['normal', 'wss://relay.example.com:8443/media', 'wss://relay.example.com/media'],
    ['add slash', URL_TO_DIAL, `${URL_TO_DIAL}/`],
    ['drop slash', `${URL_TO_DIAL}/`, URL_TO_DIAL],
    ['keep port', 'wss://relay.example.com:8443/media', 'wss://relay.example.com:8443/media'],
  ] as const)('is signed %s', async (signature, url, signed) => {
    const app = await start();
    await placeCall(direct(app, { signature }, { stream: { url } })).done;
    const header = String(app.media.request.headers['x-twilio-signature']);
    expect(validateRequest(TOKEN, header, signed, {})).toBe(true);
  });

  it('can be signed with a wrong token, or not at all', async () => {
    const app = await start();
    await placeCall(direct(app, { signature: 'wrong token' })).done;
    await placeCall(direct(app, { signature: 'none' })).done;
    const [wrong, none] = app.sockets.map(({ request }) => request.headers['x-twilio-signature']);
    expect(wrong).toHaveLength(28);
    expect(validateRequest(TOKEN, String(wrong), URL_TO_DIAL, {})).toBe(false);
    expect(none).toBeUndefined();
  });
});

describe('switches', () => {
  async function messagesWith(behaviour: Partial<Behaviour>, more: Partial<CallOptions> = {}) {
    const app = await start();
    const call = placeCall(direct(app, behaviour, { paceFactor: 1000, ...more }));
    await call.done;
    return { app, call, media: app.media };
  }

  it('list the tracks in the other order', async () => {
    const stream = { url: URL_TO_DIAL, tracks: ['inbound', 'outbound'] as const };
    const { media } = await messagesWith({ tracksOrder: 'outbound first' }, { stream });
    expect(media.messages[1]!.start.tracks).toEqual(['outbound', 'inbound']);
  });

  it('leave out customParameters, change version and media format', async () => {
    const mediaFormat = { encoding: 'audio/x-l16', sampleRate: 16_000, channels: 1 };
    const { media } = await messagesWith({ customParameters: 'missing', version: '0.2.0', mediaFormat });
    expect(media.messages[0]!.version).toBe('0.2.0');
    expect(media.messages[1]!.start).not.toHaveProperty('customParameters');
    expect(media.messages[1]!.start.mediaFormat).toEqual(mediaFormat);
  });

  it('say in sent what was left out by a gap', async () => {
    const { media, call } = await messagesWith({ gaps: [{ fromMs: 500, toMs: 1500 }] });
    const expected = Buffer.concat([inbound.subarray(0, 4000), inbound.subarray(12_000)]);
    expect(audioOf(media, 'inbound')).toEqual(expected);
    expect(call.sent.inbound).toEqual(expected);
  });

  it('send what should not be there', async () => {
    const { media } = await messagesWith({
      intrusions: [
        { kind: 'media before start' },
        { kind: 'unknown event', atMs: 100 },
        { kind: 'second start', atMs: 200 },
        { kind: 'binary frame', atMs: 300 },
        { kind: 'broken JSON', atMs: 400 },
        { kind: 'not an object', atMs: 500 },
        { kind: 'payload not base64', atMs: 600 },
        { kind: 'dtmf', atMs: 700 },
        { kind: 'stop for another stream', atMs: 800 },
        { kind: 'oversized message', atMs: 900 },
      ],
    });
    const { messages, texts, binaries } = media;
    const streamSid = messages.find((message) => message.event === 'start')!.streamSid;
    expect(messages.slice(0, 3).map((message) => message.event)).toEqual(['connected', 'media', 'start']);
    expect(messages[1]!.streamSid).toBe(streamSid);
    expect(messages.filter((message) => message.event === 'start')).toHaveLength(2);
    expect(messages.find((message) => message.event === 'sentiment')).toHaveProperty('sequenceNumber');
    expect(messages.find((message) => message.event === 'dtmf')!.dtmf.digit).toBe('5');
    expect(binaries).toHaveLength(1);
    expect(texts.length - messages.length).toBe(1);
    expect(messages.some((message) => Array.isArray(message))).toBe(true);
    expect(messages.some((message) => message.media?.payload?.includes('not base64'))).toBe(true);
    const stops = messages.filter((message) => message.event === 'stop');
    expect(stops.map((stop) => stop.streamSid === streamSid)).toEqual([false, true]);
    expect(Math.max(...texts.map((text) => text.length))).toBeGreaterThan(10_000_000);
  });

  it('send anything by hand', async () => {
    const app = await start();
    const call = placeCall(direct(app, { end: 'never' }));
    expect(() => call.sendRaw('too early')).toThrow('there is no stream yet');
    await call.events.waitFor('started');
    call.sendRaw('{"event":"by hand"}');
    call.sendRaw(Buffer.from([1, 2, 3]));
    call.hangUp();
    await call.done;
    expect(app.media.texts).toContain('{"event":"by hand"}');
    expect(app.media.binaries).toEqual([Buffer.from([1, 2, 3])]);
    expect(() => call.sendRaw('too late')).toThrow('the stream is closed');
  });

  it.each([
    ['stop, 1005', 1005, true, 'stopped'],
    ['stop, 1000', 1000, true, 'stopped'],
    ['close without stop', 1005, false, 'broken off'],
    ['reset', 1006, false, 'broken off'],
  ] as const)('end the stream by %s', async (end, code, hasStop, outcome) => {
    const { media, call } = await messagesWith({ end });
    expect(await media.closed).toBe(code);
    expect(media.messages.some((message) => message.event === 'stop')).toBe(hasStop);
    expect((await call.done).end).toBe(outcome);
    // A stream that Twilio loses is not the end of the call.
    expect(call.status).toBe(hasStop ? 'completed' : 'in-progress');
    call.hangUp();
    expect(call.status).toBe('completed');
  });
});

describe('status callbacks', () => {
  const stream = { url: URL_TO_DIAL, statusCallback: STATUS_URL, name: 'attempt-1' };

  it.each([
    ['after socket', ['socket', 'stream-started', 'stop', 'close', 'stream-stopped']],
    ['before socket', ['stream-started', 'socket', 'stream-stopped', 'stop', 'close']],
  ] as const)('come %s, signed', async (statusCallback, order) => {
    const app = await start();
    const call = placeCall(direct(app, { statusCallback }, { stream, paceFactor: 4 }));
    await call.done;
    await app.media.closed;
    expect(app.order).toEqual(order);
    expect(app.forms[0]!.fields).toEqual({
      AccountSid: call.accountSid,
      CallSid: call.callSid,
      StreamSid: call.streamSid,
      StreamName: 'attempt-1',
      StreamEvent: 'stream-started',
      Timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$/),
    });
    for (const { headers, fields } of app.forms) {
      expect(validateRequest(TOKEN, String(headers['x-twilio-signature']), STATUS_URL, fields)).toBe(true);
    }
    const answered = call.events.seen.filter((event) => event.type === 'callback');
    expect(answered).toEqual([
      { type: 'callback', streamEvent: 'stream-started', status: 204 },
      { type: 'callback', streamEvent: 'stream-stopped', status: 204 },
    ]);
  });

  it('come as GET with a signed query, and name the stream by its sid when it has no name', async () => {
    const app = await start();
    const get = {
      url: URL_TO_DIAL,
      statusCallback: `${STATUS_URL}?a=1`,
      statusCallbackMethod: 'GET' as const,
    };
    const call = placeCall(direct(app, {}, { stream: get }));
    await call.done;
    const [started] = app.forms;
    expect(started).toMatchObject({ method: 'GET', fields: { a: '1', StreamName: call.streamSid } });
    const signed = `https://relay.example.com${started!.path}`;
    expect(validateRequest(TOKEN, String(started!.headers['x-twilio-signature']), signed, {})).toBe(true);
  });

  it('do not stop a call whose callbacks nobody answers', async () => {
    const app = await start();
    const nowhere = { url: URL_TO_DIAL, statusCallback: 'not a url' };
    expect((await placeCall(direct(app, {}, { stream: nowhere })).done).end).toBe('stopped');
  });

  it('tell of a stream that was refused, and Twilio does not try again', async () => {
    const app = await start({ refuseWith: 403 });
    const call = placeCall(direct(app, {}, { stream }));
    expect(await call.events.next('refused')).toEqual({ type: 'refused', code: 31920, status: 403 });
    expect(await call.done).toEqual({ end: 'refused', faults: [31920] });
    expect(app.forms.map(({ fields }) => fields['StreamEvent'])).toEqual(['stream-error']);
    expect(app.forms[0]!.fields['StreamError']).toBe('Stream - WebSocket - Handshake Error');
    expect(call.status).toBe('in-progress');
  });
});

describe('what the server does', () => {
  it.each([1000, 1001, 1011, undefined])('closing with %s is 31921', async (code) => {
    const app = await start({
      onSocket: ({ socket }) => void socket.once('message', () => socket.close(code)),
    });
    const call = placeCall(direct(app, { end: 'never' }));
    expect((await call.events.next('closed')).code).toBe(code ?? 1005);
    expect(await call.done).toEqual({ end: 'lost', faults: [31921] });
    expect(call.status).toBe('in-progress');
  });

  it('closing slowly is a loss from the moment it begins, and nothing after that counts as sent', async () => {
    const app = await start({
      onSocket: ({ socket }) =>
        void socket.once('message', () => {
          socket.close(1001);
          socket.pause();
        }),
    });
    const call = placeCall(direct(app, {}, { paceFactor: 4 }));
    await call.events.waitFor('started');
    // As long as the first one would have gone on.
    await placeCall(direct(await start(), {}, { paceFactor: 4 })).done;
    app.media.socket.resume();
    expect(await call.done).toEqual({ end: 'lost', faults: [31921] });
    expect(call.sent.frames.inbound).toBeLessThan(100);
  });

  it('cutting TCP is 31903', async () => {
    const app = await start({
      onSocket: ({ socket }) => void socket.once('message', () => socket.terminate()),
    });
    const call = placeCall(direct(app, { end: 'never' }));
    expect(await call.done).toEqual({ end: 'lost', faults: [31903] });
  });

  it('breaking the WebSocket protocol is 31924', async () => {
    const app = await start({
      onSocket: ({ request }) => void request.socket.write(Buffer.from([0xff, 0x00])),
    });
    const call = placeCall(direct(app, { end: 'never' }));
    expect(await call.done).toEqual({ end: 'lost', faults: [31924] });
  });

  it('sending text is 31951 once and binary 31950 once, and the stream goes on', async () => {
    const app = await start({
      onSocket: ({ socket }) => {
        for (const message of ['{"event":"clear"}', 'x', Buffer.from([1]), Buffer.from([2])])
          socket.send(message);
      },
    });
    const call = placeCall(direct(app, { end: 'never' }));
    await call.events.next('fault');
    await call.events.next('fault');
    call.hangUp();
    expect(await call.done).toEqual({ end: 'stopped', faults: [31951, 31950] });
    const faults = call.events.seen.filter((event) => event.type === 'fault');
    expect(faults.map(({ level }) => level)).toEqual(['warning', 'warning']);
  });

  it('not reading is 31930 once, and frames are dropped instead of piling up', async () => {
    const app = await start({ onSocket: ({ socket }) => void socket.pause() });
    const audio = { inbound: Buffer.alloc(8000 * 600) };
    const call = placeCall(
      direct(app, {}, { audio, paceFactor: 100_000, bufferLimitBytes: 4096, closeWaitMs: 20 }),
    );
    expect((await call.events.next('fault')).code).toBe(31930);
    const { faults } = await call.done;
    expect(faults).toEqual([31930]);
    expect(call.sent.framesDropped).toBeGreaterThan(0);
    expect(call.sent.frames.inbound + call.sent.framesDropped).toBe(30_000);
  });

  it('not answering our close is waited for only so long', async () => {
    const app = await start({ onSocket: ({ socket }) => void socket.pause() });
    const call = placeCall(direct(app, {}, { closeWaitMs: 20 }));
    expect((await call.events.next('closed')).code).toBe(1006);
    expect((await call.done).end).toBe('stopped');
  });

  it('not being there is 31902', async () => {
    const app = await start();
    const { dial } = app;
    await app.close();
    apps.pop();
    const call = placeCall({ stream: { url: URL_TO_DIAL }, dial });
    expect(await call.done).toEqual({ end: 'refused', faults: [31902] });
  });

  it('not answering the handshake is 31901', async () => {
    const server = createTcpServer((socket) => void socket.on('error', () => undefined));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const dial = { host: '127.0.0.1', port };
    const call = placeCall({ stream: { url: URL_TO_DIAL }, dial, connectTimeoutMs: 20 });
    expect(await call.done).toEqual({ end: 'refused', faults: [31901] });
    server.close();
  });

  it.each([
    ['ws://relay.example.com/media', 31922],
    ['https://relay.example.com/media', 31922],
    ['media', 31923],
  ])('giving the URL %s is %d, without dialling', async (url, code) => {
    const app = await start();
    expect(await placeCall(direct(app, {}, { stream: { url } })).done).toEqual({
      end: 'refused',
      faults: [code],
    });
    expect(app.sockets).toHaveLength(0);
  });
});

describe('a webhook', () => {
  it('with nothing after <Start> cuts the call', async () => {
    const app = await start({ twiml: TWIML.replace(/<Dial>.*<\/Dial>/, '') });
    const call = placeCall({ voiceUrl: VOICE_URL, dial: app.dial, audio: { inbound }, paceFactor: 0.001 });
    expect((await call.done).end).toBe('stopped');
    expect(app.media.messages.map((message) => message.event)).toEqual(['connected', 'start', 'stop']);
  });

  it.each([
    ['that refuses', { status: 403 }, 11200],
    ['that fails', { status: 500 }, 11200],
    ['that answers something else than XML', { contentType: 'application/json', twiml: '{}' }, 12300],
    ['that answers broken XML', { twiml: '<Response>' }, 12100],
    ['that answers wrong TwiML', { twiml: '<Answer/>' }, 12200],
  ])('%s ends the call', async (_, options, code) => {
    const app = await start(options);
    const call = placeCall({ voiceUrl: VOICE_URL, dial: app.dial });
    const { end, faults, error } = await call.done;
    expect({ end, faults }).toEqual({ end: 'webhook failed', faults: [code] });
    expect(error?.message).toMatch(new RegExp(`^${code} `));
    expect(call.status).toBe('completed');
    await expect(call.events.next('started')).rejects.toThrow('ended without the event started');
  });

  it('that nobody answers ends the call', async () => {
    const app = await start();
    const { dial } = app;
    await app.close();
    apps.pop();
    expect(await placeCall({ voiceUrl: VOICE_URL, dial }).done).toMatchObject({
      end: 'webhook failed',
      faults: [11200],
    });
  });

  it('without a stream is a call without a stream', async () => {
    const app = await start({ twiml: '<Response><Say>Hello.</Say></Response>' });
    expect(await placeCall({ voiceUrl: VOICE_URL, dial: app.dial }).done).toEqual({
      end: 'no stream',
      faults: [],
    });
  });
});

describe('hanging up', () => {
  it('in the middle ends the stream as the end of the call does', async () => {
    const app = await start();
    const call = placeCall(direct(app, {}, { paceFactor: 0.001 }));
    await call.events.waitFor('started');
    call.hangUp();
    call.hangUp();
    expect((await call.done).end).toBe('stopped');
    expect(app.media.messages.at(-1)!.event).toBe('stop');
    expect(app.media.messages.filter((message) => message.event === 'stop')).toHaveLength(1);
  });

  it('before anything happened leaves no stream', async () => {
    const app = await start();
    const call = placeCall(direct(app));
    call.hangUp();
    expect(await call.done).toEqual({ end: 'abandoned', faults: [] });
    expect(app.sockets).toHaveLength(0);
  });
});

describe('options that make no sense', () => {
  it('are refused', () => {
    expect(() => placeCall({})).toThrow('placeCall needs either voiceUrl or stream');
    expect(() => placeCall({ voiceUrl: VOICE_URL, stream: { url: URL_TO_DIAL } })).toThrow(TypeError);
    expect(() => placeCall({ voiceUrl: 'voice' })).toThrow('voiceUrl must be an absolute URL');
  });
});
