interface Anchor {
  readonly sessionByte: number;
  readonly legByte: number;
}

/**
 * Where a session's audio lies in the leg's. They run in step until a resume repeats or skips bytes; then a new
 * anchor says where the session's clock stands (gladia-live.md, 4.4 "Timeline shift").
 */
export class SessionTimeline {
  readonly #anchors: Anchor[];
  readonly #bytesPerMs: number;

  constructor(baseByte: number, bytesPerMs: number) {
    this.#anchors = [{ sessionByte: 0, legByte: baseByte }];
    this.#bytesPerMs = bytesPerMs;
  }

  /** From `sessionByte` on, session audio is leg audio from `legByte` on. */
  anchor(sessionByte: number, legByte: number): void {
    if (this.#toLegByte(sessionByte) !== legByte) this.#anchors.push({ sessionByte, legByte });
  }

  /** @returns milliseconds of leg audio */
  toLegMs(sessionMs: number): number {
    return this.#toLegByte(sessionMs * this.#bytesPerMs) / this.#bytesPerMs;
  }

  #toLegByte(sessionByte: number): number {
    let anchor = this.#anchors[0];
    for (const next of this.#anchors) if (next.sessionByte <= sessionByte) anchor = next;
    return anchor === undefined ? sessionByte : anchor.legByte + (sessionByte - anchor.sessionByte);
  }
}
