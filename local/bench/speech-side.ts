import { createHash, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { json } from 'node:stream/consumers';
import { BenchSession } from './bench-session';
import { SAID } from './bench-transcripts';
import { FRAME_BYTES, type FrameTimes } from './frame-tags';
import { PassedMedia } from './passed-media';
import type { Certificate } from './certificate';

export interface SpeechSideOptions {
  readonly times: FrameTimes;
  /** Of what does not come by `POST /v2/live`. */
  readonly channels: number;
  /** With it: https and wss. */
  readonly certificate?: Certificate | undefined;
}

/** Media as Twilio sends it, passed on by something that does not look into it. */
export const PASSED_PATH = '/media';
/** Audio without a session made before. */
export const PIPE_PATH = '/pipe';
const WEBSOCKET_GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
/** Each session speaks in one of so many moments of its turn. */
const SLOTS = 50;

/**
 * The speech server of the bench, with the load in one process, so that both have one clock: as cheap as can be and
 * no recogniser. Acknowledges every message, and says what `SAID` says.
 */
export class SpeechSide {
  readonly #options: SpeechSideOptions;
  readonly #server;
  readonly #sessions = new Map<string, BenchSession>();
  readonly #passed: PassedMedia[] = [];
  readonly #sockets = new Set<Duplex>();
  #timer: NodeJS.Timeout | undefined;
  #slot = 0;
  #over = { bytes: 0, misplacedFrames: 0 };

  constructor(options: SpeechSideOptions) {
    this.#options = options;
    const { certificate } = options;
    this.#server =
      certificate === undefined
        ? createServer()
        : createSecureServer({ cert: certificate.certificate, key: certificate.key });
    this.#server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      void this.#answer(request, response);
    });
    this.#server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) =>
      this.#take(request, socket, head),
    );
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** http or https. */
  get url(): string {
    return this.#options.certificate === undefined
      ? `http://127.0.0.1:${this.port}`
      : `https://localhost:${this.port}`;
  }

  /** ws or wss. */
  get socketUrl(): string {
    return this.url.replace('http', 'ws');
  }

  /** Whole frames of one track. */
  get receivedFrames(): number {
    let bytes = this.#over.bytes;
    for (const each of [...this.#sessions.values(), ...this.#passed]) bytes += each.receivedBytes;
    return Math.floor(bytes / FRAME_BYTES);
  }

  get misplacedFrames(): number {
    let frames = this.#over.misplacedFrames;
    for (const session of this.#sessions.values()) frames += session.misplacedFrames;
    return frames;
  }

  async listen(): Promise<void> {
    this.#server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 });
    await once(this.#server, 'listening');
    this.#timer = setInterval(() => this.#speak(), 1_000 / SAID.partialsPerSecond / SLOTS);
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    for (const socket of this.#sockets) socket.destroy();
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #speak(): void {
    this.#slot = (this.#slot + 1) % SLOTS;
    let index = 0;
    for (const session of this.#sessions.values()) {
      if (index % SLOTS === this.#slot) session.say();
      index += 1;
    }
  }

  /** Makes a session, or tells a session's result. */
  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const id = request.method === 'POST' ? randomUUID() : (request.url ?? '').split('/').at(-1);
    if (request.method === 'POST') {
      const { channels = 1 } = (await json(request)) as { channels?: number };
      const session = new BenchSession({ id: id ?? '', channels, times: this.#options.times });
      this.#sessions.set(session.id, session);
      reply(response, 201, {
        id,
        created_at: new Date().toISOString(),
        url: `${this.socketUrl}/v2/live?token=${id}`,
      });
      return;
    }
    const session = this.#sessions.get(id ?? '');
    if (session === undefined) return reply(response, 404, {});
    const metadata = { audio_duration: session.seconds, billing_time: session.seconds };
    reply(response, 200, {
      id,
      status: 'done',
      result: { metadata, transcription: { languages: ['en'], utterances: [], full_transcript: '' } },
    });
    this.#forget(session);
  }

  /** Its result was told: only its sums are kept. */
  #forget(session: BenchSession): void {
    this.#sessions.delete(session.id);
    const { bytes, misplacedFrames } = this.#over;
    this.#over = {
      bytes: bytes + session.receivedBytes,
      misplacedFrames: misplacedFrames + session.misplacedFrames,
    };
  }

  #take(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const { times, channels } = this.#options;
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://bench');
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    if ('setNoDelay' in socket) (socket as Duplex & { setNoDelay(on: boolean): void }).setNoDelay(true);
    const accept = createHash('sha1')
      .update((request.headers['sec-websocket-key'] ?? '') + WEBSOCKET_GUID)
      .digest('base64');
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
    );
    if (pathname === PASSED_PATH) {
      const passed = new PassedMedia(times);
      this.#passed.push(passed);
      passed.take(socket, head);
      return;
    }
    const id = pathname === PIPE_PATH ? randomUUID() : (searchParams.get('token') ?? '');
    const session = this.#sessions.get(id) ?? new BenchSession({ id, channels, times });
    this.#sessions.set(id, session);
    session.take(socket, head);
  }
}

function reply(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}
