import type { IncomingMessage } from 'node:http';
import { Duplex } from 'node:stream';
import fc from 'fast-check';
import { WebSocketServer, type WebSocket } from 'ws';
import type { LentBytesTaker } from '../../../runtime/wire/lent-reads';
import { readTextFrames, type TextTaker } from '../../../runtime/wire/text-frames';

const MAX_MESSAGE_BYTES = 1_000;

interface Frame {
  readonly first: number;
  readonly payload: Buffer;
  readonly isMasked: boolean;
  /** 7, 16 or 64 bits: the shortest that fits, unless longer is wanted. */
  readonly lengthBits: 7 | 16 | 64;
}

function encoded({ first, payload, isMasked, lengthBits }: Frame): Buffer {
  const { length } = payload;
  const bits = length > 125 && lengthBits === 7 ? 16 : lengthBits;
  const head = Buffer.alloc(bits === 7 ? 2 : bits === 16 ? 4 : 10);
  head[0] = first;
  head[1] = (isMasked ? 0x80 : 0) | (bits === 7 ? length : bits === 16 ? 126 : 127);
  if (bits === 16) head.writeUInt16BE(length, 2);
  if (bits === 64) head.writeBigUInt64BE(BigInt(length), 2);
  const mask = Buffer.from([0x11, 0xf2, 0x83, 0x04]);
  if (!isMasked) return Buffer.concat([head, payload]);
  return Buffer.concat([head, mask, Buffer.from(payload.map((byte, i) => byte ^ mask[i % 4]!))]);
}

/** A connection whose bytes come as this test cuts them. */
class Connection extends Duplex {
  readonly sent: Buffer[] = [];

  override _read(): void {}

  override _write(bytes: Buffer, _: string, done: () => void): void {
    this.sent.push(Buffer.from(bytes));
    done();
  }
}

const REQUEST = {
  method: 'GET',
  headers: {
    upgrade: 'websocket',
    connection: 'Upgrade',
    'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAA==',
    'sec-websocket-version': '13',
  },
} as unknown as IncomingMessage;

function opened(): { socket: WebSocket; connection: Connection } {
  const connection = new Connection();
  const server = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: MAX_MESSAGE_BYTES,
  });
  let socket: WebSocket | undefined;
  server.handleUpgrade(REQUEST, connection, Buffer.alloc(0), (webSocket) => (socket = webSocket));
  return { socket: socket!, connection };
}

type Reading = 'by-ws' | 'by-us' | 'by-us-with-a-taker' | 'by-us-lent';

const isAscii = (bytes: Buffer): boolean => bytes.every((byte) => byte < 0x80);

/** Everything that can be seen of a socket that got these pieces. */
async function seen(pieces: readonly Buffer[], reading: Reading): Promise<unknown[]> {
  const { socket, connection } = opened();
  const events: unknown[] = [];
  const taker: TextTaker = {
    takeText: (all, from, to) => {
      const message = all.subarray(from, to);
      // Some of them, as it comes.
      const isTaken = isAscii(message) && message.length % 2 === 0;
      if (isTaken) events.push(['message', message.toString('hex'), false]);
      return isTaken;
    },
  };
  const options = { isMasked: true, maxMessageBytes: MAX_MESSAGE_BYTES };
  const lent =
    reading === 'by-ws'
      ? undefined
      : readTextFrames(socket, connection, reading === 'by-us' ? options : { ...options, taker });
  socket.on('message', (data: Buffer, isBinary) => events.push(['message', data.toString('hex'), isBinary]));
  socket.on('ping', (data) => events.push(['ping', data.toString('hex')]));
  socket.on('pong', (data) => events.push(['pong', data.toString('hex')]));
  socket.on('error', (error: Error & { code?: string }) => events.push(['error', error.code]));
  socket.on('close', (code) => events.push(['close', code]));
  for (const piece of pieces) {
    if (reading === 'by-us-lent') lend(piece, lent!);
    else connection.push(Buffer.from(piece));
    await new Promise((resolve) => setImmediate(resolve));
  }
  events.push(['state', socket.readyState], ['sent', Buffer.concat(connection.sent).toString('hex')]);
  const all = [...events];
  socket.terminate();
  return all;
}

/** In a buffer that is written over as soon as it is back. */
function lend(piece: Buffer, taker: LentBytesTaker): void {
  const buffer = Buffer.concat([piece, Buffer.alloc(100, 0x81)]);
  taker.takeLent(buffer, piece.length);
  buffer.fill(0x7f);
}

const text = fc.string({ maxLength: 300, unit: 'binary' }).map((each) => Buffer.from(each));
const bytes = fc.uint8Array({ maxLength: 130 }).map((each) => Buffer.from(each));
const frame: fc.Arbitrary<Frame> = fc.record({
  first: fc.oneof(
    { weight: 12, arbitrary: fc.constant(0x81) },
    { weight: 4, arbitrary: fc.constantFrom(0x82, 0x89, 0x8a, 0x01, 0x02, 0x00, 0x80) },
    { weight: 1, arbitrary: fc.constantFrom(0x88, 0xc1, 0x83, 0x8b) },
  ),
  payload: fc.oneof(
    { weight: 6, arbitrary: text },
    { weight: 1, arbitrary: bytes },
    { weight: 1, arbitrary: fc.constant(Buffer.alloc(1_001, 65)) },
  ),
  isMasked: fc.oneof(
    { weight: 30, arbitrary: fc.constant(true) },
    { weight: 1, arbitrary: fc.constant(false) },
  ),
  lengthBits: fc.oneof(
    { weight: 6, arbitrary: fc.constant(7 as const) },
    { weight: 1, arbitrary: fc.constantFrom(16 as const, 64 as const) },
  ),
});

function cut(whole: Buffer, places: readonly number[]): Buffer[] {
  const at = [...new Set(places.map((place) => place % (whole.length + 1)))].sort((a, b) => a - b);
  return [0, ...at]
    .map((from, i) => whole.subarray(from, at[i] ?? whole.length))
    .filter(({ length }) => length > 0);
}

const OURS = ['by-us', 'by-us-with-a-taker', 'by-us-lent'] as const;

test.each(OURS)('%s shows the same as ws alone, wherever the network cuts it', async (reading) => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(frame, { maxLength: 12 }),
      fc.array(fc.nat(3_000), { maxLength: 8 }),
      async (frames, places) => {
        const pieces = cut(Buffer.concat(frames.map(encoded)), places);
        expect(await seen(pieces, reading)).toEqual(await seen(pieces, 'by-ws'));
      },
    ),
    { numRuns: 1_000 },
  );
});

test.each(OURS)('%s shows the same of bytes that are no frames', async (reading) => {
  await fc.assert(
    fc.asyncProperty(fc.array(bytes, { maxLength: 6 }), async (pieces) => {
      expect(await seen(pieces, reading)).toEqual(await seen(pieces, 'by-ws'));
    }),
    { numRuns: 300 },
  );
});

test('keeps whole text messages away from ws', () => {
  const { socket, connection } = opened();
  const received: string[] = [];
  readTextFrames(socket, connection, { isMasked: true, maxMessageBytes: MAX_MESSAGE_BYTES });
  const [listener] = connection.listeners('data') as ((piece: Buffer) => void)[];
  socket.on('message', (data: Buffer) => received.push(data.toString()));
  const hello = { first: 0x81, payload: Buffer.from('hello'), isMasked: true, lengthBits: 7 } as const;
  listener!(Buffer.concat([encoded(hello), encoded(hello)]));
  // Synchronously: ws would have got there by a stream of its own.
  expect(received).toEqual(['hello', 'hello']);
  socket.terminate();
});

test('lets a connection be that ws does not listen to as it is known to', () => {
  const { socket, connection } = opened();
  const another = (): void => undefined;
  connection.on('data', another);
  const before = connection.listeners('data');
  readTextFrames(socket, connection, { isMasked: true, maxMessageBytes: MAX_MESSAGE_BYTES });
  expect(connection.listeners('data')).toEqual(before);
  socket.terminate();
});
