import type { AcknowledgedRange } from './speech-provider';

/** Messages of one length, one behind the other in the leg's audio. */
interface Run {
  messageBytes: number;
  count: number;
  /** Where the last of them ends, in the leg's audio. */
  endByte: number;
}

/** Of a service that never acknowledges: then messages are taken together, which costs no more than the end of each. */
const MOST_RUNS = 1_000;

/**
 * The messages sent on one socket and not acknowledged yet, in order. Nothing is made for a message that goes on with the
 * one before, as nearly all do.
 * Acks are counted by length and never by absolute offset: whether offsets run on over a reconnect, and whether
 * the end is included, is UNKNOWN (gladia-live.md, 4.4).
 */
export class Unacknowledged {
  /** The oldest messages, mostly all there are: numbers of this object, so that no other need be read. */
  #messageBytes = 0;
  #count = 0;
  #endByte = 0;
  /** Of the first message, acknowledged already. */
  #partOfFirst = 0;
  #bytes = 0;
  /** Behind those. */
  #later: Run[] = [];

  sent(bytes: number, endByte: number): void {
    this.#bytes += bytes;
    if (this.#count === 0) this.#begin({ messageBytes: bytes, count: 1, endByte });
    else if (this.#later.length > 0) this.#sentLater(bytes, endByte);
    else if (bytes === this.#messageBytes && endByte === this.#endByte + bytes) {
      this.#count += 1;
      this.#endByte = endByte;
    } else this.#later.push({ messageBytes: bytes, count: 1, endByte });
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
      const rest = this.#messageBytes - this.#partOfFirst;
      // One byte short of a message's end: this range names its last byte, not the one after it.
      const part = left >= rest - 1 ? rest : left;
      left -= part;
      bytes += part;
      toByte = this.#endByte - (this.#count - 1) * this.#messageBytes - (rest - part);
      if (part === rest) this.#next();
      else this.#partOfFirst += part;
    }
    this.#bytes -= bytes;
    return bytes === 0 ? undefined : { bytes, toByte };
  }

  clear(): void {
    this.#count = 0;
    this.#partOfFirst = 0;
    this.#bytes = 0;
    this.#later = [];
  }

  #begin({ messageBytes, count, endByte }: Run): void {
    this.#messageBytes = messageBytes;
    this.#count = count;
    this.#endByte = endByte;
  }

  #sentLater(bytes: number, endByte: number): void {
    const last = this.#later.at(-1);
    if (last?.messageBytes === bytes && endByte === last.endByte + bytes) {
      last.count += 1;
      last.endByte = endByte;
    } else if (last?.count === 1 && this.#later.length >= MOST_RUNS) {
      last.messageBytes += bytes;
      last.endByte = endByte;
    } else this.#later.push({ messageBytes: bytes, count: 1, endByte });
  }

  #next(): void {
    this.#partOfFirst = 0;
    this.#count -= 1;
    if (this.#count > 0) return;
    const run = this.#later.shift();
    if (run !== undefined) this.#begin(run);
  }
}
