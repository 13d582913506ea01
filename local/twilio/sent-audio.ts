import type { Track } from '../../runtime/model/audio';

/** What has been handed to the socket of a stream. */
export class SentAudio {
  readonly #pieces: Record<Track, Buffer[]> = { inbound: [], outbound: [] };
  readonly #frames: Record<Track, number> = { inbound: 0, outbound: 0 };
  #messages = 0;
  #framesDropped = 0;

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

  addFrame(track: Track, payload: Buffer): void {
    this.#frames[track] += 1;
    const pieces = this.#pieces[track];
    const last = pieces.at(-1);
    // Frames that lie side by side in the recording become one view of it: an hour of calls costs nothing.
    if (last !== undefined && isNextTo(last, payload)) {
      pieces[pieces.length - 1] = Buffer.from(last.buffer, last.byteOffset, last.length + payload.length);
    } else {
      pieces.push(payload);
    }
  }
}

function isNextTo(first: Buffer, second: Buffer): boolean {
  return first.buffer === second.buffer && first.byteOffset + first.length === second.byteOffset;
}
