import { once } from 'node:events';
import { WebSocket, type ClientOptions } from 'ws';

export interface PeerMessage {
  readonly data: Buffer;
  readonly isBinary: boolean;
}

/** How the other side ended the socket; code 1006 when it did not say. */
export interface PeerClose {
  readonly code: number;
  readonly reason: string;
}

/**
 * A scripted WebSocket client for tests: sends what it is told, queues what it hears.
 * It does nothing by itself but answer pings and closes, which `ws` does.
 */
export class WsPeer {
  readonly socket: WebSocket;
  readonly #queue: PeerMessage[] = [];
  readonly #waiting: ((message: PeerMessage) => void)[] = [];
  readonly #closed: Promise<PeerClose>;
  #pings = 0;

  private constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on('message', (data, isBinary) => this.#take({ data: data as Buffer, isBinary }));
    socket.on('ping', () => (this.#pings += 1));
    socket.on('error', () => undefined);
    this.#closed = new Promise((resolve) =>
      socket.once('close', (code, reason) => resolve({ code, reason: reason.toString() })),
    );
  }

  /** @throws Error when the upgrade is refused, with the status in its message (`Unexpected server response: 403`) */
  static async connect(url: string, options: ClientOptions = {}): Promise<WsPeer> {
    const socket = new WebSocket(url, { perMessageDeflate: false, ...options });
    const peer = new WsPeer(socket);
    await once(socket, 'open');
    return peer;
  }

  /** Pings heard so far. */
  get pings(): number {
    return this.#pings;
  }

  /** Messages heard and not yet taken. */
  get pending(): number {
    return this.#queue.length;
  }

  /** Sends text, bytes as a binary message, or anything else as JSON. */
  send(message: unknown): void {
    this.socket.send(
      typeof message === 'string' || Buffer.isBuffer(message) ? message : JSON.stringify(message),
    );
  }

  nextMessage(): Promise<PeerMessage> {
    const message = this.#queue.shift();
    return message === undefined
      ? new Promise((resolve) => this.#waiting.push(resolve))
      : Promise.resolve(message);
  }

  closed(): Promise<PeerClose> {
    return this.#closed;
  }

  #take(message: PeerMessage): void {
    const waiting = this.#waiting.shift();
    if (waiting === undefined) this.#queue.push(message);
    else waiting(message);
  }
}
