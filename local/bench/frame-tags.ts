/** Each frame of a bench's audio begins with who sent it and its number: 6 bytes, which are 8 characters of base64. */
export const TAG_BYTES = 6;
/** 20 ms of mu-law. */
export const FRAME_BYTES = 160;
export const FRAME_MS = 20;

/** Frames that may be on their way. */
const REMEMBERED = 1024;

const tag = Buffer.alloc(TAG_BYTES);

/** @returns the tag's eight characters */
export function tagText(caller: number, frame: number): string {
  tag.writeUInt16BE(caller, 0);
  tag.writeUInt32BE(frame, 2);
  return tag.toString('base64');
}

/** When which frame was sent and how long it took, over all callers. */
export class FrameTimes {
  readonly #sentAtMs: Float64Array;
  readonly #callers: number;
  #latencies = new Float32Array(1 << 16);
  #count = 0;
  #isMeasuring = false;

  constructor(callers: number) {
    this.#callers = callers;
    this.#sentAtMs = new Float64Array(callers * REMEMBERED);
  }

  begin(): void {
    this.#count = 0;
    this.#isMeasuring = true;
  }

  sent(caller: number, frame: number, atMs: number): void {
    this.#sentAtMs[caller * REMEMBERED + (frame % REMEMBERED)] = atMs;
  }

  arrived(caller: number, frame: number, atMs: number): void {
    if (!this.#isMeasuring || caller >= this.#callers) return;
    if (this.#count === this.#latencies.length) {
      const longer = new Float32Array(this.#count * 2);
      longer.set(this.#latencies);
      this.#latencies = longer;
    }
    this.#latencies[this.#count] = atMs - (this.#sentAtMs[caller * REMEMBERED + (frame % REMEMBERED)] ?? 0);
    this.#count += 1;
  }

  /** Ends the measurement. @returns ms, sorted */
  end(): Float32Array {
    this.#isMeasuring = false;
    return this.#latencies.slice(0, this.#count).sort();
  }
}

/** @param share 0 to 1 @param sorted ascending */
export function quantile(sorted: ArrayLike<number>, share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
}

export function median(values: readonly number[]): number {
  return quantile(
    values.toSorted((a, b) => a - b),
    0.5,
  );
}
