/** Opcodes that the bench uses (RFC 6455, 5.2). */
export const OPCODES = { text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

/** Any four bytes that are not all zero: a receiver has to do the work. */
const MASK = Buffer.from([0x37, 0xfa, 0x21, 0x3d]);

/** One frame with a mask, as a client sends it. `text` is ASCII. */
export function clientText(text: string): Buffer {
  const { length } = text;
  const head = length < 126 ? 6 : 8;
  const frame = Buffer.allocUnsafe(head + length);
  frame[0] = 0x80 | OPCODES.text;
  if (length < 126) frame[1] = 0x80 | length;
  else {
    frame[1] = 0xfe;
    frame.writeUInt16BE(length, 2);
  }
  MASK.copy(frame, head - 4);
  frame.write(text, head, 'latin1');
  for (let i = 0; i < length; i += 1) frame[head + i] = (frame[head + i] ?? 0) ^ (MASK[i & 3] ?? 0);
  return frame;
}

/** One frame without a mask, as a server sends it. Up to 64 KiB. */
export function serverFrame(opcode: number, payload: Buffer | string): Buffer {
  const { length } = payload;
  const head = length < 126 ? 2 : 4;
  const frame = Buffer.allocUnsafe(head + length);
  frame[0] = 0x80 | opcode;
  if (length < 126) frame[1] = length;
  else {
    frame[1] = 126;
    frame.writeUInt16BE(length, 2);
  }
  if (typeof payload === 'string') frame.write(payload, head, 'latin1');
  else payload.copy(frame, head);
  return frame;
}

/** A client's frame inside a piece of the stream; nothing of it is copied or unmasked. */
export interface ClientFrame {
  readonly opcode: number;
  readonly bytes: Buffer;
  readonly mask: number;
  /** Where the payload begins and ends in `bytes`. */
  readonly from: number;
  readonly to: number;
}

/** A byte of a frame's payload, unmasked. */
export function payloadByte({ bytes, mask, from }: ClientFrame, index: number): number {
  return (bytes[from + index] ?? 0) ^ (bytes[mask + (index & 3)] ?? 0);
}

export function payloadOf(frame: ClientFrame): Buffer {
  return Buffer.from(Array.from({ length: frame.to - frame.from }, (_, i) => payloadByte(frame, i)));
}

/** Cuts what a client sends into frames. */
export class ClientFrames {
  #rest: Buffer | undefined;
  readonly #onFrame: (frame: ClientFrame) => void;

  constructor(onFrame: (frame: ClientFrame) => void) {
    this.#onFrame = onFrame;
  }

  push(piece: Buffer): void {
    const bytes = this.#rest === undefined ? piece : Buffer.concat([this.#rest, piece]);
    let at = 0;
    while (at + 2 <= bytes.length) {
      const length = (bytes[at + 1] ?? 0) & 0x7f;
      const head = length < 126 ? 2 : length === 126 ? 4 : 10;
      if (at + head + 4 > bytes.length) break;
      const size =
        head === 2 ? length : head === 4 ? bytes.readUInt16BE(at + 2) : Number(bytes.readBigUInt64BE(at + 2));
      const from = at + head + 4;
      if (from + size > bytes.length) break;
      this.#onFrame({ opcode: (bytes[at] ?? 0) & 0x0f, bytes, mask: at + head, from, to: from + size });
      at = from + size;
    }
    this.#rest = at === bytes.length ? undefined : bytes.subarray(at);
  }
}
