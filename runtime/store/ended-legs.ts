import { z } from 'zod';
import { TRACKS, type Track } from '../model/audio';
import type { LegEndReason } from '../model/call-event';
import { LATENCY_PARTS, type LegSummary } from '../model/transcript-event';
import { trackLedger } from './stored-call';

const number = z.number().catch(0);
const optionalText = z.string().exactOptional();
const track = z.enum(TRACKS as readonly [Track, ...Track[]]);

const latency = z.object({
  count: z.number(),
  p50Ms: z.number(),
  p95Ms: z.number(),
  p99Ms: z.number().exactOptional(),
});

/** A leg of the call item. One that has not ended has no `endedAt`. */
const endedLeg = z.object({
  startedAt: z.string(),
  endedAt: z.string(),
  // Whatever another version of the relay says; it is only passed on.
  endReason: z.custom<LegEndReason>((reason) => typeof reason === 'string'),
  failure: optionalText,
  tracks: z.array(track).catch([]),
  firstAudioAt: optionalText,
  lastAudioAt: optionalText,
  leadMs: z.number().exactOptional(),
  sessions: number,
  segments: number,
  ledger: z.object({ tracks: z.partialRecord(track, trackLedger) }).catch({ tracks: {} }),
  latency: latency.exactOptional(),
  latencyParts: z.partialRecord(z.enum(LATENCY_PARTS), latency).exactOptional(),
  reconciled: z.boolean().catch(false),
  results: z
    .array(
      z.object({
        status: z.string(),
        audioSeconds: z.number().exactOptional(),
        billedSeconds: z.number().exactOptional(),
        languages: z.array(z.string()),
        lateSession: z.number().exactOptional(),
      }),
    )
    .catch([]),
  billableSeconds: number,
});

/** @param legs the attribute of a call item @returns the legs that have ended, by streamSid */
export function endedLegs(legs: unknown): Readonly<Record<string, LegSummary>> {
  if (typeof legs !== 'object' || legs === null) return {};
  const ended = Object.entries(legs).flatMap(([streamSid, leg]): [string, LegSummary][] => {
    const { success, data } = endedLeg.safeParse(leg);
    return success ? [[streamSid, data]] : [];
  });
  return Object.fromEntries(ended);
}

/** @param legs the attribute of a call item @returns the legs that began and have not ended */
export function openLegs(legs: unknown): readonly string[] {
  if (typeof legs !== 'object' || legs === null) return [];
  return Object.entries(legs)
    .filter(([, leg]) => typeof leg === 'object' && leg !== null && !('endedAt' in leg))
    .map(([streamSid]) => streamSid);
}
