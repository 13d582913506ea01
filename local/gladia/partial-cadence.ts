const STEP_MS = 400;
const STEP_SHARE = 0.15;

/**
 * Whether open speech has grown enough for another partial: by 400 ms or 15 %, whichever is more, so that the
 * cost of decoding it again and again stays bounded (local-speech.md, live simulation).
 */
export function partialIsDue(lastPartialMs: number, openMs: number): boolean {
  return openMs - lastPartialMs >= Math.max(STEP_MS, lastPartialMs * STEP_SHARE);
}
