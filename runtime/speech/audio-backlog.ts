/** Audio is kept in slabs of this size: one second of two tracks, two of one, and whole 20 ms frames of either. */
export const SLAB_BYTES = 16_000;
/** A slab lives for seconds, and would be dear as garbage: so many are kept for the next that need one, 4 MB. */
const MOST_SPARE_SLABS = 256;

const NOTHING = Buffer.alloc(0);

/**
 * The audio of one leg that may have to be sent (again): everything not yet released, in order.
 * Positions are bytes of leg audio since its start and never repeat. Bounded per call and, through the budget, for
 * the process; when a bound is hit the oldest audio goes and its owner is told.
 */
export class AudioBacklog {
  readonly #budget: BacklogBudget;
  readonly #maxBytes: number;
  readonly #onDropped: (fromByte: number, toByte: number) => void;
  /** All but the last one are full. */
  readonly #slabs: Buffer[] = [];
  /** Position of the first byte of the first slab; as of every slab, a multiple of their size. */
  #slabStart = 0;
  /** What each frame is written to, and mostly read from. */
  #last: Buffer = NOTHING;
  /** Position of its first byte: at first, as if there were one that is full. */
  #lastStart = -SLAB_BYTES;
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
      if (this.#end - this.#lastStart === SLAB_BYTES) this.#addSlab();
      const copied = bytes.copy(this.#last, this.#end - this.#lastStart, offset);
      offset += copied;
      this.#end += copied;
    }
  }

  /** Up to `maxBytes` from a position, without copying: valid until released. Empty at the end. */
  read(fromByte: number, maxBytes: number): Buffer {
    if (fromByte < this.#slabStart || fromByte >= this.#end) return Buffer.alloc(0);
    const from = fromByte % SLAB_BYTES;
    const start = fromByte - from;
    const slab = start === this.#lastStart ? this.#last : this.#slabs[(start - this.#slabStart) / SLAB_BYTES];
    return (slab ?? NOTHING).subarray(from, Math.min(from + maxBytes, SLAB_BYTES, this.#end - start));
  }

  /** Everything before `toByte` will not be asked for again. */
  release(toByte: number): void {
    while (this.#slabStart + SLAB_BYTES <= toByte && this.#slabs.length > 0) this.#shift();
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
    for (const slab of this.#slabs) this.#budget.giveBack(slab);
    this.#slabs.length = 0;
    this.#last = NOTHING;
    this.#lastStart = this.#end - SLAB_BYTES;
    this.#budget.remove(this);
  }

  #addSlab(): void {
    if (this.heldBytes + SLAB_BYTES > this.#maxBytes) this.dropOldest();
    this.#last = this.#budget.take();
    this.#lastStart = this.#end;
    this.#slabs.push(this.#last);
  }

  #shift(): void {
    const slab = this.#slabs.shift();
    this.#slabStart += SLAB_BYTES;
    if (slab !== undefined) this.#budget.giveBack(slab);
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
