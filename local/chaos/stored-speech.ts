import { TRACKS, type Track } from '../../runtime/model/audio';
import type { SegmentItem } from '../../runtime/store/stored-call';
import type { CallFacts } from './call-facts';
import { lengthMs, sharedMs, type TimeRange } from './time-ranges';

/** A segment of the table, placed on the call's audio. */
export interface PlacedSegment extends TimeRange {
  readonly itemKey: string;
  readonly streamSid: string;
  readonly track: Track;
  readonly sessionId: string;
  /** Of the session's audio. */
  readonly inSession: TimeRange;
  readonly isOverlap: boolean;
}

/**
 * Places the stored segments on the call's audio. Between legs the relay goes by the wall clock, which nobody here
 * has to trust: a segment's place in its own leg counts, and where that leg's stream began is known.
 */
export function placedSegments({ stored, streams }: CallFacts): readonly PlacedSegment[] {
  const originMs = Date.parse(stored.call.originAt ?? '');
  return stored.segments.flatMap((item) => {
    const streamSid = textOf(item, 'streamSid');
    const stream = streams.find((each) => each.streamSid === streamSid);
    const track = TRACKS.find((each) => each === item.track);
    if (stream === undefined || track === undefined) return [];
    const firstMs = Date.parse(stored.call.legs[streamSid]?.firstAudioAt ?? '');
    const offsetMs = Number.isFinite(firstMs - originMs) ? firstMs - originMs : 0;
    const shiftMs = stream.startMs - offsetMs;
    return [
      {
        ...{ itemKey: item.itemKey, streamSid, track, isOverlap: item.overlap === true },
        ...{ fromMs: item.startMs + shiftMs, toMs: item.endMs + shiftMs },
        sessionId: textOf(item, 'sessionId'),
        inSession: { fromMs: numberOf(item, 'sessionStartMs'), toMs: numberOf(item, 'sessionEndMs') },
      },
    ];
  });
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
