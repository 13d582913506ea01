import type { LatencySummary } from '../model/transcript-event';

/** More than a day of finals: old ones give way to new ones. */
const MAX_SAMPLES = 20_000;

/** Latencies of a leg's finals. */
export class Latencies {
  readonly #samplesMs: number[] = [];

  add(latencyMs: number): void {
    if (this.#samplesMs.length >= MAX_SAMPLES) this.#samplesMs.shift();
    this.#samplesMs.push(latencyMs);
  }

  summary(): LatencySummary | undefined {
    const sorted = this.#samplesMs.toSorted((a, b) => a - b);
    const at = (share: number): number | undefined => sorted[Math.ceil(sorted.length * share) - 1];
    const p50Ms = at(0.5);
    const p95Ms = at(0.95);
    return p50Ms === undefined || p95Ms === undefined ? undefined : { count: sorted.length, p50Ms, p95Ms };
  }
}
