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
  #openSinceMs: number | undefined;
  #suppliedUntilMs = -Infinity;

  /** Of matter before the first frame: the session has been open since then. Said again, it counts as the first time. */
  sessionOpen(sinceMs: number): void {
    this.#openSinceMs ??= sinceMs;
  }

  /**
   * @param heardAtMs arrival of the last frame; `undefined` before the first
   * @returns whole ms owed now, which count as supplied from here on
   */
  owedMs(nowMs: number, heardAtMs: number | undefined): number {
    const quietSinceMs = heardAtMs ?? this.#openSinceMs;
    if (quietSinceMs === undefined) return 0;
    const fromMs = Math.max(this.#suppliedUntilMs, quietSinceMs + QUIET_MS);
    if (nowMs <= fromMs) return 0;
    const owedMs = Math.floor(nowMs - fromMs);
    this.#suppliedUntilMs = fromMs + owedMs;
    return Math.min(owedMs, MAX_AT_ONCE_MS);
  }
}
