import type { TrackLedger } from '../model/audio-ledger';
import type { LegSummary, TranscriptEvent } from '../model/transcript-event';
import { endedLegs } from '../store/ended-legs';
import type { LegRecord } from '../store/live-leg';
import type { StoredCall } from '../store/stored-call';
import { missingSegments, sessionEvents, type FoundSession } from './orphan-books';

export interface LateLeg {
  readonly record: LegRecord;
  /** Its call, as stored. */
  readonly stored: StoredCall;
  /** Those that were not reconciled when the leg ended, by number. */
  readonly sessions: readonly FoundSession[];
}

/**
 * What becomes of a leg that ended while some of its sessions had no final result, or lines of theirs could not be
 * written: the lines that are missing, and what the results confirm. Pure.
 * @returns the events to tell, those that say that a session is reconciled last: as long as they are not in the table,
 * somebody looks again. None without any result, or where the leg has no end in the table
 */
export function lateBooks({ record, stored, sessions }: LateLeg): readonly TranscriptEvent[] {
  const { callSid, streamSid } = record;
  const { call, segments } = stored;
  const before = endedLegs(call.legs)[streamSid];
  const found = sessions.filter((each) => each.found.facts !== undefined);
  if (before === undefined || found.length === 0) return [];
  const id = { callSid, streamSid };
  const recovered = missingSegments({ record: withTimes(record, stored, before), sessions: found, segments });
  const summary: LegSummary = {
    ...before,
    ...confirmed(
      before,
      found.filter((each) => !isCounted(stored, before, streamSid, each)),
    ),
    segments: segments.filter((segment) => segment['streamSid'] === streamSid).length + recovered.length,
    reconciled: found.length === sessions.length,
  };
  return [
    ...recovered.map((segment): TranscriptEvent => ({ type: 'final', ...id, segment })),
    { type: 'leg-ended', ...id, summary },
    ...found.flatMap((each) => sessionEvents(id, each)),
  ];
}

/** Where the leg lies in its call; its task may have written down no more than its name. */
function withTimes(record: LegRecord, { call }: StoredCall, leg: LegSummary): LegRecord {
  const { legOriginAt: _, originAt: __, leadMs: ___, ...rest } = record;
  return {
    ...rest,
    tracks: leg.tracks,
    startedAt: leg.startedAt,
    parameters: call.direction === undefined ? {} : { direction: call.direction },
    ...(leg.firstAudioAt === undefined ? {} : { legOriginAt: leg.firstAudioAt }),
    ...(leg.leadMs === undefined ? {} : { leadMs: leg.leadMs }),
    ...(call.originAt === undefined ? {} : { originAt: call.originAt }),
  };
}

/**
 * A session whose lines alone were lost is in the ledger already; so is one whose reconciliation was cut short behind the
 * leg's end.
 */
function isCounted(
  { sessions }: StoredCall,
  { results }: LegSummary,
  streamSid: string,
  { session: { sessionNumber } }: FoundSession,
): boolean {
  const item = sessions.find(
    (each) => each['streamSid'] === streamSid && each['sessionNumber'] === sessionNumber,
  );
  return item?.['result'] !== undefined || results.some((each) => each.lateSession === sessionNumber);
}

function confirmed(
  { ledger, results, billableSeconds }: LegSummary,
  found: readonly FoundSession[],
): Pick<LegSummary, 'ledger' | 'results' | 'billableSeconds'> {
  const heldMs = found.reduce((sum, each) => sum + (each.found.durationMs ?? 0), 0);
  const facts = found.flatMap(({ session, found: { facts: own } }) =>
    own === undefined ? [] : [{ ...own, lateSession: session.sessionNumber }],
  );
  const tracks = Object.entries(ledger.tracks).map(([track, each]) => [track, accept(each, heldMs)]);
  return {
    ledger: { tracks: Object.fromEntries(tracks) as LegSummary['ledger']['tracks'] },
    results: [...results, ...facts],
    billableSeconds: facts.reduce((sum, { billedSeconds = 0 }) => sum + billedSeconds, billableSeconds),
  };
}

function accept(ledger: TrackLedger, heldMs: number): TrackLedger {
  const ms = Math.min(ledger.unconfirmedMs, heldMs);
  return { ...ledger, acceptedMs: ledger.acceptedMs + ms, unconfirmedMs: ledger.unconfirmedMs - ms };
}
