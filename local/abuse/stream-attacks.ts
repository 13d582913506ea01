import { randomBytes } from 'node:crypto';
import { randomSid } from '../twilio/random-sids';
import type { Attack } from './attack';
import type { RawConnection } from './raw-connection';
import { signedUpgrade, type Target } from './target';
import { OPCODES, textFrame, webSocketFrame, type FrameOptions } from './web-socket-frame';

const UPGRADE_MS = 5_000;
const DEFLATE = 'Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits';
const PAYLOAD = Buffer.alloc(160, 0x55).toString('base64');

/** As somebody who has got hold of the signature of the upgrade, which is the same for every call. */
async function open(
  connection: RawConnection,
  target: Target,
  headers: readonly string[] = [],
): Promise<void> {
  await connection.write(signedUpgrade(target, headers));
  await connection.answered(UPGRADE_MS);
}

/** A stream of a call that nobody knows. @returns its sid */
async function start(connection: RawConnection, target: Target): Promise<string> {
  await open(connection, target);
  const streamSid = randomSid('MZ');
  const body = {
    streamSid,
    accountSid: target.accountSid,
    callSid: randomSid('CA'),
    tracks: ['inbound'],
    mediaFormat: { encoding: 'audio/x-mulaw', sampleRate: 8000, channels: 1 },
    customParameters: {},
  };
  await connection.write(
    textFrame(JSON.stringify({ event: 'start', sequenceNumber: '1', start: body, streamSid })),
  );
  return streamSid;
}

function media(streamSid: string, number: number, timestampMs: number): string {
  const body = { track: 'inbound', chunk: String(number), timestamp: String(timestampMs), payload: PAYLOAD };
  return JSON.stringify({ event: 'media', sequenceNumber: String(number + 1), media: body, streamSid });
}

/** An attack that is one frame on an open socket. */
function frame(name: string, code: number, options: FrameOptions): Attack {
  return {
    name,
    ends: [String(code)],
    async play(connection, target) {
      await open(connection, target);
      await connection.write(webSocketFrame(options));
    },
  };
}

/** What needs the signature: a replay of it. */
export const STREAM_ATTACKS: readonly Attack[] = [
  {
    name: 'socket without a start',
    ends: ['1008'],
    mayBeHeld: true,
    play: (connection, target) => open(connection, target),
  },
  frame('frame of 10 MB', 1009, {
    opcode: OPCODES.text,
    announcedBytes: 10_000_000n,
    payload: 'x'.repeat(1_000),
  }),
  frame('frame of 2^62 bytes', 1009, { opcode: OPCODES.text, announcedBytes: 1n << 62n }),
  frame('reserved bits', 1002, { opcode: OPCODES.text, reserved: 3, payload: '{}' }),
  frame('reserved opcode', 1002, { opcode: 5, payload: '{}' }),
  frame('frame without a mask', 1002, { opcode: OPCODES.text, isMasked: false, payload: '{}' }),
  frame('fragmented ping', 1002, { opcode: OPCODES.ping, isFinal: false, payload: 'x' }),
  frame('large ping', 1002, { opcode: OPCODES.ping, payload: 'x'.repeat(200) }),
  frame('continuation of nothing', 1002, { opcode: OPCODES.continuation, payload: 'x' }),
  frame('close with a reserved code', 1002, { opcode: OPCODES.close, payload: Buffer.from([0x03, 0xed]) }),
  frame('invalid UTF-8', 1007, { opcode: OPCODES.text, payload: Buffer.from([0x7b, 0xc3, 0x28, 0x7d]) }),
  {
    name: 'compressed frame',
    ends: ['1002'],
    async play(connection, target) {
      await open(connection, target, [DEFLATE]);
      // A few bytes that would become a few megabytes.
      await connection.write(webSocketFrame({ opcode: OPCODES.text, reserved: 4, payload: randomBytes(64) }));
    },
  },
  {
    name: 'message of endless fragments',
    ends: ['1009', '1008'],
    async play(connection, target) {
      await open(connection, target);
      await connection.write(webSocketFrame({ opcode: OPCODES.text, isFinal: false, payload: '{' }));
      const more = webSocketFrame({ opcode: OPCODES.continuation, isFinal: false, payload: ' '.repeat(100) });
      for (let sent = 0; sent < 1_000 && !connection.isClosed; sent += 1) await connection.write(more);
    },
  },
  {
    name: 'message of empty fragments',
    ends: ['1008', '1009'],
    async play(connection, target) {
      await open(connection, target);
      await connection.write(webSocketFrame({ opcode: OPCODES.text, isFinal: false, payload: '{' }));
      const more = webSocketFrame({ opcode: OPCODES.continuation, isFinal: false });
      await connection.write(Buffer.concat(Array.from({ length: 20_000 }, () => more)));
    },
  },
  {
    name: 'flood of pings, pongs unread',
    ends: ['1008', 'closed'],
    mayBeHeld: true,
    async play(connection, target) {
      await start(connection, target);
      connection.stopReading();
      const pings = webSocketFrame({ opcode: OPCODES.ping, payload: 'x'.repeat(125) });
      const many = Buffer.concat(Array.from({ length: 1_000 }, () => pings));
      for (let sent = 0; sent < 4 && !connection.isClosed; sent += 1)
        await connection.write(many, target.holdMs);
    },
  },
  {
    name: 'flood of messages that are none',
    ends: ['1008', 'closed'],
    mayBeHeld: true,
    async play(connection, target) {
      await start(connection, target);
      const nonsense = ['{"event":', '[]', '{"event":"media"}', 'null', `{"event":"${'x'.repeat(500)}"}`].map(
        textFrame,
      );
      const many = Buffer.concat(Array.from({ length: 50 }, () => Buffer.concat(nonsense)));
      await connection.write(many);
    },
  },
  {
    name: 'start with 60 kB of parameters',
    ends: ['1008', 'closed'],
    mayBeHeld: true,
    async play(connection, target) {
      await open(connection, target);
      const streamSid = randomSid('MZ');
      const customParameters = Object.fromEntries(
        Array.from({ length: 2_000 }, (_, index) => [`name-${index}`, 'x'.repeat(10)]),
      );
      const body = {
        ...{ streamSid, accountSid: target.accountSid, callSid: randomSid('CA'), tracks: ['inbound'] },
        ...{ mediaFormat: { encoding: 'audio/x-mulaw', sampleRate: 8000, channels: 1 }, customParameters },
      };
      await connection.write(textFrame(JSON.stringify({ event: 'start', start: body, streamSid })));
    },
  },
  {
    name: 'stream of another account',
    ends: ['1008'],
    play: (connection, target) => start(connection, { ...target, accountSid: `AC${'0'.repeat(32)}` }),
  },
  {
    name: 'stream without media',
    ends: ['1008', 'closed'],
    mayBeHeld: true,
    play: (connection, target) => start(connection, target),
  },
  {
    name: 'audio faster than real time',
    ends: ['1008', 'closed'],
    mayBeHeld: true,
    async play(connection, target) {
      const streamSid = await start(connection, target);
      const frames = Array.from({ length: 200 }, (_, index) =>
        textFrame(media(streamSid, index, index * 20)),
      );
      await connection.write(Buffer.concat(frames));
    },
  },
  {
    name: 'timestamps that jump',
    ends: ['1008', 'closed'],
    mayBeHeld: true,
    async play(connection, target) {
      const streamSid = await start(connection, target);
      // Of the first it makes 20 s of silence; the others are no time of a call.
      const timestamps = [0, 20_000, 200_000, 0, 500_000_000, 1e15, 20_000];
      const frames = timestamps.map((timestampMs, index) => textFrame(media(streamSid, index, timestampMs)));
      await connection.write(Buffer.concat(frames));
    },
  },
];
