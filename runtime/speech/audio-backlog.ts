/** Audio is kept in slabs of this size: one second of two tracks, two of one, and whole 20 ms frames of either. */
export const SLAB_BYTES = 16_000;
/** A slab lives for seconds, and would be dear as garbage: so many are kept for the next that need one, 4 MB. */
const MOST_SPARE_SLABS = 256;

interface Slab {
  readonly bytes: Buffer;
  /** Bytes in use. */
  used: number;
}

/**
 * The audio of one leg that may have to be sent (again): everything not yet released, in order.
 * Positions are bytes of leg audio since its start and never repeat. Bounded per call and, through the budget, for
 * the process; when a bound is hit the oldest audio goes and its owner is told.
 */
export class AudioBacklog {
  readonly #budget: BacklogBudget;
  readonly #maxBytes: number;
  readonly #onDropped: (fromByte: number, toByte: number) => void;
  readonly #slabs: Slab[] = [];
  /** Position of the first byte of the first slab. */
  #slabStart = 0;
  #end = 0;

  constructor(options: {
    budget: BacklogBudget;
    maxBytes: number;
    /** Audio went unreleased, before its time. */
    onDropped: (fromByte: number, toByte: number) => void;
  }) {
    this.#budget = options.budget;
    this.#maxBytes = Math.max(options.maxBytes, 2 * SLAB_BYTES);
    this.#onDropped = options.onDropped;
    this.#budget.add(this);
  }

  /** Oldest position that can still be read. */
  get startByte(): number {
    return this.#slabStart;
  }

  get endByte(): number {
    return this.#end;
  }

  /** Memory in use, whole slabs: one at least while audio comes, whatever the bounds. */
  get heldBytes(): number {
    return this.#slabs.length * SLAB_BYTES;
  }

  append(bytes: Buffer): void {
    for (let offset = 0; offset < bytes.length;) {
      const slab = this.#slabWithRoom();
      const copied = bytes.copy(slab.bytes, slab.used, offset);
      slab.used += copied;
      offset += copied;
      this.#end += copied;
    }
  }

  /** Up to `maxBytes` from a position, without copying: valid until released. Empty at the end. */
  read(fromByte: number, maxBytes: number): Buffer {
    const offset = fromByte - this.#slabStart;
    const slab = this.#slabs[Math.floor(offset / SLAB_BYTES)];
    if (offset < 0 || slab === undefined) return Buffer.alloc(0);
    const from = offset % SLAB_BYTES;
    return slab.bytes.subarray(from, Math.min(from + maxBytes, slab.used));
  }

  /** Everything before `toByte` will not be asked for again. */
  release(toByte: number): void {
    while (this.#slabs.length > 0 && this.#slabStart + SLAB_BYTES <= toByte) this.#shift();
  }

  /** Drops the oldest slab before its time, but never the one being filled. */
  dropOldest(): void {
    const from = this.#slabStart;
    if (this.#end < from + SLAB_BYTES) return;
    this.#shift();
    this.#onDropped(from, this.#slabStart);
  }

  /** Gives all memory back: nothing can be read or appended any more. Safe to call twice. */
  close(): void {
    for (const { bytes } of this.#slabs) this.#budget.giveBack(bytes);
    this.#slabs.length = 0;
    this.#budget.remove(this);
  }

  #slabWithRoom(): Slab {
    const last = this.#slabs[this.#slabs.length - 1];
    if (last !== undefined && last.used < SLAB_BYTES) return last;
    if (this.heldBytes + SLAB_BYTES > this.#maxBytes) this.dropOldest();
    const slab = { bytes: this.#budget.take(), used: 0 };
    this.#slabs.push(slab);
    return slab;
  }

  #shift(): void {
    const slab = this.#slabs.shift();
    this.#slabStart += SLAB_BYTES;
    if (slab !== undefined) this.#budget.giveBack(slab.bytes);
  }
}

/** What all backlogs of the process may hold together. Over it, the call that holds most loses its oldest audio. */
export class BacklogBudget {
  readonly #maxBytes: number;
  readonly #backlogs = new Set<AudioBacklog>();
  readonly #spare: Buffer[] = [];
  #heldBytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get heldBytes(): number {
    return this.#heldBytes;
  }

  add(backlog: AudioBacklog): void {
    this.#backlogs.add(backlog);
  }

  remove(backlog: AudioBacklog): void {
    this.#backlogs.delete(backlog);
  }

  /** @returns `SLAB_BYTES`, with anything in them */
  take(): Buffer {
    if (this.#heldBytes + SLAB_BYTES > this.#maxBytes) this.#largest()?.dropOldest();
    this.#heldBytes += SLAB_BYTES;
    return this.#spare.pop() ?? Buffer.allocUnsafeSlow(SLAB_BYTES);
  }

  /** Nobody reads or writes the slab any more. */
  giveBack(slab: Buffer): void {
    this.#heldBytes -= SLAB_BYTES;
    if (this.#spare.length < MOST_SPARE_SLABS) this.#spare.push(slab);
  }

  #largest(): AudioBacklog | undefined {
    let largest: AudioBacklog | undefined;
    for (const backlog of this.#backlogs) {
      if (largest === undefined || backlog.heldBytes > largest.heldBytes) largest = backlog;
    }
    return largest;
  }
}
