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

/** What of the ranges no other one covers, in order. */
export function uncovered(ranges: readonly TimeRange[], others: readonly TimeRange[]): readonly TimeRange[] {
  let left = unionOf(ranges);
  for (const other of others)
    left = left.flatMap(({ fromMs, toMs }) =>
      [
        { fromMs, toMs: Math.min(toMs, other.fromMs) },
        { fromMs: Math.max(fromMs, other.toMs), toMs },
      ].filter((part) => part.toMs > part.fromMs),
    );
  return left;
}

/** Each longer by this at both ends; with less than 0 shorter, or gone. */
export function widened(ranges: readonly TimeRange[], byMs: number): readonly TimeRange[] {
  return ranges
    .map(({ fromMs, toMs }) => ({ fromMs: fromMs - byMs, toMs: toMs + byMs }))
    .filter(({ fromMs, toMs }) => toMs > fromMs);
}
