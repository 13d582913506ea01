export interface LineBoundOptions {
  /** Of one kind in one interval. Default 3,000: more than the calls that a process takes at once. */
  readonly mostLines?: number;
  /** Default one minute. */
  readonly intervalMs?: number;
  /** At the end of an interval in which there were too many. */
  readonly onHeldBack: (kind: string, lines: number) => void;
}

const MOST_LINES = 3_000;
const INTERVAL_MS = 60_000;
/** Messages are constants, so there are some hundred; what is beyond these counts as one kind. */
const MOST_KINDS = 1_000;

/** Lines of one kind are bounded in each interval: whoever can cause a line must not be able to fill the log. */
export class LineBound {
  readonly #options: LineBoundOptions;
  readonly #lines = new Map<string, number>();

  constructor(options: LineBoundOptions) {
    this.#options = options;
  }

  /** @returns whether one more line of this kind may be written now */
  take(message: string): boolean {
    const { mostLines = MOST_LINES, intervalMs = INTERVAL_MS } = this.#options;
    const kind = this.#lines.has(message) || this.#lines.size < MOST_KINDS ? message : '';
    const lines = (this.#lines.get(kind) ?? 0) + 1;
    this.#lines.set(kind, lines);
    if (lines === 1) setTimeout(() => this.#end(kind), intervalMs).unref();
    return lines <= mostLines;
  }

  #end(kind: string): void {
    const { mostLines = MOST_LINES, onHeldBack } = this.#options;
    const heldBack = (this.#lines.get(kind) ?? 0) - mostLines;
    this.#lines.delete(kind);
    if (heldBack > 0) onHeldBack(kind, heldBack);
  }
}
