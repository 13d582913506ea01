import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { WebSocketServer, type ClientOptions } from 'ws';
import type { CallEvent } from '../../../runtime/model/call-event';
import { createLogger } from '../../../runtime/observability/logger';
import { Metrics } from '../../../runtime/observability/metrics';
import { TwilioMediaStream, type MediaStreamOptions } from '../../../runtime/twilio/twilio-media-stream';
import { WsPeer } from '../../support/ws-peer';

const MZ = `MZ${'0123456789abcdef'.repeat(2)}`;
const CA = `CA${'0123456789abcdef'.repeat(2)}`;
const AC = `AC${'0123456789abcdef'.repeat(2)}`;

const CONNECTED = { event: 'connected', protocol: 'Call', version: '1.0.0' };
const MU_LAW = { encoding: 'audio/x-mulaw', sampleRate: 8000, channels: 1 };

const startMessage = (body: object = {}) => ({
  event: 'start',
  sequenceNumber: '1',
  start: {
    accountSid: AC,
    streamSid: MZ,
    callSid: CA,
    tracks: ['inbound'],
    mediaFormat: MU_LAW,
    customParameters: {},
    ...body,
  },
});
const media = (sequenceNumber: number, body: object = {}, streamSid = MZ) => ({
  event: 'media',
  sequenceNumber: String(sequenceNumber),
  media: {
    track: 'inbound',
    chunk: '1',
    timestamp: String(sequenceNumber * 20),
    payload: Buffer.from([sequenceNumber]).toString('base64'),
    ...body,
  },
  streamSid,
});
const stop = (streamSid = MZ) => ({
  event: 'stop',
  sequenceNumber: '99',
  streamSid,
  stop: { accountSid: AC, callSid: CA },
});

/** Keeps a leg's events and lets a test wait for the next one of a kind. */
class Recorder {
  readonly events: CallEvent[] = [];
  readonly #waiting = new Set<() => void>();

  accept(event: CallEvent): void {
    this.events.push(event);
    for (const wake of this.#waiting) wake();
  }

  async until(isReached: (events: readonly CallEvent[]) => boolean): Promise<void> {
    while (!isReached(this.events)) {
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          this.#waiting.delete(wake);
          resolve();
        };
        this.#waiting.add(wake);
      });
    }
  }

  ended(): Promise<void> {
    return this.until((events) => events.some(({ type }) => type === 'ended'));
  }

  get types(): string[] {
    return this.events.map((event) => (event.type === 'ended' ? `ended ${event.reason}` : event.type));
  }

  get audio(): number[] {
    return this.events.flatMap((event) => (event.type === 'audio' ? [...event.payload] : []));
  }
}

interface Bench {
  readonly peer: WsPeer;
  readonly stream: TwilioMediaStream;
  readonly recorder: Recorder;
  readonly metrics: Metrics;
}

const open: { readonly server: WebSocketServer; readonly peer: WsPeer }[] = [];

async function connect(
  options: Partial<MediaStreamOptions> = {},
  peerOptions: ClientOptions = {},
): Promise<Bench> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', maxPayload: 64 * 1024 });
  await once(server, 'listening');
  const recorder = new Recorder();
  const metrics = new Metrics();
  const accepted = new Promise<TwilioMediaStream>((resolve) =>
    server.once('connection', (socket) =>
      resolve(
        new TwilioMediaStream({
          socket,
          listener: recorder,
          accountSid: AC,
          tracks: ['inbound', 'outbound'],
          logger: createLogger('silent', 1),
          metrics,
          ...options,
        }),
      ),
    ),
  );
  const peer = await WsPeer.connect(
    `ws://127.0.0.1:${(server.address() as AddressInfo).port}/media`,
    peerOptions,
  );
  open.push({ server, peer });
  return { peer, stream: await accepted, recorder, metrics };
}

/** A stream that has sent `start`, with its one `started` event. */
async function started(
  options: Partial<MediaStreamOptions> = {},
  body: object = {},
  peerOptions: ClientOptions = {},
): Promise<Bench> {
  const bench = await connect(options, peerOptions);
  bench.peer.send(CONNECTED);
  bench.peer.send(startMessage(body));
  await bench.recorder.until((events) => events.length > 0);
  return bench;
}

/** What the peer has sent so far has been read: a pong comes after it. */
async function received({ socket }: WsPeer): Promise<void> {
  socket.ping();
  await once(socket, 'pong');
}

const ignored = ({ metrics }: Bench, reason: string): number =>
  metrics.value('twilioMessagesIgnored', reason);

afterEach(async () => {
  for (const { server, peer } of open.splice(0)) {
    peer.socket.terminate();
    for (const socket of server.clients) socket.terminate();
    await new Promise((resolve) => server.close(resolve));
  }
});

describe('a call from start to stop', () => {
  it('becomes started, audio and one ended, and Twilio is sent nothing', async () => {
    const { peer, recorder, stream, metrics } = await started({}, { customParameters: { from: 'a' } });
    for (let n = 2; n < 13; n++) peer.send(media(n));
    peer.send(stop());
    await recorder.ended();
    peer.socket.close();
    await stream.closed;
    expect(recorder.events[0]).toEqual({
      type: 'started',
      callSid: CA,
      streamSid: MZ,
      accountSid: AC,
      tracks: ['inbound'],
      parameters: { from: 'a' },
    });
    expect(recorder.events[1]).toEqual({
      type: 'audio',
      track: 'inbound',
      timestampMs: 40,
      payload: Buffer.from([2]),
    });
    expect(recorder.audio).toEqual([2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    expect(recorder.types.slice(-2)).toEqual(['audio', 'ended stopped']);
    expect(peer.pending).toBe(0);
    expect(stream.state).toBe('ended');
    expect(metrics.value('twilioMessagesIgnored')).toBe(0);
  });

  it('answers the close that follows stop at once, without a code of its own', async () => {
    const { peer, recorder } = await started();
    peer.send(stop());
    await recorder.ended();
    peer.socket.close();
    expect((await peer.closed()).code).toBe(1005);
  });

  it('closes by itself when nothing follows stop', async () => {
    const { peer, recorder } = await started({ closeTimeoutMs: 20 });
    peer.send(stop());
    expect((await peer.closed()).code).toBe(1000);
    expect(recorder.types).toEqual(['started', 'ended stopped']);
  });

  it('gives the tracks of the stream that the setting wants, in channel order', async () => {
    const two = await started({}, { tracks: ['outbound', 'inbound'] });
    expect(two.recorder.events[0]).toMatchObject({ tracks: ['inbound', 'outbound'] });
    const one = await started({ tracks: ['inbound'] }, { tracks: ['outbound', 'inbound'] });
    expect(one.recorder.events[0]).toMatchObject({ tracks: ['inbound'] });
  });

  it('takes any account when none is configured', async () => {
    const { recorder } = await started({ accountSid: undefined });
    expect(recorder.types).toEqual(['started']);
  });
});

describe('messages that count for nothing', () => {
  it.each([
    ['binary', Buffer.from(JSON.stringify(media(2)))],
    ['not-json', '{"event":"media",'],
    ['malformed', '[]'],
    ['unknown-event', { event: 'party', streamSid: MZ }],
    ['second-start', startMessage()],
    ['second-start', startMessage({ streamSid: 'MZ2', callSid: 'CA2' })],
    ['other-stream', media(2, {}, 'MZ2')],
    ['other-stream', stop('MZ2')],
    ['bad-payload', media(2, { payload: '*' })],
    ['bad-track', media(2, { track: 'both' })],
    ['empty-payload', media(2, { payload: '' })],
    ['track-off', media(2, { track: 'outbound' })],
    ['dtmf', { event: 'dtmf', streamSid: MZ, dtmf: { track: 'inbound_track', digit: '1' } }],
    ['mark', { event: 'mark', streamSid: MZ, mark: { name: 'x' } }],
  ])('%s is counted, and the call goes on', async (reason, message) => {
    const bench = await started();
    bench.peer.send(message);
    bench.peer.send(media(3));
    bench.peer.send(stop());
    await bench.recorder.ended();
    expect(bench.recorder.types).toEqual(['started', 'audio', 'ended stopped']);
    expect(bench.recorder.audio).toEqual([3]);
    expect(ignored(bench, reason)).toBe(1);
    expect(bench.metrics.value('twilioMessagesIgnored')).toBe(1);
  });

  it('media and stop before start are counted, and start still starts the leg', async () => {
    const bench = await connect();
    bench.peer.send(media(1));
    bench.peer.send(stop());
    bench.peer.send(startMessage());
    bench.peer.send(media(2));
    await bench.recorder.until((events) => events.length === 2);
    expect(bench.recorder.types).toEqual(['started', 'audio']);
    expect(ignored(bench, 'before-start')).toBe(2);
  });

  it('audio after stop is counted and belongs to no leg', async () => {
    const bench = await started();
    bench.peer.send(stop());
    bench.peer.send(media(3));
    bench.peer.send(stop());
    bench.peer.socket.close();
    await bench.stream.closed;
    expect(bench.recorder.types).toEqual(['started', 'ended stopped']);
    expect(ignored(bench, 'after-end')).toBe(2);
  });

  it('a repeated sequence number is a repeated frame, a late one is not', async () => {
    const bench = await started();
    for (const n of [2, 3, 3, 5, 2, 4]) bench.peer.send(media(n));
    bench.peer.send(stop());
    await bench.recorder.ended();
    expect(bench.recorder.audio).toEqual([2, 3, 5, 4]);
    expect(ignored(bench, 'duplicate')).toBe(2);
  });

  it('what the listener throws on costs that one message', async () => {
    const recorder = new Recorder();
    const listener = {
      accept(event: CallEvent) {
        if (event.type === 'audio' && event.payload[0] === 3) throw new Error('no room');
        recorder.accept(event);
      },
    };
    const bench = await connect({ listener });
    bench.peer.send(startMessage());
    for (const n of [2, 3, 4]) bench.peer.send(media(n));
    bench.peer.send(stop());
    await recorder.ended();
    expect(recorder.audio).toEqual([2, 4]);
    expect(ignored(bench, 'listener-failed')).toBe(1);
  });

  it('a listener that always throws does not stop the stream from ending', async () => {
    const bench = await connect({
      listener: {
        accept() {
          throw new Error('broken');
        },
      },
    });
    bench.peer.send(startMessage());
    bench.peer.send(media(2));
    bench.peer.send(stop());
    bench.peer.socket.close();
    await bench.stream.closed;
    expect(bench.stream.state).toBe('ended');
    expect(ignored(bench, 'listener-failed')).toBe(3);
  });
});

describe('streams that are not taken', () => {
  it.each([
    ['media-format', 1003, { mediaFormat: { encoding: 'audio/L16', sampleRate: 16000, channels: 1 } }],
    ['media-format', 1003, { mediaFormat: { ...MU_LAW, sampleRate: 16000 } }],
    ['media-format', 1003, { mediaFormat: { ...MU_LAW, channels: 2 } }],
    ['media-format', 1003, { mediaFormat: undefined }],
    ['account', 1008, { accountSid: `AC${'f'.repeat(32)}` }],
    ['tracks', 1008, { tracks: ['outbound'] }],
    ['tracks', 1008, { tracks: [] }],
  ])('%s: closed with %p and never started', async (reason, code, body) => {
    const bench = await connect({ tracks: ['inbound'] });
    bench.peer.send(startMessage(body));
    bench.peer.send(media(2));
    expect((await bench.peer.closed()).code).toBe(code);
    await bench.stream.closed;
    expect(bench.recorder.events).toEqual([]);
    expect(bench.metrics.value('requestsRefused', reason)).toBe(1);
    expect(bench.metrics.value('requestsRefused')).toBe(1);
  });

  it('a stream of an account that has enough calls is closed with 1013, once its ticket is good', async () => {
    const asked: unknown[] = [];
    const bench = await connect({
      checkTicket: async () => undefined,
      refuse: (stream) => (asked.push(stream) > 0 ? 'account-full' : undefined),
    });
    for (const message of [startMessage(), media(2)]) bench.peer.send(message);
    expect((await bench.peer.closed()).code).toBe(1013);
    await bench.stream.closed;
    expect(asked).toMatchObject([{ accountSid: AC, callSid: CA }]);
    expect(bench.recorder.events).toEqual([]);
    expect(bench.metrics.value('requestsRefused', 'account-full')).toBe(1);
  });

  it('a stream without start is closed in time, however much else it says', async () => {
    const bench = await connect({ startTimeoutMs: 20 });
    bench.peer.send(CONNECTED);
    bench.peer.send(media(2));
    expect((await bench.peer.closed()).code).toBe(1008);
    expect(bench.recorder.events).toEqual([]);
    expect(bench.metrics.value('requestsRefused', 'start-timeout')).toBe(1);
  });

  it('a stream that started is not closed by the start limit', async () => {
    const bench = await started({ startTimeoutMs: 500, pingIntervalMs: 100 });
    for (let pings = 0; pings < 6; pings++) await once(bench.peer.socket, 'ping');
    bench.peer.send(stop());
    await bench.recorder.ended();
    expect(bench.recorder.types).toEqual(['started', 'ended stopped']);
  });
});

describe('while the ticket is looked at', () => {
  const checked = (): {
    answer: (refusal?: 'used-ticket') => void;
    checkTicket: NonNullable<MediaStreamOptions['checkTicket']>;
    asked: Promise<readonly unknown[]>;
  } => {
    let answer: (refusal?: 'used-ticket') => void = () => undefined;
    const answered = new Promise<'used-ticket' | undefined>((resolve) => (answer = resolve));
    let tell: (question: readonly unknown[]) => void = () => undefined;
    const asked = new Promise<readonly unknown[]>((resolve) => (tell = resolve));
    const checkTicket = (...question: readonly unknown[]): Promise<'used-ticket' | undefined> => {
      tell(question);
      return answered;
    };
    return { answer, checkTicket, asked };
  };
  const withTicket = startMessage({ customParameters: { from: '+15005550006', ticket: 'the ticket' } });

  it('what comes is kept, in order, and the ticket goes no further', async () => {
    const { answer, checkTicket, asked } = checked();
    const bench = await connect({ checkTicket });
    for (const message of [withTicket, media(2), media(3), stop()]) bench.peer.send(message);
    expect(await asked).toEqual([{ callSid: CA, accountSid: AC }, 'the ticket']);
    await received(bench.peer);
    expect(bench.recorder.events).toEqual([]);
    answer();
    await bench.recorder.ended();
    expect(bench.recorder.types).toEqual(['started', 'audio', 'audio', 'ended stopped']);
    expect(bench.recorder.audio).toEqual([2, 3]);
    expect(bench.recorder.events[0]).toMatchObject({ parameters: { from: '+15005550006' } });
    expect(JSON.stringify(bench.recorder.events)).not.toContain('the ticket');
  });

  it('a refusal closes with 1008, and nothing of the stream is heard', async () => {
    const { answer, checkTicket } = checked();
    const bench = await connect({ checkTicket });
    for (const message of [withTicket, media(2)]) bench.peer.send(message);
    answer('used-ticket');
    expect((await bench.peer.closed()).code).toBe(1008);
    await bench.stream.closed;
    expect(bench.recorder.events).toEqual([]);
    expect(bench.metrics.value('requestsRefused', 'used-ticket')).toBe(1);
  });

  it.each([
    ['good', undefined, ['started', 'audio', 'ended stream-lost']],
    ['bad', 'used-ticket', []],
  ] as const)(
    'a stream that is gone before the answer counts if its ticket is %s',
    async (_, refusal, types) => {
      const { answer, checkTicket, asked } = checked();
      const bench = await connect({ checkTicket });
      for (const message of [withTicket, media(2)]) bench.peer.send(message);
      await asked;
      await received(bench.peer);
      bench.peer.socket.close();
      await bench.peer.closed();
      answer(refusal);
      await bench.stream.closed;
      expect(bench.recorder.types).toEqual(types);
      expect(bench.stream.state).toBe('ended');
    },
  );

  it('no more than 256 KiB are kept', async () => {
    const { answer, checkTicket } = checked();
    const bench = await connect({ checkTicket });
    bench.peer.send(withTicket);
    const payload = Buffer.alloc(24_000, 1).toString('base64');
    for (let n = 2; n < 12; n++) bench.peer.send(media(n, { payload }));
    await received(bench.peer);
    answer();
    await bench.recorder.until((events) => events.length > 0);
    expect(bench.recorder.audio).toHaveLength(8 * 24_000);
    expect(ignored(bench, 'held-full')).toBe(2);
  });

  it('our close ends a stream that is gone by then', async () => {
    const { answer, checkTicket, asked } = checked();
    const bench = await connect({ checkTicket });
    bench.peer.send(withTicket);
    await asked;
    const [socket] = open[0]!.server.clients;
    bench.peer.socket.close();
    await once(socket!, 'close');
    bench.stream.close('drained');
    answer();
    await bench.stream.closed;
    expect(bench.recorder.events).toEqual([]);
    expect(bench.stream.state).toBe('ended');
  });

  it('our close ends the stream before it began', async () => {
    const { answer, checkTicket, asked } = checked();
    const bench = await connect({ checkTicket });
    bench.peer.send(withTicket);
    await asked;
    bench.stream.close('drained');
    answer();
    expect((await bench.peer.closed()).code).toBe(1001);
    await bench.stream.closed;
    expect(bench.recorder.events).toEqual([]);
  });
});

describe('sockets that end', () => {
  it.each([
    ['closes without stop', (peer: WsPeer) => peer.socket.close(1000)],
    ['is cut', (peer: WsPeer) => peer.socket.terminate()],
  ])('a socket that %s loses the leg once', async (_what, end) => {
    const bench = await started();
    end(bench.peer);
    await bench.stream.closed;
    expect(bench.recorder.types).toEqual(['started', 'ended stream-lost']);
    expect(bench.stream.state).toBe('ended');
  });

  it('a socket that goes before start leaves no events', async () => {
    const bench = await connect();
    bench.peer.socket.terminate();
    await bench.stream.closed;
    expect(bench.recorder.events).toEqual([]);
    expect(bench.stream.state).toBe('ended');
  });

  it('an oversized message ends that leg as a protocol error, with 1009', async () => {
    const bench = await started();
    bench.peer.send('x'.repeat(64 * 1024 + 1));
    expect((await bench.peer.closed()).code).toBe(1009);
    await bench.stream.closed;
    expect(bench.recorder.types).toEqual(['started', 'ended protocol-error']);
    expect(ignored(bench, 'too-large')).toBe(1);
  });

  it('a frame that is none ends its socket with 1002, and is counted before there is a leg, too', async () => {
    const bench = await connect();
    (bench.peer.socket as unknown as { readonly _socket: Socket })._socket.write(
      Buffer.from([0xff, 0x80, 0, 0, 0, 0]),
    );
    expect((await bench.peer.closed()).code).toBe(1002);
    await bench.stream.closed;
    expect([bench.recorder.types, ignored(bench, 'broken-frame')]).toEqual([[], 1]);
  });

  describe('of a peer that sends audio faster than anybody speaks', () => {
    const SECOND = Buffer.alloc(8_000, 0x55).toString('base64');

    it('two minutes more than the time allow end that leg as a protocol error', async () => {
      const bench = await started({ now: () => 5_000 });
      for (let second = 1; second <= 121; second += 1) bench.peer.send(media(second, { payload: SECOND }));
      expect((await bench.peer.closed()).code).toBe(1002);
      await bench.recorder.ended();
      const audio = bench.recorder.types.filter((type) => type.startsWith('audio'));
      expect([audio.length, bench.recorder.types.at(-1)]).toEqual([120, 'ended protocol-error']);
      expect(ignored(bench, 'too-fast')).toBe(1);
    });

    it('each track has a bound of its own, and with the time more may have been said', async () => {
      let nowMs = 5_000;
      const bench = await started({ now: () => nowMs }, { tracks: ['inbound', 'outbound'] });
      for (let second = 1; second <= 100; second += 1) {
        bench.peer.send(media(2 * second, { payload: SECOND }));
        bench.peer.send(media(2 * second + 1, { payload: SECOND, track: 'outbound' }));
      }
      await received(bench.peer);
      nowMs += 3_600_000;
      for (let second = 201; second <= 300; second += 1) bench.peer.send(media(second, { payload: SECOND }));
      await received(bench.peer);
      expect([bench.stream.state, ignored(bench, 'too-fast')]).toEqual(['streaming', 0]);
    });
  });

  it('close ends the leg once, with 1001 when draining, however often it is called', async () => {
    const bench = await started();
    bench.stream.close('drained');
    bench.stream.close('protocol-error');
    expect((await bench.peer.closed()).code).toBe(1001);
    await bench.stream.closed;
    bench.stream.close('drained');
    expect(bench.stream.state).toBe('ended');
    expect(bench.recorder.types).toEqual(['started', 'ended drained']);
  });

  it('close before start closes the socket and leaves no events', async () => {
    const bench = await connect();
    bench.stream.close('drained');
    expect((await bench.peer.closed()).code).toBe(1001);
    expect(bench.recorder.events).toEqual([]);
  });

  it('close inside of the started event still gives exactly one ended', async () => {
    const recorder = new Recorder();
    const bench: Bench = await connect({
      listener: {
        accept(event) {
          recorder.accept(event);
          if (event.type === 'started') bench.stream.close('drained');
        },
      },
    });
    bench.peer.send(startMessage());
    await bench.peer.closed();
    expect(recorder.types).toEqual(['started', 'ended drained']);
  });

  it('a peer that does not answer the close is cut', async () => {
    const bench = await started({ closeTimeoutMs: 20 });
    bench.peer.socket.pause();
    bench.stream.close('drained');
    await bench.stream.closed;
    expect(bench.stream.state).toBe('ended');
  });
});

describe('pings', () => {
  /** Pings come quickly; idle time passes only when the test says so. */
  function quick(): { readonly options: Partial<MediaStreamOptions>; pass(ms: number): void } {
    let nowMs = 0;
    return {
      options: { pingIntervalMs: 10, closeTimeoutMs: 20, now: () => nowMs },
      pass: (ms) => {
        nowMs += ms;
      },
    };
  }

  it('a silent stream whose peer answers pings stays', async () => {
    const { options, pass } = quick();
    const bench = await started(options);
    for (let pings = 0; pings < 10; pings++) {
      await once(bench.peer.socket, 'ping');
      pass(20_000);
    }
    expect(bench.recorder.types).toEqual(['started']);
  });

  it('a stream with media stays, though nobody answers its pings', async () => {
    const { options, pass } = quick();
    const bench = await started(options, {}, { autoPong: false });
    for (let n = 2; n < 10; n++) {
      bench.peer.send(media(n));
      await bench.recorder.until((events) => events.length === n);
      pass(60_000);
      await once(bench.peer.socket, 'ping');
    }
    expect(bench.recorder.types).not.toContain('ended stream-lost');
  });

  it('neither media nor a pong for 75 s loses the leg', async () => {
    const { options, pass } = quick();
    const bench = await started(options, {}, { autoPong: false });
    pass(75_000);
    await once(bench.peer.socket, 'ping');
    await once(bench.peer.socket, 'ping');
    expect(bench.recorder.types).toEqual(['started']);
    pass(1);
    await bench.recorder.ended();
    expect(bench.recorder.types).toEqual(['started', 'ended stream-lost']);
    await bench.stream.closed;
  });

  it('messages that count for nothing do not keep a stream', async () => {
    const { options, pass } = quick();
    const bench = await started(options, {}, { autoPong: false });
    pass(70_000);
    bench.peer.send('noise');
    pass(10_000);
    await bench.recorder.ended();
    expect(bench.recorder.types).toEqual(['started', 'ended stream-lost']);
  });
});
