import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import type { Track } from '../../runtime/model/audio';
import { randomSid } from '../twilio/random-sids';
import { FRAME_BYTES, FRAME_MS, quantile, TAG_BYTES, tagText, type FrameTimes } from './frame-tags';
import { clientText } from './web-socket-frames';

export interface BenchCallersOptions {
  readonly port: number;
  readonly path: string;
  readonly calls: number;
  readonly tracks: readonly Track[];
  readonly times: FrameTimes;
  /** Calls that begin in a second. Default 100. */
  readonly callsPerSecond?: number;
}

/** All of a frame but its tag: any sound. */
const SOUND = Buffer.from(
  Array.from({ length: FRAME_BYTES - TAG_BYTES }, (_, i) => 0x90 + ((i * 37) % 32)),
).toString('base64');
/** A generator that is this far behind does not send what it should. */
const MOST_LATENESSES = 1 << 20;

interface BenchCaller {
  readonly index: number;
  readonly socket: Socket;
  readonly streamSid: string;
  readonly callSid: string;
  /** By `performance.now`, as if there had been no gap. */
  firstFrameAtMs: number;
  /** Frames that were not sent because there was nothing to hear. */
  gapMs: number;
  silentSinceMs: number | undefined;
  frames: number;
  sequence: number;
  isEnded: boolean;
}

/** Twilio, as far as a benchmark needs it: calls that talk without a pause, each at its own moment of the 20 ms. */
export class BenchCallers {
  readonly #options: BenchCallersOptions;
  readonly #callers: (BenchCaller | undefined)[] = [];
  readonly #latenesses: number[] = [];
  #refused = 0;
  #lost = 0;
  #isRunning = true;
  #isMeasuring = false;

  constructor(options: BenchCallersOptions) {
    this.#options = options;
    void this.#run();
  }

  /** Upgrades that were refused or did not come about. */
  get refused(): number {
    return this.#refused;
  }

  /** Sockets that closed before their call ended. */
  get lost(): number {
    return this.#lost;
  }

  /** Of all callers and tracks. */
  get sentFrames(): number {
    let frames = 0;
    for (const caller of this.#callers) frames += caller?.frames ?? 0;
    return frames * this.#options.tracks.length;
  }

  begin(): void {
    this.#latenesses.length = 0;
    this.#isMeasuring = true;
  }

  /** How much later than due frames were sent, in ms. */
  latenessP99Ms(): number {
    this.#isMeasuring = false;
    return quantile(
      this.#latenesses.toSorted((a, b) => a - b),
      0.99,
    );
  }

  /** Brings the callers up to `calls`. Resolves when the last has begun to talk. */
  async start(calls = this.#options.calls): Promise<void> {
    const { callsPerSecond = 100 } = this.#options;
    const startedAtMs = performance.now();
    const first = this.#callers.length;
    const all: Promise<void>[] = [];
    for (let index = first; index < calls; index += 1) {
      const dueMs = startedAtMs + ((index - first) * 1_000) / callsPerSecond;
      if (dueMs > performance.now()) await setTimeout(dueMs - performance.now());
      all.push(this.#call(index));
    }
    await Promise.all(all);
  }

  /** From now on no frames come: what a call on hold may look like. */
  hush(): void {
    for (const caller of this.#callers) if (caller !== undefined) caller.silentSinceMs = performance.now();
  }

  /** Frames come again; their timestamps say how long there were none. */
  talkAgain(): void {
    for (const caller of this.#callers) {
      if (caller?.silentSinceMs === undefined) continue;
      const gapMs = Math.round((performance.now() - caller.silentSinceMs) / FRAME_MS) * FRAME_MS;
      caller.gapMs += gapMs;
      caller.firstFrameAtMs += gapMs;
      caller.silentSinceMs = undefined;
    }
  }

  /** Hangs up, all or the first so many that talk. Resolves when their sockets are closed, or after 10 s. */
  async end(most = Infinity): Promise<void> {
    const ending = this.#callers.filter((caller) => caller !== undefined && !caller.isEnded).slice(0, most);
    const closed = ending.map(async (caller) => {
      if (caller === undefined || caller.socket.destroyed) return;
      caller.isEnded = true;
      const { streamSid, callSid } = caller;
      const stop = {
        event: 'stop',
        sequenceNumber: String((caller.sequence += 1)),
        streamSid,
        stop: { callSid },
      };
      caller.socket.end(clientText(JSON.stringify(stop)));
      await once(caller.socket, 'close');
    });
    await Promise.race([Promise.all(closed), setTimeout(10_000, undefined, { ref: false })]);
    if (most === Infinity) this.#isRunning = false;
    for (const caller of ending) caller?.socket.destroy();
  }

  async #call(index: number): Promise<void> {
    const { port, path, tracks } = this.#options;
    const socket = connect({ host: '127.0.0.1', port, noDelay: true });
    const isOpen = await upgraded(socket, path);
    if (!isOpen) {
      this.#refused += 1;
      socket.destroy();
      return;
    }
    const callSid = randomSid('CA');
    const streamSid = randomSid('MZ');
    const caller: BenchCaller = {
      index,
      socket,
      callSid,
      streamSid,
      // Twilio's calls do not keep step.
      firstFrameAtMs: performance.now() + FRAME_MS + ((index * 7.3) % FRAME_MS),
      frames: 0,
      sequence: 1,
      gapMs: 0,
      silentSinceMs: undefined,
      isEnded: false,
    };
    const accountSid = `AC${'0'.repeat(32)}`;
    const mediaFormat = { encoding: 'audio/x-mulaw', sampleRate: 8000, channels: 1 };
    const start = { accountSid, streamSid, callSid, tracks, mediaFormat, customParameters: {} };
    socket.write(clientText(JSON.stringify({ event: 'connected', protocol: 'Call', version: '1.0.0' })));
    socket.write(clientText(JSON.stringify({ event: 'start', sequenceNumber: '1', start, streamSid })));
    socket.on('close', () => (this.#lost += caller.isEnded ? 0 : 1));
    this.#callers[index] = caller;
  }

  /** One timer for all: a millisecond's frames at a time. */
  async #run(): Promise<void> {
    while (this.#isRunning) {
      for (const caller of this.#callers) if (caller !== undefined && !caller.isEnded) this.#talk(caller);
      await setTimeout(1);
    }
  }

  #talk(caller: BenchCaller): void {
    const { times, tracks } = this.#options;
    for (;;) {
      const nowMs = performance.now();
      const dueMs = caller.firstFrameAtMs + caller.frames * FRAME_MS;
      if (dueMs > nowMs || caller.silentSinceMs !== undefined || caller.socket.destroyed) return;
      times.sent(caller.index, caller.frames, nowMs);
      for (const track of tracks) caller.socket.write(mediaFrame(caller, track));
      caller.frames += 1;
      if (this.#isMeasuring && this.#latenesses.length < MOST_LATENESSES)
        this.#latenesses.push(nowMs - dueMs);
    }
  }
}

/** Keys and order of the wire (twilio-media-streams.md, 2.2). */
function mediaFrame(caller: BenchCaller, track: Track): Buffer {
  caller.sequence += 1;
  const timestamp = caller.frames * FRAME_MS + caller.gapMs;
  const payload = tagText(caller.index, caller.frames) + SOUND;
  return clientText(
    `{"event":"media","sequenceNumber":"${caller.sequence}","media":{"track":"${track}","chunk":"${caller.frames + 1}","timestamp":"${timestamp}","payload":"${payload}"},"streamSid":"${caller.streamSid}"}`,
  );
}

async function upgraded(socket: Socket, path: string): Promise<boolean> {
  socket.on('error', () => undefined);
  socket.write(
    `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n`,
  );
  const answer = await Promise.race([
    once(socket, 'data').then(([data]: Buffer[]) => data?.toString('latin1') ?? ''),
    once(socket, 'close').then(() => ''),
  ]);
  // Whatever else comes, such as pings, is read and let be.
  socket.resume();
  return answer.startsWith('HTTP/1.1 101');
}
