import type { ClientRequestArgs } from 'node:http';
import { connect, isIP, type Socket } from 'node:net';
import { connect as connectSecurely } from 'node:tls';

/** Takes bytes that are its own only during the call. */
export interface LentBytesTaker {
  /** What came is at 0 to `to`. */
  takeLent(bytes: Buffer, to: number): void;
}

/** All connections read into it, one after the other: what was read is dealt with before the next read. */
const BUFFER = Buffer.allocUnsafeSlow(64 * 1024);

/**
 * A client's connection that reads into one buffer of the process (`onread` of node:net), in place of a new one each time,
 * which costs as much as the message in it. It emits `data`, as any connection does, until there is a taker.
 */
export class LentReads {
  taker: LentBytesTaker | undefined;
  readonly #isSecure: boolean;
  #connection: Socket | undefined;

  /** @param isSecure TLS */
  constructor(isSecure: boolean) {
    this.#isSecure = isSecure;
  }

  /** As `createConnection` of a request. */
  connect(request: ClientRequestArgs): Socket {
    const host = request.host ?? 'localhost';
    const onread = { buffer: BUFFER, callback: this.#take.bind(this) };
    // A request's path is no socket's.
    const options = { ...request, host, port: Number(request.port), path: undefined, onread };
    this.#connection = this.#isSecure
      ? connectSecurely({ servername: isIP(host) === 0 ? host : '', ...options })
      : connect(options);
    return this.#connection;
  }

  /** @returns that reading goes on: a connection that is paused stops by itself, over TLS once it has given what it had */
  #take(size: number): boolean {
    if (this.taker === undefined) this.#connection?.emit('data', Buffer.from(BUFFER.subarray(0, size)));
    else this.taker.takeLent(BUFFER, size);
    return true;
  }
}
