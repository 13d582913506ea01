/**
 * Up to where each channel's audio has become text: the end of its last final, in bytes of the leg's audio. A session
 * that takes over gets everything behind the mark again, because acknowledged is not transcribed.
 */
export class SettledMarks {
  readonly #byteOf: number[];
  readonly #channels: number;
  readonly #keepBytes: number;
  /** Of all channels: changes with a final, and is asked for with each acknowledgment. */
  #earliestByte = 0;

  /** @param keepBytes a channel that stays silent holds the mark back by no more than this */
  constructor(channels: number, keepBytes: number) {
    this.#byteOf = new Array<number>(channels).fill(0);
    this.#channels = channels;
    this.#keepBytes = keepBytes;
  }

  byteOf(channel: number): number {
    return this.#byteOf[channel] ?? 0;
  }

  /** A channel that the leg does not have settles nothing. */
  settle(channel: number, endByte: number): void {
    if (!(channel in this.#byteOf)) return;
    this.#byteOf[channel] = Math.max(this.byteOf(channel), endByte);
    this.#earliestByte = Math.min(...this.#byteOf);
  }

  /** The place behind which not every channel is text yet, not too far behind `byte`: whole samples of all channels. */
  mark(byte: number): number {
    const mark = Math.max(0, byte - this.#keepBytes, this.#earliestByte);
    return mark - (mark % this.#channels);
  }
}
