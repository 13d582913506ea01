import type { LegStart } from '../model/call-event';
import type { Track } from '../model/audio';

/** `<Parameter>` of a stream that takes a call over: the nonce its old owner wrote down. */
export const HANDOVER_PARAMETER = 'handover';

/** The part of a leg that fencing looks at. */
export interface FencedLeg {
  readonly session: { readonly start: LegStart | undefined };
}

/**
 * Of one call and track there is one leg, or every line would be there twice: a second stream that nobody announced
 * replaces the first, because the newest is the one that somebody wants.
 * @returns the legs that must go
 */
export function replacedBy<Leg extends FencedLeg>(start: LegStart, legs: readonly Leg[]): readonly Leg[] {
  if (isAnnounced(start)) return [];
  return legs.filter(({ session }) => session.start !== undefined && isSameAudio(session.start, start));
}

export function isAnnounced({ parameters }: Pick<LegStart, 'parameters'>): boolean {
  return HANDOVER_PARAMETER in parameters;
}

type Audio = Pick<LegStart, 'callSid' | 'streamSid'> & { readonly tracks: readonly Track[] };

/** Two streams of one call that hear some track both. */
export function isSameAudio(one: Audio, other: Audio): boolean {
  return (
    one.callSid === other.callSid &&
    one.streamSid !== other.streamSid &&
    one.tracks.some((track) => other.tracks.includes(track))
  );
}
