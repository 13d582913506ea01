import { BYTES_PER_MS, type Track } from '../../runtime/model/audio';

/** A stretch of a call's audio, in milliseconds; the end is not part of it. */
export interface AudioRange {
  readonly fromMs: number;
  readonly toMs: number;
}

/** What has been handed to the socket of a stream. */
export class SentAudio {
  readonly #callOffsetMs: number;
  readonly #ranges: Record<Track, AudioRange[]> = { inbound: [], outbound: [] };
  readonly #pieces: Record<Track, Buffer[]> = { inbound: [], outbound: [] };
  readonly #frames: Record<Track, number> = { inbound: 0, outbound: 0 };
  #messages = 0;
  #framesDropped = 0;

  /** @param callOffsetMs where in the call's audio the stream begins */
  constructor(callOffsetMs = 0) {
    this.#callOffsetMs = callOffsetMs;
  }

  /** Which parts of the call's audio a track has sent, in order; what is filled up at the end is among them. */
  ranges(track: Track): readonly AudioRange[] {
    return this.#ranges[track];
  }

  /** The audio of a track as sent: mu-law, frame after frame, gaps not filled. */
  get inbound(): Buffer {
    return Buffer.concat(this.#pieces.inbound);
  }

  get outbound(): Buffer {
    return Buffer.concat(this.#pieces.outbound);
  }

  /** Media messages by track. */
  get frames(): Readonly<Record<Track, number>> {
    return { ...this.#frames };
  }

  /** Messages of any kind. */
  get messages(): number {
    return this.#messages;
  }

  /** Frames thrown away because the server does not read (31930). */
  get framesDropped(): number {
    return this.#framesDropped;
  }

  countMessage(): void {
    this.#messages += 1;
  }

  countDroppedFrame(): void {
    this.#framesDropped += 1;
  }

  /** @param startMs place in the stream's audio */
  addFrame(track: Track, payload: Buffer, startMs: number): void {
    this.#frames[track] += 1;
    this.#addRange(this.#ranges[track], startMs + this.#callOffsetMs, payload.length / BYTES_PER_MS);
    const pieces = this.#pieces[track];
    const last = pieces.at(-1);
    // Frames that lie side by side in the recording become one view of it: an hour of calls costs nothing.
    if (last !== undefined && isNextTo(last, payload)) {
      pieces[pieces.length - 1] = Buffer.from(last.buffer, last.byteOffset, last.length + payload.length);
    } else {
      pieces.push(payload);
    }
  }

  #addRange(ranges: AudioRange[], fromMs: number, ms: number): void {
    const last = ranges.at(-1);
    if (last?.toMs === fromMs) ranges[ranges.length - 1] = { fromMs: last.fromMs, toMs: fromMs + ms };
    else ranges.push({ fromMs, toMs: fromMs + ms });
  }
}

function isNextTo(first: Buffer, second: Buffer): boolean {
  return first.buffer === second.buffer && first.byteOffset + first.length === second.byteOffset;
}
