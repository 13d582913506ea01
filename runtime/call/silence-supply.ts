/** No frames for this long, and silence takes their place (corrections to the design, 12). */
const QUIET_MS = 1_000;
/** A process that slept owes no more than this at once. */
const MAX_AT_ONCE_MS = 5_000;

/**
 * How much silence a leg is owed: Gladia needs continuous audio, but on some calls Twilio sends no frames while nobody
 * speaks (twilio-media-streams.md, 2.5). Real pace, from one second after the last frame; before the first frame, from
 * one second after the session is open.
 */
export class SilenceSupply {
  #quietSinceMs: number | undefined;
  #suppliedUntilMs = 0;

  frameArrived(nowMs: number): void {
    this.#quietSinceMs = nowMs;
    this.#suppliedUntilMs = nowMs + QUIET_MS;
  }

  /** Before the first frame: the session has been open since then. */
  sessionOpen(sinceMs: number): void {
    if (this.#quietSinceMs === undefined) this.frameArrived(sinceMs);
  }

  /** @returns whole ms owed now, which count as supplied from here on */
  owedMs(nowMs: number): number {
    if (this.#quietSinceMs === undefined || nowMs <= this.#suppliedUntilMs) return 0;
    const owedMs = Math.floor(nowMs - this.#suppliedUntilMs);
    this.#suppliedUntilMs += owedMs;
    return Math.min(owedMs, MAX_AT_ONCE_MS);
  }
}
