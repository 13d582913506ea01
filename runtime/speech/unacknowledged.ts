import type { AcknowledgedRange } from './speech-provider';

/** A power of two. Doubled when more messages are on their way. */
const FIRST_CAPACITY = 64;
/** Numbers of a message, side by side: its length, and the position in the leg's audio where it ends. */
const FIELDS = 2;
const END = 1;

/**
 * The messages sent on one socket and not acknowledged yet, in order, in a ring: nothing is made for a message.
 * Acks are counted by length and never by absolute offset: whether offsets run on over a reconnect, and whether
 * the end is included, is UNKNOWN (gladia-live.md, 4.4).
 */
export class Unacknowledged {
  #ring = new Float64Array(FIRST_CAPACITY * FIELDS);
  #capacity = FIRST_CAPACITY;
  /** Place of the first message. */
  #head = 0;
  #count = 0;
  #bytes = 0;
  /** Of the first message, acknowledged already. */
  #partOfHead = 0;

  sent(bytes: number, endByte: number): void {
    if (this.#count === this.#capacity) this.#grow();
    const at = ((this.#head + this.#count) & (this.#capacity - 1)) * FIELDS;
    this.#ring[at] = bytes;
    this.#ring[at + END] = endByte;
    this.#count += 1;
    this.#bytes += bytes;
  }

  get isEmpty(): boolean {
    return this.#count === 0;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** @returns how many sent bytes the range acknowledges, and up to where in the leg's audio; `undefined` for none */
  acknowledge(range: AcknowledgedRange): { bytes: number; toByte: number } | undefined {
    let left = range.toByte - range.fromByte;
    let bytes = 0;
    let toByte = 0;
    while (this.#count > 0 && left > 0) {
      const at = this.#head * FIELDS;
      const rest = (this.#ring[at] ?? 0) - this.#partOfHead;
      // One byte short of a message's end: this range names its last byte, not the one after it.
      const part = left >= rest - 1 ? rest : left;
      left -= part;
      bytes += part;
      toByte = (this.#ring[at + END] ?? 0) - (rest - part);
      if (part === rest) this.#next();
      else this.#partOfHead += part;
    }
    this.#bytes -= bytes;
    return bytes === 0 ? undefined : { bytes, toByte };
  }

  clear(): void {
    this.#head = 0;
    this.#count = 0;
    this.#bytes = 0;
    this.#partOfHead = 0;
  }

  #next(): void {
    this.#head = (this.#head + 1) & (this.#capacity - 1);
    this.#count -= 1;
    this.#partOfHead = 0;
  }

  /** Twice as long, with the first message in the first place. */
  #grow(): void {
    const from = this.#head * FIELDS;
    const ring = new Float64Array(2 * this.#ring.length);
    ring.set(this.#ring.subarray(from));
    ring.set(this.#ring.subarray(0, from), this.#ring.length - from);
    this.#ring = ring;
    this.#capacity *= 2;
    this.#head = 0;
  }
}
