import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { Facts } from '../facts';

/** What is kept of the other side's answer: a head, and the frames of a refusal. */
const MOST_KEPT_BYTES = 8_192;

/** One TCP connection that says what it is told, byte for byte, and looks at how the other side ends it. */
export class RawConnection {
  readonly #socket: Socket;
  readonly #facts = new Facts();
  #received = Buffer.alloc(0);
  #isClosed = false;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => {
      if (this.#received.length < MOST_KEPT_BYTES) this.#received = Buffer.concat([this.#received, chunk]);
      this.#facts.changed();
    });
    socket.on('drain', () => this.#facts.changed());
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.#isClosed = true;
      this.#facts.changed();
    });
  }

  /** Rejects when nobody takes it. */
  static async open(port: number): Promise<RawConnection> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    const connection = new RawConnection(socket);
    await once(socket, 'connect');
    return connection;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Resolves when the bytes are with the system; with a peer that does not read, after so long. */
  async write(bytes: Buffer | string, withinMs = 10_000): Promise<void> {
    if (this.#isClosed || this.#socket.write(bytes)) return;
    await this.#wait(() => this.#isClosed || !this.#socket.writableNeedDrain, withinMs);
  }

  /** Nothing of what comes is taken any more. */
  stopReading(): void {
    this.#socket.pause();
  }

  reset(): void {
    this.#socket.resetAndDestroy();
  }

  /** The head of an HTTP answer is here, or the connection is over. */
  async answered(withinMs: number): Promise<void> {
    await this.#wait(() => this.#isClosed || this.#received.includes('\r\n\r\n'), withinMs);
  }

  /** Waits for the other side to end it, at most so long, and ends it then. @returns see `outcome` */
  async end(withinMs: number): Promise<string> {
    this.#socket.resume();
    await this.#wait(() => this.#isClosed, withinMs);
    const outcome = this.#outcome();
    this.#socket.destroy();
    return outcome;
  }

  #wait(fact: () => boolean, timeoutMs: number): Promise<unknown> {
    return this.#facts.waitFor(fact, { timeoutMs }).catch(() => undefined);
  }

  /** HTTP status, or the code of a WebSocket close; `closed` without either, `held` when it is still open. */
  #outcome(): string {
    const text = this.#received.toString('latin1');
    const status = /^HTTP\/1\.1 (\d{3})/.exec(text)?.[1];
    if (status !== undefined && status !== '101') return status;
    const code =
      status === '101' ? closeCode(this.#received.subarray(text.indexOf('\r\n\r\n') + 4)) : undefined;
    return code ?? (this.#isClosed ? 'closed' : 'held');
  }
}

/** Frames of a server are not masked; ours are short but for the pongs. */
function closeCode(frames: Buffer): string | undefined {
  for (let at = 0; at + 2 <= frames.length;) {
    const opcode = (frames[at] ?? 0) & 0x0f;
    const length = (frames[at + 1] ?? 0) & 0x7f;
    if (length > 125) return undefined;
    if (opcode === 8)
      return length < 2 || at + 4 > frames.length ? '1005' : String(frames.readUInt16BE(at + 2));
    at += 2 + length;
  }
  return undefined;
}
