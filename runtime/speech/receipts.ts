interface Receipt {
  endByte: number;
  readonly receivedAtMs: number;
  /** Until its audio was sent for the first time; the last of it, of several messages. */
  waitedMs?: number;
}

/** How long words took to arrive at the relay. */
export interface UtteranceLatency {
  /** Since the last audio of the words was received. */
  readonly totalMs: number;
  /** Of that, until that audio was sent to the speech service. */
  readonly relayMs: number;
}

/** Receipts closer together than this are one. */
const RESOLUTION_MS = 100;

/** When which part of a leg's audio was received: for lateness and latency. */
export class Receipts {
  readonly #receipts: Receipt[] = [];

  /** Audio up to `endByte` has been received. A time before the last one counts as that. */
  add(endByte: number, atMs: number): void {
    const last = this.#receipts[this.#receipts.length - 1];
    const nowMs = Math.max(atMs, last?.receivedAtMs ?? atMs);
    // The first bytes of a merged receipt look up to RESOLUTION_MS older than they are, never younger.
    if (last !== undefined && nowMs - last.receivedAtMs < RESOLUTION_MS) {
      last.endByte = endByte;
      return;
    }
    this.#receipts.push({ endByte, receivedAtMs: nowMs });
  }

  /**
   * Audio up to `byte` has been sent now, and never before.
   * @param waitedMs of the oldest of it that is not in a receipt of its own
   */
  sent(byte: number, waitedMs: number, nowMs: number): void {
    let at = this.#placeOf(byte);
    const last = this.#receipts[at];
    if (last !== undefined) last.waitedMs = waitedMs;
    // What piled up goes out together.
    for (at -= 1; at >= 0; at -= 1) {
      const receipt = this.#receipts[at];
      if (receipt?.waitedMs !== undefined) return;
      if (receipt !== undefined) receipt.waitedMs = nowMs - receipt.receivedAtMs;
    }
  }

  /** Of words that end with the byte before `byte` and come now; `undefined` when that was never received. */
  latency(byte: number, nowMs: number): UtteranceLatency | undefined {
    const receipt = this.#receiptOf(byte);
    if (receipt === undefined) return undefined;
    const totalMs = nowMs - receipt.receivedAtMs;
    return { totalMs, relayMs: Math.min(receipt.waitedMs ?? 0, totalMs) };
  }

  /** Nobody will ask for audio before `byte` any more. */
  forget(byte: number): void {
    while (this.#receipts.length > 1 && (this.#receipts[0]?.endByte ?? 0) <= byte) this.#receipts.shift();
  }

  /** When the byte before `byte` was received; `undefined` when it never was. Forgotten audio counts as received with the oldest kept. */
  receivedAtMs(byte: number): number | undefined {
    return this.#receiptOf(byte)?.receivedAtMs;
  }

  /** The end of the last byte received at or before a time; 0 when none was. */
  endByteAt(atMs: number): number {
    let low = 0;
    let high = this.#receipts.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#receipts[middle]?.receivedAtMs ?? 0) <= atMs) low = middle + 1;
      else high = middle;
    }
    return this.#receipts[low - 1]?.endByte ?? 0;
  }

  #receiptOf(byte: number): Receipt | undefined {
    return this.#receipts[this.#placeOf(byte)];
  }

  #placeOf(byte: number): number {
    const { length } = this.#receipts;
    let low = 0;
    let high = length;
    // Mostly it is the last one: what has just come is being sent.
    if (length > 1 && (this.#receipts[length - 2]?.endByte ?? 0) < byte) low = length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#receipts[middle]?.endByte ?? 0) < byte) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
