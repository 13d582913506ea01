import { randomBytes } from 'node:crypto';

export const OPCODES = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9 } as const;

export interface FrameOptions {
  /** Any of 0 to 15: those that mean nothing, too. */
  readonly opcode: number;
  readonly payload?: Buffer | string;
  /** Default true: the last of its message. */
  readonly isFinal?: boolean;
  /** The three reserved bits, 0 to 7; the first says that the payload is compressed. Default 0. */
  readonly reserved?: number;
  /** Default true, as a client must. */
  readonly isMasked?: boolean;
  /** What the frame says of its length. Default: the truth. */
  readonly announcedBytes?: bigint;
}

/** A WebSocket frame (RFC 6455, 5.2), right or wrong. */
export function webSocketFrame(options: FrameOptions): Buffer {
  const { opcode, isFinal = true, reserved = 0, isMasked = true } = options;
  const payload = Buffer.from(options.payload ?? '');
  const head = Buffer.from([(isFinal ? 0x80 : 0) | (reserved << 4) | opcode]);
  const length = lengthField(options.announcedBytes ?? BigInt(payload.length), isMasked);
  return Buffer.concat(isMasked ? [head, length, ...masked(payload)] : [head, length, payload]);
}

/** Text of one message in one frame. */
export function textFrame(text: string): Buffer {
  return webSocketFrame({ opcode: OPCODES.text, payload: text });
}

function lengthField(bytes: bigint, isMasked: boolean): Buffer {
  const mask = isMasked ? 0x80 : 0;
  if (bytes < 126n) return Buffer.from([mask | Number(bytes)]);
  const field = Buffer.alloc(bytes < 65_536n ? 3 : 9);
  field[0] = mask | (field.length === 3 ? 126 : 127);
  if (field.length === 3) field.writeUInt16BE(Number(bytes), 1);
  else field.writeBigUInt64BE(bytes, 1);
  return field;
}

function masked(payload: Buffer): readonly Buffer[] {
  const key = randomBytes(4);
  return [key, Buffer.from(payload.map((byte, index) => byte ^ (key[index % 4] ?? 0)))];
}
