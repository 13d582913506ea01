import type { LegStart } from '../model/call-event';
import type { Track } from '../model/audio';

/** `<Parameter>`s of a stream that takes a call over: the nonce its old owner wrote down, and the stream it replaces. */
export const HANDOVER_PARAMETER = 'handover';
export const TAKES_OVER_PARAMETER = 'takesOver';

/** The part of a leg that fencing looks at. */
export interface FencedLeg {
  readonly session: { readonly start: LegStart | undefined };
}

/**
 * Of one call and track there is one leg, or every line would be there twice: the newest stream replaces any other,
 * because it is the one that somebody wants. One that takes over leaves its forerunner to end by itself.
 * @returns the legs that must go
 */
export function replacedBy<Leg extends FencedLeg>(start: LegStart, legs: readonly Leg[]): readonly Leg[] {
  return legs.filter(({ session }) => session.start !== undefined && isReplaced(session.start, start));
}

export function isReplaced(older: Audio, newest: LegStart): boolean {
  return isSameAudio(older, newest) && newest.parameters[TAKES_OVER_PARAMETER] !== older.streamSid;
}

/** It goes on with a call that another leg gives away. */
export function isAnnounced({ parameters }: Pick<LegStart, 'parameters'>): boolean {
  return HANDOVER_PARAMETER in parameters;
}

type Audio = Pick<LegStart, 'callSid' | 'streamSid'> & { readonly tracks: readonly Track[] };

/** Two streams of one call that hear some track both. */
function isSameAudio(one: Audio, other: Audio): boolean {
  return (
    one.callSid === other.callSid &&
    one.streamSid !== other.streamSid &&
    one.tracks.some((track) => other.tracks.includes(track))
  );
}
