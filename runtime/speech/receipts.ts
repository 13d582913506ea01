/** How long words took to arrive at the relay. */
export interface UtteranceLatency {
  /** Since the last audio of the words was received. */
  readonly totalMs: number;
  /** Of that, until that audio was sent to the speech service. */
  readonly relayMs: number;
}

/** Receipts closer together than this are one. */
const RESOLUTION_MS = 100;
/** A power of two: six seconds. Doubled when more must be kept, and halved when it need not be. */
const FIRST_CAPACITY = 64;
/** Numbers of a receipt, side by side: where its audio ends, when it was received, how long it waited. */
const FIELDS = 3;
const RECEIVED = 1;
/** Until its audio was sent for the first time; the last of it, of several messages. NaN: not yet. */
const WAITED = 2;

/**
 * When which part of a leg's audio was received: for lateness and latency. A ring of numbers: it is read and written for
 * each frame and each acknowledgment.
 */
export class Receipts {
  #ring = new Float64Array(FIRST_CAPACITY * FIELDS);
  #capacity = FIRST_CAPACITY;
  /** Place of the oldest. */
  #head = 0;
  #count = 0;

  /** Audio up to `endByte` has been received. A time before the last one counts as that. */
  add(endByte: number, atMs: number): void {
    let receivedAtMs = atMs;
    if (this.#count > 0) {
      const last = this.#at(this.#count - 1);
      const lastAtMs = this.#ring[last + RECEIVED] ?? NaN;
      receivedAtMs = Math.max(atMs, lastAtMs);
      // The first bytes of a merged receipt look up to RESOLUTION_MS older than they are, never younger.
      if (receivedAtMs - lastAtMs < RESOLUTION_MS) {
        this.#ring[last] = endByte;
        return;
      }
      if (this.#count === this.#capacity) this.#resize(2 * this.#capacity);
    }
    const at = this.#at(this.#count);
    this.#count += 1;
    this.#ring[at] = endByte;
    this.#ring[at + RECEIVED] = receivedAtMs;
    this.#ring[at + WAITED] = NaN;
  }

  /**
   * Audio up to `byte` has been sent now, and never before.
   * @param waitedMs of the oldest of it that is not in a receipt of its own
   */
  sent(byte: number, waitedMs: number, nowMs: number): void {
    let index = this.#indexOf(byte);
    if (index < this.#count) this.#ring[this.#at(index) + WAITED] = waitedMs;
    // What piled up goes out together.
    for (index -= 1; index >= 0; index -= 1) {
      const at = this.#at(index);
      if (!Number.isNaN(this.#ring[at + WAITED])) return;
      this.#ring[at + WAITED] = nowMs - (this.#ring[at + RECEIVED] ?? NaN);
    }
  }

  /** Of words that end with the byte before `byte` and come now; `undefined` when that was never received. */
  latency(byte: number, nowMs: number): UtteranceLatency | undefined {
    const receivedAtMs = this.receivedAtMs(byte);
    if (receivedAtMs === undefined) return undefined;
    const waitedMs = this.#ring[this.#at(this.#indexOf(byte)) + WAITED] ?? NaN;
    const totalMs = nowMs - receivedAtMs;
    return { totalMs, relayMs: Math.min(Number.isNaN(waitedMs) ? 0 : waitedMs, totalMs) };
  }

  /** Nobody will ask for audio before `byte` any more. */
  forget(byte: number): void {
    while (this.#count > 1 && (this.#ring[this.#at(0)] ?? 0) <= byte) {
      this.#head = (this.#head + 1) & (this.#capacity - 1);
      this.#count -= 1;
    }
    if (this.#capacity > FIRST_CAPACITY && this.#count * 8 < this.#capacity) this.#resize(this.#capacity / 2);
  }

  /** When the byte before `byte` was received; `undefined` when it never was. Forgotten audio counts as received with the oldest kept. */
  receivedAtMs(byte: number): number | undefined {
    const index = this.#indexOf(byte);
    return index < this.#count ? this.#ring[this.#at(index) + RECEIVED] : undefined;
  }

  /** The end of the last byte received at or before a time; 0 when none was. */
  endByteAt(atMs: number): number {
    // Mostly nothing that is kept is that old.
    if ((this.#ring[this.#at(0) + RECEIVED] ?? 0) > atMs) return 0;
    let low = 0;
    let high = this.#count;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#ring[this.#at(middle) + RECEIVED] ?? 0) <= atMs) low = middle + 1;
      else high = middle;
    }
    return low === 0 ? 0 : (this.#ring[this.#at(low - 1)] ?? 0);
  }

  #at(index: number): number {
    return ((this.#head + index) & (this.#capacity - 1)) * FIELDS;
  }

  /** Of the first receipt that has the byte before `byte`; as many as there are when none has it. */
  #indexOf(byte: number): number {
    let low = 0;
    let high = this.#count;
    // Mostly it is the last one: what has just come is being sent.
    if (high > 1 && (this.#ring[this.#at(high - 2)] ?? 0) < byte) low = high - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#ring[this.#at(middle)] ?? 0) < byte) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #resize(capacity: number): void {
    const ring = new Float64Array(capacity * FIELDS);
    for (let index = 0; index < this.#count; index += 1) {
      const at = this.#at(index);
      ring.set(this.#ring.subarray(at, at + FIELDS), index * FIELDS);
    }
    this.#ring = ring;
    this.#capacity = capacity;
    this.#head = 0;
  }
}
