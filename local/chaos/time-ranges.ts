/** A stretch of time in milliseconds; the end is not part of it. */
export interface TimeRange {
  readonly fromMs: number;
  readonly toMs: number;
}

export function lengthMs({ fromMs, toMs }: TimeRange): number {
  return Math.max(0, toMs - fromMs);
}

export function sharedMs(one: TimeRange, other: TimeRange): number {
  return Math.max(0, Math.min(one.toMs, other.toMs) - Math.max(one.fromMs, other.fromMs));
}

/** What any of the ranges covers, in order and without overlap. */
export function unionOf(ranges: readonly TimeRange[]): readonly TimeRange[] {
  const union: TimeRange[] = [];
  for (const range of ranges.toSorted((one, other) => one.fromMs - other.fromMs)) {
    const last = union.at(-1);
    if (last !== undefined && range.fromMs <= last.toMs)
      union[union.length - 1] = { fromMs: last.fromMs, toMs: Math.max(last.toMs, range.toMs) };
    else union.push(range);
  }
  return union;
}

export function totalMs(ranges: readonly TimeRange[]): number {
  return unionOf(ranges).reduce((sum, range) => sum + lengthMs(range), 0);
}

/** What none of the ranges covers between the first of them and the last. */
export function holesIn(ranges: readonly TimeRange[]): readonly TimeRange[] {
  const union = unionOf(ranges);
  return union.slice(1).map(({ fromMs }, index) => ({ fromMs: union[index]?.toMs ?? fromMs, toMs: fromMs }));
}
