interface Receipt {
  readonly endByte: number;
  readonly receivedAtMs: number;
}

/** Receipts closer together than this are one. */
const RESOLUTION_MS = 100;

/** When which part of a leg's audio was received: for lateness and latency. */
export class Receipts {
  readonly #receipts: Receipt[] = [];

  /** Audio up to `endByte` has been received. A time before the last one counts as that. */
  add(endByte: number, atMs: number): void {
    const last = this.#receipts.at(-1);
    const nowMs = Math.max(atMs, last?.receivedAtMs ?? atMs);
    // The first bytes of a merged receipt look up to RESOLUTION_MS older than they are, never younger.
    if (last !== undefined && nowMs - last.receivedAtMs < RESOLUTION_MS) {
      this.#receipts[this.#receipts.length - 1] = { endByte, receivedAtMs: last.receivedAtMs };
      return;
    }
    this.#receipts.push({ endByte, receivedAtMs: nowMs });
  }

  /** Nobody will ask for audio before `byte` any more. */
  forget(byte: number): void {
    while (this.#receipts.length > 1 && (this.#receipts[0]?.endByte ?? 0) <= byte) this.#receipts.shift();
  }

  /** When the byte before `byte` was received; `undefined` when it never was. Forgotten audio counts as received with the oldest kept. */
  receivedAtMs(byte: number): number | undefined {
    let low = 0;
    let high = this.#receipts.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#receipts[middle]?.endByte ?? 0) < byte) low = middle + 1;
      else high = middle;
    }
    return this.#receipts[low]?.receivedAtMs;
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
}
