interface Anchor {
  readonly positionMs: number;
  readonly timestampMs: number;
}

/** Timestamps wander by a few milliseconds; less than this is no shift. */
const SHIFT_MS = 20;
/** A stream that shifts more often than this loses its oldest shifts: only their times get less exact. */
const MAX_ANCHORS = 1024;

/**
 * From the place of a sample in a track's audio to Twilio's time of it. The two run in step until audio comes late,
 * is supplied, or jumps; each such shift is one anchor.
 */
export class TimeMap {
  readonly #anchors: Anchor[] = [];
  /** From position to time at the last anchor: what a frame that is no shift needs to know. */
  #offsetMs: number | undefined;

  /** A frame of Twilio's time `timestampMs` begins at `positionMs` of the track's audio. */
  note(positionMs: number, timestampMs: number): void {
    const offsetMs = timestampMs - positionMs;
    if (this.#offsetMs !== undefined && Math.abs(offsetMs - this.#offsetMs) < SHIFT_MS) return;
    this.#offsetMs = offsetMs;
    this.#anchors.push({ positionMs, timestampMs });
    if (this.#anchors.length > MAX_ANCHORS) this.#anchors.shift();
  }

  /**
   * Never goes back: silence that was supplied until late frames came is of the time before them.
   * @returns Twilio's time of a position; before the first frame, counted back from it; `undefined` while there is none
   */
  toTimestampMs(positionMs: number): number | undefined {
    let latestMs = Infinity;
    for (let i = this.#anchors.length - 1; i >= 0; i -= 1) {
      const anchor = this.#anchors[i];
      if (anchor === undefined) continue;
      if (i === 0 || anchor.positionMs <= positionMs)
        return Math.min(anchor.timestampMs + (positionMs - anchor.positionMs), latestMs);
      latestMs = Math.min(latestMs, anchor.timestampMs);
    }
    return undefined;
  }
}
