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
const NOT_YET = -1;

/**
 * When which part of a leg's audio was received: for lateness and latency. A ring of numbers, whose last receipt is kept
 * apart: that one is what most frames and messages are about, and then nothing else need be read.
 */
export class Receipts {
  /** Of the last receipt: where its audio ends, where that of the one before ends, and its times, in whole numbers. */
  #lastEnd = 0;
  #lastFrom = 0;
  #lastReceivedMs = 0;
  #lastWaitedUs = NOT_YET;
  /** A receipt before the last one has audio that was never sent. */
  #isPilingUp = false;
  #count = 0;
  /** Of the oldest receipt, rounded down. */
  #oldestReceivedMs = 0;
  /** What the ring says of the last receipt is out of date. */
  #isAhead = false;
  #ring = new Float64Array(FIRST_CAPACITY * FIELDS);
  #capacity = FIRST_CAPACITY;
  /** Place of the oldest. */
  #head = 0;

  /** Audio up to `endByte` has been received. A time before the last one counts as that. */
  add(endByte: number, atMs: number): void {
    // The first bytes of a merged receipt look up to RESOLUTION_MS older than they are, never younger.
    if (this.#count === 0 || atMs - this.#lastReceivedMs >= RESOLUTION_MS) this.#begin(atMs);
    this.#lastEnd = endByte;
    this.#isAhead = true;
  }

  /**
   * Audio up to `byte` has been sent now, and never before.
   * @param waitedMs of the oldest of it that is not in a receipt of its own
   */
  sent(byte: number, waitedMs: number, nowMs: number): void {
    if (this.#isPilingUp || byte <= this.#lastFrom) return this.#sentOfMany(byte, waitedMs, nowMs);
    this.#lastWaitedUs = Math.round(waitedMs * 1_000);
    this.#isAhead = true;
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
    this.#catchUp();
    while (this.#count > 1 && (this.#ring[this.#at(0)] ?? 0) <= byte) {
      this.#head = (this.#head + 1) & (this.#capacity - 1);
      this.#count -= 1;
    }
    this.#noteOldest();
    if (this.#capacity > FIRST_CAPACITY && this.#count * 8 < this.#capacity) this.#resize(this.#capacity / 2);
  }

  /** When the byte before `byte` was received; `undefined` when it never was. Forgotten audio counts as received with the oldest kept. */
  receivedAtMs(byte: number): number | undefined {
    this.#catchUp();
    const index = this.#indexOf(byte);
    return index < this.#count ? this.#ring[this.#at(index) + RECEIVED] : undefined;
  }

  /** The end of the last byte received at or before a time; 0 when none was. */
  endByteAt(atMs: number): number {
    // Mostly nothing that is kept is that old.
    if (this.#count === 0 || this.#oldestReceivedMs > atMs) return 0;
    this.#catchUp();
    let low = 0;
    let high = this.#count;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#ring[this.#at(middle) + RECEIVED] ?? 0) <= atMs) low = middle + 1;
      else high = middle;
    }
    return low === 0 ? 0 : (this.#ring[this.#at(low - 1)] ?? 0);
  }

  #begin(atMs: number): void {
    this.#catchUp();
    if (this.#count > 0 && this.#lastWaitedUs === NOT_YET) this.#isPilingUp = true;
    if (this.#count === this.#capacity) this.#resize(2 * this.#capacity);
    const at = this.#at(this.#count);
    this.#ring[at + RECEIVED] = atMs;
    this.#count += 1;
    this.#lastFrom = this.#lastEnd;
    this.#lastReceivedMs = Math.floor(atMs);
    this.#lastWaitedUs = NOT_YET;
    if (this.#count === 1) this.#noteOldest();
  }

  #noteOldest(): void {
    this.#oldestReceivedMs = Math.floor(this.#ring[this.#at(0) + RECEIVED] ?? 0);
  }

  /** What piled up goes out together, or in parts. */
  #sentOfMany(byte: number, waitedMs: number, nowMs: number): void {
    this.#catchUp();
    let index = this.#indexOf(byte);
    this.#isPilingUp = index < this.#count - 1;
    if (index < this.#count) this.#ring[this.#at(index) + WAITED] = waitedMs;
    if (index === this.#count - 1) this.#lastWaitedUs = Math.round(waitedMs * 1_000);
    for (index -= 1; index >= 0; index -= 1) {
      const at = this.#at(index);
      if (!Number.isNaN(this.#ring[at + WAITED])) return;
      this.#ring[at + WAITED] = nowMs - (this.#ring[at + RECEIVED] ?? NaN);
    }
  }

  /** Writes the last receipt into the ring. */
  #catchUp(): void {
    if (!this.#isAhead) return;
    this.#isAhead = false;
    const at = this.#at(this.#count - 1);
    this.#ring[at] = this.#lastEnd;
    this.#ring[at + WAITED] = this.#lastWaitedUs === NOT_YET ? NaN : this.#lastWaitedUs / 1_000;
  }

  #at(index: number): number {
    return ((this.#head + index) & (this.#capacity - 1)) * FIELDS;
  }

  /** Of the first receipt that has the byte before `byte`; as many as there are when none has it. */
  #indexOf(byte: number): number {
    let low = 0;
    let high = this.#count;
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
