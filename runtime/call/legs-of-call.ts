import type { Track } from '../model/audio';
import type { NoStreamCause } from '../model/audio-ledger';
import type { LegEndReason } from '../model/call-event';
import type { LegSummary } from '../model/transcript-event';

/** A leg's streamSid and what it came to. */
export type EndedLeg = readonly [streamSid: string, summary: LegSummary];

/** A time in which no leg of a call took its audio. Between legs there is only the wall clock. */
export interface LegGap {
  readonly streamSid: string;
  readonly track: Track;
  readonly startMs: number;
  readonly endMs: number;
  readonly cause: NoStreamCause;
}

/** Shorter than this is the accuracy of clocks, not a gap. */
export const LEAST_GAP_MS = 40;

/** Legs that have ended, in the order in which they began. */
export function inOrder(legs: Readonly<Record<string, LegSummary>>): readonly EndedLeg[] {
  return Object.entries(legs)
    .filter(([, { endedAt }]) => typeof endedAt === 'string')
    .toSorted(([, one], [, other]) => beganAt(one).localeCompare(beganAt(other)));
}

/**
 * What lies between the legs of a call, per track: Twilio keeps no audio while no stream is attached. Call times, in
 * milliseconds since the first leg's first audio. Named by the leg that went on.
 */
export function gapsBetween(legs: readonly EndedLeg[]): readonly LegGap[] {
  const heard = legs.filter(([, { firstAudioAt }]) => firstAudioAt !== undefined);
  const originMs = Date.parse(heard[0]?.[1].firstAudioAt ?? '');
  const lastHeard = new Map<Track, { readonly atMs: number; readonly reason: LegEndReason }>();
  const gaps: LegGap[] = [];
  for (const [streamSid, leg] of heard) {
    const firstMs = Date.parse(leg.firstAudioAt ?? '');
    const lastMs = Date.parse(leg.lastAudioAt ?? '');
    for (const track of leg.tracks) {
      const before = lastHeard.get(track);
      if (before !== undefined && firstMs - before.atMs >= LEAST_GAP_MS) {
        const [startMs, endMs] = [before.atMs - originMs, firstMs - originMs];
        gaps.push({ streamSid, track, startMs, endMs, cause: causeAfter(before.reason) });
      }
      if (before === undefined || lastMs > before.atMs)
        lastHeard.set(track, { atMs: lastMs, reason: leg.endReason });
    }
  }
  return gaps;
}

function beganAt({ firstAudioAt, startedAt }: LegSummary): string {
  return firstAudioAt ?? startedAt;
}

function causeAfter(reason: LegEndReason): NoStreamCause {
  if (reason === 'task-died') return 'task-died';
  return reason === 'stopped' ? 'stream-stopped' : 'stream-lost';
}
