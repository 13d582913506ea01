import type { AcknowledgedRange } from './speech-provider';

/** A power of two. Doubled when more messages are on their way. */
const FIRST_CAPACITY = 64;

/**
 * The messages sent on one socket and not acknowledged yet, in order, in a ring: nothing is made for a message.
 * Acks are counted by length and never by absolute offset: whether offsets run on over a reconnect, and whether
 * the end is included, is UNKNOWN (gladia-live.md, 4.4).
 */
export class Unacknowledged {
  /** Of each message: its length, and the position in the leg's audio where it ends. */
  #lengths = new Float64Array(FIRST_CAPACITY);
  #ends = new Float64Array(FIRST_CAPACITY);
  #head = 0;
  #count = 0;
  #bytes = 0;
  /** Of the first message, acknowledged already. */
  #partOfHead = 0;

  sent(bytes: number, endByte: number): void {
    if (this.#count === this.#lengths.length) this.#grow();
    const place = (this.#head + this.#count) & (this.#lengths.length - 1);
    this.#lengths[place] = bytes;
    this.#ends[place] = endByte;
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
      const rest = (this.#lengths[this.#head] ?? 0) - this.#partOfHead;
      // One byte short of a message's end: this range names its last byte, not the one after it.
      const part = left >= rest - 1 ? rest : left;
      left -= part;
      bytes += part;
      toByte = (this.#ends[this.#head] ?? 0) - (rest - part);
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
    this.#head = (this.#head + 1) & (this.#lengths.length - 1);
    this.#count -= 1;
    this.#partOfHead = 0;
  }

  #grow(): void {
    this.#lengths = this.#unrolled(this.#lengths);
    this.#ends = this.#unrolled(this.#ends);
    this.#head = 0;
  }

  /** Twice as long, with the first message in the first place. */
  #unrolled(ring: Float64Array): Float64Array<ArrayBuffer> {
    const longer = new Float64Array(ring.length * 2);
    longer.set(ring.subarray(this.#head));
    longer.set(ring.subarray(0, this.#head), ring.length - this.#head);
    return longer;
  }
}
