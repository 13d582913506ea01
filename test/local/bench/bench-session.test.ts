import { Duplex } from 'node:stream';
import { BenchSession } from '../../../local/bench/bench-session';
import { FRAME_BYTES, FrameTimes, TAG_BYTES, tagText } from '../../../local/bench/frame-tags';

/** A binary frame with a mask, as `ws` sends it to a server. */
function clientBinary(payload: Buffer): Buffer {
  const mask = Buffer.from([1, 2, 3, 4]);
  const head = Buffer.from([0x82, 0xfe, payload.length >> 8, payload.length & 0xff]);
  return Buffer.concat([head, mask, payload.map((byte, i) => byte ^ (mask[i % 4] ?? 0))]);
}

const audioFrame = (caller: number, frame: number): Buffer =>
  Buffer.concat([Buffer.from(tagText(caller, frame), 'base64'), Buffer.alloc(FRAME_BYTES - TAG_BYTES, 0x95)]);

async function heard(
  pieces: readonly Buffer[],
  channels = 1,
): Promise<{ session: BenchSession; times: FrameTimes }> {
  const times = new FrameTimes(8);
  times.begin();
  for (let frame = 0; frame < 8; frame += 1) times.sent(3, frame, performance.now());
  const session = new BenchSession({ id: 'a', channels, times });
  const socket = new Duplex({ read: () => undefined, write: (_, __, done) => done() });
  session.take(socket, Buffer.alloc(0));
  for (const piece of pieces) socket.emit('data', piece);
  return Promise.resolve({ session, times });
}

test('counts and times the frames of a message, wherever TCP cuts it', async () => {
  const message = clientBinary(Buffer.concat([audioFrame(3, 0), audioFrame(3, 1)]));
  const { session, times } = await heard([
    message.subarray(0, 3),
    message.subarray(3, 50),
    message.subarray(50),
  ]);
  expect(session.receivedBytes).toBe(2 * FRAME_BYTES);
  expect(session.misplacedFrames).toBe(0);
  // Only the frame that completes the message was not waited for.
  expect(times.end()).toHaveLength(1);
});

test('notices a frame that is missing, and one of another call', async () => {
  const { session } = await heard([audioFrame(3, 0), audioFrame(3, 2), audioFrame(4, 2)].map(clientBinary));
  expect(session.misplacedFrames).toBe(2);
});

test('reads the tag of the first of two channels', async () => {
  const frame = audioFrame(3, 0);
  const both = Buffer.alloc(2 * FRAME_BYTES, 0x7f).map((byte, i) =>
    i % 2 === 0 ? (frame[i / 2] ?? 0) : byte,
  );
  const { session, times } = await heard([clientBinary(Buffer.from(both))], 2);
  expect([session.misplacedFrames, times.end().length]).toEqual([0, 1]);
});
