const SIZE = 32;

/**
 * Remembers the last 32 sequence numbers, to know a message that comes twice. Only a number seen before is a repeat:
 * one that comes late for the first time is audio, and audio is never dropped on suspicion (twilio-media-streams.md, 2.3).
 */
export class SequenceWindow {
  #highest = -1;
  /** Bit n: `highest - n` was seen. */
  #seen = 0;

  /** @returns false when `sequenceNumber` was seen before; numbers that fell out of the window count as new */
  add(sequenceNumber: number): boolean {
    const ahead = sequenceNumber - this.#highest;
    if (ahead > 0) {
      this.#seen = (ahead < SIZE ? this.#seen << ahead : 0) | 1;
      this.#highest = sequenceNumber;
      return true;
    }
    if (ahead <= -SIZE) return true;
    const bit = 1 << -ahead;
    if ((this.#seen & bit) !== 0) return false;
    this.#seen |= bit;
    return true;
  }
}
