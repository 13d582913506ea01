import { BYTES_PER_MS, SILENCE_BYTE, type Track } from '../model/audio';
import type { Clock } from '../model/clock';
import { TimeMap } from './time-map';

/** A frame this much behind its due place starts after a gap; anything less is jitter (twilio-media-streams.md, 2.3). */
const JUMP_MS = 40;
/**
 * A longer jump is a broken clock, not silence: the audio goes on where it is. So is silence that is so much more than
 * the time that has passed: a few small messages must not become hours of audio that somebody pays for.
 */
const MAX_JUMP_MS = 120_000;

/** However a track that still comes lies behind: not more than this waits for it. */
const MAX_WAITING_MS = 5_000;

const SILENCE = Buffer.alloc(8_000, SILENCE_BYTE);

interface Piece {
  readonly bytes: Buffer;
  /** Arrival of the frame, or when silence took its place. */
  readonly atMs: number;
}

interface TrackAudio {
  readonly track: Track;
  readonly times: TimeMap;
  /** Placed, not yet emitted because the other track is behind. */
  waiting: Piece[];
  waitingBytes: number;
  frameBytes: number;
  filledBytes: number;
  /** From place to Twilio's time, of its last frame: the next one is nearly always as far. */
  offsetMs: number | undefined;
  /** Arrival of its last frame; of the leg's first while it has none. */
  heardAtMs: number;
}

export interface TrackAlignerOptions {
  /** In channel order; one or two. */
  readonly tracks: readonly Track[];
  /** How long one track waits for the other, in time and in audio. */
  readonly alignmentWindowMs: number;
  readonly now: Clock;
  readonly taker: AudioTaker;
}

export interface AudioTaker {
  /** Takes whole samples of all tracks, interleaved, and when the earliest of them arrived. The buffer is not used again. */
  sendAudio(bytes: Buffer, receivedAtMs: number): void;
}

/**
 * Puts a leg's frames in their places: fills jumps with silence, interleaves two tracks sample by sample, and supplies
 * silence when Twilio sends nothing. Audio is never dropped or changed: what comes late is appended, and the time map
 * of its track says so.
 */
export class TrackAligner {
  // What each frame reads comes first, so that it lies together.
  /** The track that has nobody to wait for. */
  readonly #alone: TrackAudio | undefined;
  /** Twilio's time of the start of the leg's audio. */
  #originMs: number | undefined = undefined;
  /** Silence supplied before the first frame. */
  #leadBytes = 0;
  readonly #taker: AudioTaker;
  readonly #now: Clock;
  readonly #tracks: readonly TrackAudio[];
  readonly #alignmentWindowMs: number;
  /** When the first frame came. */
  #beganAtMs = 0;

  constructor(options: TrackAlignerOptions) {
    this.#alignmentWindowMs = options.alignmentWindowMs;
    this.#now = options.now;
    this.#taker = options.taker;
    this.#tracks = options.tracks.map((track) => ({
      track,
      times: new TimeMap(),
      waiting: [],
      waitingBytes: 0,
      frameBytes: 0,
      filledBytes: 0,
      offsetMs: undefined,
      heardAtMs: 0,
    }));
    this.#alone = this.#tracks.length === 1 ? this.#tracks[0] : undefined;
  }

  /** The leg's first timestamp; `undefined` before the first frame. */
  get originMs(): number | undefined {
    return this.#originMs;
  }

  /** Silence supplied before the first frame: the leg's audio is this much longer than its time. */
  get leadMs(): number {
    return this.#leadBytes / BYTES_PER_MS;
  }

  /** Milliseconds placed so far on a track: of frames, and of silence. */
  placedMs(track: Track): { framesMs: number; filledMs: number } {
    const audio = this.#audioOf(track);
    return { framesMs: audio.frameBytes / BYTES_PER_MS, filledMs: audio.filledBytes / BYTES_PER_MS };
  }

  /** From the first frame on, of the track that has most. */
  get lengthMs(): number {
    let bytes = 0;
    for (const { frameBytes, filledBytes } of this.#tracks) bytes = Math.max(bytes, frameBytes + filledBytes);
    return (bytes - this.#leadBytes) / BYTES_PER_MS;
  }

  /** Twilio's time of a place in the leg's audio, for a channel. */
  toTimestampMs(channel: number, positionMs: number): number | undefined {
    const own = this.#tracks[channel]?.times.toTimestampMs(positionMs);
    if (own !== undefined) return own;
    // A track without a frame so far lies where the leg does.
    return this.#originMs === undefined ? undefined : this.#originMs + positionMs - this.leadMs;
  }

  /** @returns silence filled in before the frame, in ms */
  push(track: Track, timestampMs: number, payload: Buffer): number {
    const audio = this.#audioOf(track);
    const originMs = this.#begin(timestampMs);
    const placedBytes = audio.frameBytes + audio.filledBytes;
    const dueMs = originMs + (placedBytes - this.#leadBytes) / BYTES_PER_MS;
    const jumpMs = timestampMs - dueMs;
    const isGap = jumpMs > JUMP_MS && jumpMs <= MAX_JUMP_MS && this.#hasTimeFor(audio, jumpMs);
    const filledMs = isGap ? jumpMs : 0;
    if (isGap) this.#fill(audio, jumpMs * BYTES_PER_MS);
    const positionMs = placedBytes / BYTES_PER_MS + filledMs;
    const offsetMs = timestampMs - positionMs;
    if (offsetMs !== audio.offsetMs) audio.times.note(positionMs, timestampMs);
    audio.offsetMs = offsetMs;
    this.#place(audio, payload);
    audio.frameBytes += payload.length;
    if (this.#alone !== undefined) return filledMs;
    audio.heardAtMs = this.#now();
    this.#emitAligned();
    return filledMs + this.#endWaiting();
  }

  /** Puts silence on all tracks. @returns ms filled, all tracks together */
  supply(ms: number): number {
    const bytes = Math.round(ms) * BYTES_PER_MS;
    const padded = this.#pad(this.#furthestBytes());
    for (const audio of this.#tracks) this.#fill(audio, bytes);
    if (this.#originMs === undefined) this.#leadBytes += bytes;
    this.#emitAligned();
    return padded + Math.round(ms) * this.#tracks.length;
  }

  /** No more frames come: emits what waits. @returns ms filled to bring the tracks to one length */
  flush(): number {
    const padded = this.#pad(this.#furthestBytes());
    this.#emitAligned();
    return padded;
  }

  #audioOf(track: Track): TrackAudio {
    if (this.#alone?.track === track) return this.#alone;
    for (const audio of this.#tracks) if (audio.track === track) return audio;
    throw new Error(`The leg has no ${track} track`);
  }

  #furthestBytes(): number {
    let bytes = 0;
    for (const { waitingBytes } of this.#tracks) if (waitingBytes > bytes) bytes = waitingBytes;
    return bytes;
  }

  #begin(timestampMs: number): number {
    if (this.#originMs === undefined) {
      this.#originMs = timestampMs;
      this.#beganAtMs = this.#now();
      for (const audio of this.#tracks) audio.heardAtMs = this.#now();
    }
    return this.#originMs;
  }

  /** Whether so much more silence can have been since the first frame; some frames are early, and some clocks fast. */
  #hasTimeFor(audio: TrackAudio, jumpMs: number): boolean {
    const silenceMs = audio.filledBytes / BYTES_PER_MS + jumpMs;
    return silenceMs <= this.#now() - this.#beganAtMs + MAX_JUMP_MS;
  }

  /** The track that is behind has not been heard for a whole window: silence takes its place. */
  #endWaiting(): number {
    const alignmentWindowMs = this.#alignmentWindowMs;
    const aheadMs = this.#furthestBytes() / BYTES_PER_MS;
    if (aheadMs <= alignmentWindowMs) return 0;
    const behind = this.#tracks.find((audio) => audio.waitingBytes === 0);
    const isStillHeard = behind !== undefined && this.#now() - behind.heardAtMs < alignmentWindowMs;
    if (isStillHeard && aheadMs <= MAX_WAITING_MS) return 0;
    const paddedMs = this.#pad((aheadMs - alignmentWindowMs) * BYTES_PER_MS);
    this.#emitAligned();
    return paddedMs;
  }

  /** Brings every track that is behind up to `bytes` waiting. */
  #pad(bytes: number): number {
    let paddedBytes = 0;
    for (const audio of this.#tracks) {
      const missingBytes = bytes - audio.waitingBytes;
      if (missingBytes <= 0) continue;
      this.#fill(audio, missingBytes);
      paddedBytes += missingBytes;
    }
    return paddedBytes / BYTES_PER_MS;
  }

  #fill(audio: TrackAudio, bytes: number): void {
    for (let left = bytes; left > 0; left -= SILENCE.length)
      this.#place(audio, SILENCE.subarray(0, Math.min(left, SILENCE.length)));
    audio.filledBytes += bytes;
  }

  #place(audio: TrackAudio, bytes: Buffer): void {
    if (this.#alone !== undefined) return this.#taker.sendAudio(bytes, this.#now());
    audio.waiting.push({ bytes, atMs: this.#now() });
    audio.waitingBytes += bytes.length;
  }

  #emitAligned(): void {
    const [first, second] = this.#tracks;
    if (first === undefined || second === undefined) return;
    for (;;) {
      const [one] = first.waiting;
      const [other] = second.waiting;
      if (one === undefined || other === undefined) return;
      const bytes = Math.min(one.bytes.length, other.bytes.length);
      this.#taker.sendAudio(
        interleave(take(first, one, bytes), take(second, other, bytes)),
        Math.min(one.atMs, other.atMs),
      );
    }
  }
}

function take(audio: TrackAudio, { bytes, atMs }: Piece, count: number): Buffer {
  if (count === bytes.length) audio.waiting.shift();
  else audio.waiting[0] = { bytes: bytes.subarray(count), atMs };
  audio.waitingBytes -= count;
  return bytes.subarray(0, count);
}

/** Channel 0 in the even bytes, channel 1 in the odd ones (gladia-live.md, 2.3). */
function interleave(first: Buffer, second: Buffer): Buffer {
  const both = Buffer.allocUnsafe(first.length * 2);
  for (let i = 0; i < first.length; i += 1) {
    both[2 * i] = first[i] ?? SILENCE_BYTE;
    both[2 * i + 1] = second[i] ?? SILENCE_BYTE;
  }
  return both;
}
