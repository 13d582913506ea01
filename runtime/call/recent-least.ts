/** Not shorter than this is what counts as recent, and at most twice as long. */
const RECENT_MS = 30_000;

/** The least of some values that came in the last half minute or so. */
export class RecentLeast {
  #least = Infinity;
  /** Of the half before. */
  #leastBefore = Infinity;
  #sinceMs = -Infinity;

  /** `Infinity` while there is none. */
  get value(): number {
    return Math.min(this.#least, this.#leastBefore);
  }

  add(value: number, nowMs: number): void {
    if (nowMs - this.#sinceMs >= RECENT_MS) {
      this.#leastBefore = this.#least;
      this.#least = Infinity;
      this.#sinceMs = nowMs;
    }
    this.#least = Math.min(this.#least, value);
  }

  /** What came so far says nothing about what will come. */
  clear(): void {
    this.#least = Infinity;
    this.#leastBefore = Infinity;
  }
}
