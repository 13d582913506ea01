import type { GapItem } from '../../runtime/store/stored-call';

/** The same gap on all tracks it is on. */
export interface JoinedGap {
  readonly startMs: number;
  readonly endMs: number;
  readonly cause?: string;
  /** Sorted; empty when none of them says its track. */
  readonly tracks: readonly string[];
}

/** Gaps that differ only in their track, as one each. */
export function joinGaps(gaps: readonly GapItem[]): readonly JoinedGap[] {
  const joined = new Map<string, JoinedGap>();
  for (const { startMs, endMs, cause, track } of gaps) {
    const key = JSON.stringify([startMs, endMs, cause]);
    const tracks = [...(joined.get(key)?.tracks ?? []), ...(track === undefined ? [] : [track])].sort();
    joined.set(key, { startMs, endMs, tracks, ...(cause === undefined ? {} : { cause }) });
  }
  return [...joined.values()];
}
