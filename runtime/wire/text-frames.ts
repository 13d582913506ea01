import { isUtf8 } from 'node:buffer';
import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import type { LentBytesTaker } from './lent-reads';

export interface TextFrameOptions {
  /** Whether the peer masks: clients do, servers do not (RFC 6455, 5.1). */
  readonly isMasked: boolean;
  /** The receiver's limit: what is longer is left to it. */
  readonly maxMessageBytes: number;
  /** Asked before a message is made of the bytes. */
  readonly taker?: TextTaker | undefined;
}

/** Knows the messages that come most by their bytes: nothing need be made for them. */
export interface TextTaker {
  /**
   * A whole text message is at `from` to `to`, for as long as this call takes. Nobody has looked whether it is UTF-8.
   * @returns whether it was taken, which only ASCII may be; otherwise it comes as the socket's message
   */
  takeText(bytes: Buffer, from: number, to: number): boolean;
}

/** The one kind that is read here: a text message in one frame, without extensions. */
const WHOLE_TEXT = 0x81;
const FINAL = 0x80;
const MASKED = 0x80;
const OPCODE = 0x0f;
const CLOSE = 8;
const FIRST_CONTROL = 8;
/** Lengths that say how long the length is (RFC 6455, 5.2). */
const TWO_BYTES = 126;
const EIGHT_BYTES = 127;
const MASK_BYTES = 4;

/**
 * Reads whole text frames off an open WebSocket's connection and emits them as its messages, before `ws` does: a frame of
 * audio costs a fraction of the way through a stream of streams. Everything else, from its first byte to the end of the
 * piece that the network brought, is left to `ws`, which sees the same bytes in the same order, but for those frames.
 *
 * Where `ws` does not listen to the connection as it is known to, nothing is changed.
 * @returns takes what the connection brings past its `data` events (`LentReads`); `undefined` where nothing is changed
 */
export function readTextFrames(
  webSocket: WebSocket,
  connection: Duplex,
  options: TextFrameOptions,
): LentBytesTaker | undefined {
  const listeners = connection.listeners('data') as ((piece: Buffer) => void)[];
  const [others] = listeners;
  if (others === undefined || listeners.length > 1) return undefined;
  const frames = new TextFrames(webSocket, options, (bytes) => others.call(connection, bytes));
  connection.removeListener('data', others);
  // Bound, and no function around it: that would be one more thing in memory on the way.
  connection.on('data', frames.take.bind(frames));
  // `ws` reads no more then.
  webSocket.on('error', () => frames.end());
  return frames;
}

class TextFrames implements LentBytesTaker {
  // What each frame reads comes first, so that it lies together.
  /** The next byte begins a message. */
  #isBetween = true;
  readonly #isMasked: boolean;
  readonly #maxMessageBytes: number;
  readonly #taker: TextTaker | undefined;
  readonly #webSocket: WebSocket;
  readonly #takeOther: (bytes: Buffer) => void;
  /** Of a frame that is left to `ws`: its head as far as it is known, and what is missing of its payload. */
  readonly #head: number[] = [];
  #missingBytes = 0;
  /** A message in several frames is under way: until its last one, a whole message would be a fault of the peer's. */
  #isInPieces = false;
  /** The frame that ends the connection has begun. */
  #isClosing = false;
  #isOver = false;

  constructor(webSocket: WebSocket, options: TextFrameOptions, takeOther: (bytes: Buffer) => void) {
    this.#webSocket = webSocket;
    this.#isMasked = options.isMasked;
    this.#maxMessageBytes = options.maxMessageBytes;
    this.#taker = options.taker;
    this.#takeOther = takeOther;
  }

  end(): void {
    this.#isOver = true;
    this.#isBetween = false;
  }

  take(piece: Buffer): void {
    const at = this.#takeTexts(piece, piece.length, false);
    if (at < piece.length && !this.#isOver) this.#leave(at === 0 ? piece : piece.subarray(at));
  }

  takeLent(bytes: Buffer, to: number): void {
    const at = this.#takeTexts(bytes, to, true);
    if (at < to && !this.#isOver) this.#leave(Buffer.from(bytes.subarray(at, to)));
  }

  /** @returns where the rest begins */
  #takeTexts(bytes: Buffer, to: number, isLent: boolean): number {
    let at = 0;
    while (this.#isBetween && at < to) {
      const end = this.#takeText(bytes, at, to, isLent);
      if (end === -1) break;
      at = end;
    }
    return at;
  }

  #leave(rest: Buffer): void {
    const isLast = this.#follow(rest);
    this.#isBetween = this.#head.length === 0 && this.#missingBytes === 0 && !this.#isInPieces;
    this.#takeOther(rest);
    if (isLast) this.end();
  }

  /** @returns where the frame at `from` ends; -1 when it is not all there, or of another kind: then nothing is changed */
  #takeText(bytes: Buffer, from: number, to: number, isLent: boolean): number {
    const isMasked = this.#isMasked;
    if (bytes[from] !== WHOLE_TEXT || from + 2 > to) return -1;
    const second = bytes[from + 1] ?? 0;
    if (second >= MASKED !== isMasked) return -1;
    let length = second & ~MASKED;
    let at = from + 2;
    if (length === EIGHT_BYTES || (length === TWO_BYTES && at + 2 > to)) return -1;
    if (length === TWO_BYTES) {
      length = ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
      at += 2;
    }
    const payloadAt = isMasked ? at + MASK_BYTES : at;
    const end = payloadAt + length;
    if (end > to || length > this.#maxMessageBytes) return -1;
    if (isMasked) unmask(bytes, at, end);
    if (this.#taker?.takeText(bytes, payloadAt, end) === true) return end;
    const payload = bytes.subarray(payloadAt, end);
    if (!isUtf8(payload)) {
      // The judgement is left to `ws`, and so is the frame, as it came.
      if (isMasked) unmask(bytes, at, end);
      return -1;
    }
    this.#webSocket.emit('message', isLent ? Buffer.from(payload) : payload, false);
    return end;
  }

  /** Keeps in step with what `ws` gets. @returns whether the last frame of all ends in it */
  #follow(bytes: Buffer): boolean {
    for (let at = 0; at < bytes.length;) {
      if (this.#missingBytes > 0) {
        const here = Math.min(this.#missingBytes, bytes.length - at);
        this.#missingBytes -= here;
        at += here;
      } else {
        this.#head.push(bytes[at] ?? 0);
        at += 1;
        if (this.#head.length === headBytes(this.#head)) this.#endHead();
      }
      if (this.#isClosing && this.#head.length === 0 && this.#missingBytes === 0) return true;
    }
    return false;
  }

  #endHead(): void {
    const [first = 0] = this.#head;
    const opcode = first & OPCODE;
    if (opcode === CLOSE) this.#isClosing = true;
    if (opcode < FIRST_CONTROL) this.#isInPieces = (first & FINAL) === 0;
    this.#missingBytes = payloadBytes(this.#head);
    this.#head.length = 0;
  }
}

/** Of a whole head; before the second byte came: as if there were no more than that. */
function headBytes([, second]: readonly number[]): number {
  if (second === undefined) return 2;
  const length = second & ~MASKED;
  return (
    2 +
    (length === TWO_BYTES ? 2 : length === EIGHT_BYTES ? 8 : 0) +
    ((second & MASKED) === 0 ? 0 : MASK_BYTES)
  );
}

function payloadBytes([, second = 0, ...more]: readonly number[]): number {
  const length = second & ~MASKED;
  if (length < TWO_BYTES) return length;
  return more.slice(0, length === TWO_BYTES ? 2 : 8).reduce((sum, byte) => sum * 0x100 + byte, 0);
}

/** The four bytes before the payload are XORed over it; twice is as it was. */
function unmask(bytes: Buffer, maskAt: number, end: number): void {
  const a = bytes[maskAt] ?? 0;
  const b = bytes[maskAt + 1] ?? 0;
  const c = bytes[maskAt + 2] ?? 0;
  const d = bytes[maskAt + 3] ?? 0;
  let at = maskAt + MASK_BYTES;
  for (const last = end - 3; at < last; at += 4) {
    bytes[at] = (bytes[at] ?? 0) ^ a;
    bytes[at + 1] = (bytes[at + 1] ?? 0) ^ b;
    bytes[at + 2] = (bytes[at + 2] ?? 0) ^ c;
    bytes[at + 3] = (bytes[at + 3] ?? 0) ^ d;
  }
  if (at < end) bytes[at] = (bytes[at] ?? 0) ^ a;
  if (at + 1 < end) bytes[at + 1] = (bytes[at + 1] ?? 0) ^ b;
  if (at + 2 < end) bytes[at + 2] = (bytes[at + 2] ?? 0) ^ c;
}
