import type { LegSummary } from '../model/transcript-event';

/** A leg shorter than this may well have been silent. */
const ENOUGH_AUDIO_MS = 10_000;

/**
 * Whether a leg should have had a transcript and has none: more than ten seconds of audio that Twilio sent on one of
 * its tracks, and not one segment. Silence that was filled in does not count.
 */
export function isUntranscribed({ segments, ledger }: Pick<LegSummary, 'segments' | 'ledger'>): boolean {
  const longestMs = Math.max(0, ...Object.values(ledger.tracks).map(({ framesMs }) => framesMs));
  return segments === 0 && longestMs > ENOUGH_AUDIO_MS;
}
