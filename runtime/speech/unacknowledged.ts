import type { AcknowledgedRange } from './speech-provider';

interface SentMessage {
  readonly bytes: number;
  /** Position in the leg's audio where it ends. */
  readonly endByte: number;
}

/**
 * The messages sent on one socket and not acknowledged yet, in order.
 * Acks are counted by length and never by absolute offset: whether offsets run on over a reconnect, and whether
 * the end is included, is UNKNOWN (gladia-live.md, 4.4).
 */
export class Unacknowledged {
  #messages: SentMessage[] = [];
  #head = 0;
  /** Of the first message, acknowledged already. */
  #partOfHead = 0;

  sent(bytes: number, endByte: number): void {
    this.#messages.push({ bytes, endByte });
  }

  get isEmpty(): boolean {
    return this.#head >= this.#messages.length;
  }

  get bytes(): number {
    let bytes = 0;
    for (let i = this.#head; i < this.#messages.length; i += 1) bytes += this.#messages[i]?.bytes ?? 0;
    return bytes - this.#partOfHead;
  }

  /** @returns how many sent bytes the range acknowledges, and up to where in the leg's audio; `undefined` for none */
  acknowledge(range: AcknowledgedRange): { bytes: number; toByte: number } | undefined {
    let left = range.toByte - range.fromByte;
    let bytes = 0;
    let toByte = 0;
    for (let head = this.#first(); head !== undefined && left > 0; head = this.#first()) {
      const rest = head.bytes - this.#partOfHead;
      // One byte short of a message's end: this range names its last byte, not the one after it.
      const part = left >= rest - 1 ? rest : left;
      left -= part;
      bytes += part;
      toByte = head.endByte - (rest - part);
      if (part === rest) this.#next();
      else this.#partOfHead += part;
    }
    return bytes === 0 ? undefined : { bytes, toByte };
  }

  clear(): void {
    this.#messages = [];
    this.#head = 0;
    this.#partOfHead = 0;
  }

  #first(): SentMessage | undefined {
    return this.#messages[this.#head];
  }

  #next(): void {
    this.#head += 1;
    this.#partOfHead = 0;
    // Keeps the array short without moving it at every ack.
    if (this.#head > 256 && this.#head * 2 > this.#messages.length) {
      this.#messages = this.#messages.slice(this.#head);
      this.#head = 0;
    }
  }
}
