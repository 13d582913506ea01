import { TRACKS, type Track } from '../../runtime/model/audio';
import type { SegmentItem } from '../../runtime/store/stored-call';
import type { CallFacts, FinalFacts } from './call-facts';
import { lengthMs, sharedMs, type TimeRange } from './time-ranges';

/** A segment of the table with the place in the call's audio that it is about. */
export interface PlacedSegment extends TimeRange {
  readonly itemKey: string;
  readonly streamSid: string;
  readonly track: Track;
  readonly final: FinalFacts;
  /** Of the call, as the table tells them. */
  readonly told: TimeRange;
  readonly isOverlap: boolean;
}

/** Places the stored segments by the finals they come from: the times that the table tells are not believed here. */
export function placedSegments({ stored, finals }: CallFacts): readonly PlacedSegment[] {
  return stored.segments.flatMap((item) => {
    const streamSid = textOf(item, 'streamSid');
    const track = TRACKS.find((each) => each === item.track);
    const final = finals.find((each) => isOf(item, each));
    if (final === undefined || track === undefined) return [];
    const told = { fromMs: item.startMs, toMs: item.endMs };
    const { itemKey, overlap } = item;
    return [{ itemKey, streamSid, track, final, told, isOverlap: overlap === true, ...final.inCall }];
  });
}

/** Segments that come from no final of Gladia. */
export function inventedSegments({ stored, finals }: CallFacts): readonly SegmentItem[] {
  return stored.segments.filter((item) => !finals.some((final) => isOf(item, final)));
}

function isOf(item: SegmentItem, { sessionId, channel, inSession }: FinalFacts): boolean {
  const own = { fromMs: numberOf(item, 'sessionStartMs'), toMs: numberOf(item, 'sessionEndMs') };
  return (
    textOf(item, 'sessionId') === sessionId &&
    numberOf(item, 'channel') === channel &&
    isMostlyShared(own, inSession)
  );
}

/** Pairs that say the same audio twice, where neither of them is marked as heard by two legs. */
export function doubledPairs(
  segments: readonly PlacedSegment[],
): readonly (readonly [PlacedSegment, PlacedSegment])[] {
  return segments.flatMap((one, index) =>
    segments
      .slice(index + 1)
      .filter(
        (other) =>
          one.track === other.track && !one.isOverlap && !other.isOverlap && isMostlyShared(one, other),
      )
      .map((other) => [one, other] as const),
  );
}

/** Whether more than half of the shorter one is in the other. */
export function isMostlyShared(one: TimeRange, other: TimeRange): boolean {
  return sharedMs(one, other) > Math.min(lengthMs(one), lengthMs(other)) / 2;
}

function textOf(item: SegmentItem, name: string): string {
  const value: unknown = item[name];
  return typeof value === 'string' ? value : '';
}

function numberOf(item: SegmentItem, name: string): number {
  const value: unknown = item[name];
  return typeof value === 'number' ? value : NaN;
}
