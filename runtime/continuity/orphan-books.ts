import { speakerOf } from '../call/speaker';
import { readLegParameters } from '../call/leg-parameters';
import type { Track } from '../model/audio';
import type { TrackLedger } from '../model/audio-ledger';
import type { LegId, LegSummary, Segment, SessionFacts, TranscriptEvent } from '../model/transcript-event';
import { LegFinals } from '../speech/leg-finals';
import type { RecoveredSession } from '../speech/orphaned-session';
import type { SpokenUtterance } from '../speech/speech-provider';
import type { UnreconciledSession } from '../store/lease-store';
import type { LegRecord } from '../store/live-leg';
import type { SegmentItem } from '../store/stored-call';

/** A session of the dead leg, and what the speech service still knew of it. */
export interface FoundSession {
  readonly session: Pick<UnreconciledSession, 'sessionId' | 'sessionNumber' | 'baseMs'>;
  readonly found: RecoveredSession;
}

/** A leg without its process. */
export interface OrphanedLeg {
  readonly record: LegRecord;
  /** By number. */
  readonly sessions: readonly FoundSession[];
  /** The call's segments that are in the table. */
  readonly segments: readonly SegmentItem[];
  /** Wall clock. */
  readonly nowMs: number;
}

/**
 * What a leg came to whose process died: the finals that never reached the table, and its ledger. What the service has
 * beyond the last checkpoint was received, what it has not is lost with the task. Pure.
 * @returns the events to tell, `leg-ended` last
 */
export function closeBooks(leg: OrphanedLeg): readonly TranscriptEvent[] {
  const { record, sessions } = leg;
  const id = { callSid: record.callSid, streamSid: record.streamSid };
  const recovered = missingSegments(leg);
  const summary = summaryOf(leg, recovered.length);
  return [
    ...recovered.map((segment): TranscriptEvent => ({ type: 'final', ...id, segment })),
    ...sessions.flatMap((each) => sessionEvents(id, each)),
    ...lostGaps(record, summary).map((gap): TranscriptEvent => ({ type: 'gap', ...id, ...gap })),
    { type: 'leg-ended', ...id, summary },
  ];
}

/** The summary of a session, if it has one, and its end. */
export function sessionEvents(id: LegId, { session, found }: FoundSession): readonly TranscriptEvent[] {
  const { sessionId, sessionNumber } = session;
  const { facts, summary: text, isEnded } = found;
  const closed: TranscriptEvent = {
    type: 'session-closed',
    ...id,
    sessionId,
    sessionNumber,
    reconciled: facts !== undefined,
    isLate: true,
    ...(isEnded ? {} : { mayBeOpen: true }),
    ...(facts === undefined ? {} : { facts }),
  };
  return text === undefined ? [closed] : [{ type: 'summary', ...id, sessionNumber, text }, closed];
}

/** The finals of the sessions that are not in the table. */
export function missingSegments(leg: Omit<OrphanedLeg, 'nowMs'>): readonly Segment[] {
  const stored = storedFinals(leg);
  return leg.sessions.flatMap((each) => missingOf(leg, each, stored));
}

function missingOf(
  { record, sessions }: Omit<OrphanedLeg, 'nowMs'>,
  { session, found }: FoundSession,
  stored: LegFinals,
): readonly Segment[] {
  const next = sessions.find((each) => each.session.sessionNumber > session.sessionNumber);
  return found.utterances.flatMap((utterance, index) => {
    const [startMs, endMs] = [utterance.startMs + session.baseMs, utterance.endMs + session.baseMs];
    const placed = { session: { number: session.sessionNumber }, utterance, startMs, endMs };
    // What the next session got again is that one's to tell.
    const isNexts = next !== undefined && (startMs + endMs) / 2 >= next.session.baseMs;
    if (isNexts || stored.has(placed)) return [];
    return [segmentOf(record, session, { utterance, index, startMs, endMs })];
  });
}

function storedFinals({ record, segments }: Omit<OrphanedLeg, 'nowMs'>): LegFinals {
  const finals = new LegFinals();
  const offsetMs = legOffsetMs(record);
  for (const item of segments) {
    const { streamSid, channel, sessionNumber, sessionStartMs, sessionEndMs } = item as Partial<
      Record<string, unknown>
    >;
    if (streamSid !== record.streamSid || typeof channel !== 'number') continue;
    const inSession = { startMs: Number(sessionStartMs ?? NaN), endMs: Number(sessionEndMs ?? NaN) };
    finals.add({
      session: { number: Number(sessionNumber ?? NaN) },
      utterance: { ...inSession, channel, text: '', language: '', confidence: 0, words: [] },
      startMs: item.startMs - offsetMs,
      endMs: item.endMs - offsetMs,
    });
  }
  return finals;
}

interface Placed {
  readonly utterance: SpokenUtterance;
  readonly index: number;
  /** Milliseconds of leg audio. */
  readonly startMs: number;
  readonly endMs: number;
}

function segmentOf(
  record: LegRecord,
  { sessionId, sessionNumber }: FoundSession['session'],
  { utterance, index, startMs, endMs }: Placed,
): Segment {
  const channel = Math.min(utterance.channel, record.tracks.length - 1);
  const track = record.tracks[channel] ?? 'inbound';
  const offsetMs = legOffsetMs(record);
  // What lies in the silence before its first audio counts as then, as in the live leg.
  const toCallMs = (legMs: number): number => Math.round(Math.max(legOriginMs(record), offsetMs + legMs));
  const shiftMs = startMs - utterance.startMs;
  return {
    sessionId,
    sessionNumber,
    utteranceId: `result-${index}`,
    channel,
    track,
    speaker: speakerOf(track, readLegParameters(record.parameters).parties.direction),
    text: utterance.text,
    language: utterance.language,
    confidence: utterance.confidence,
    startMs: toCallMs(startMs),
    endMs: toCallMs(endMs),
    at: isoTime(originMs(record) + toCallMs(startMs)),
    words: utterance.words.map((word) => ({
      ...word,
      startMs: toCallMs(word.startMs + shiftMs),
      endMs: toCallMs(word.endMs + shiftMs),
    })),
    sessionStartMs: Math.round(utterance.startMs),
    sessionEndMs: Math.round(utterance.endMs),
    source: 'recovered',
  };
}

function summaryOf(leg: OrphanedLeg, recovered: number): LegSummary {
  const { record, sessions, segments, nowMs } = leg;
  const facts = sessions.map(({ found }) => found.facts).filter((each) => each !== undefined);
  const ledger = Object.fromEntries(record.tracks.map((track) => [track, trackLedger(leg, track)]));
  const heardMs = Math.max(0, ...Object.values(ledger).map(({ receivedMs }) => receivedMs));
  const stored = segments.filter(({ streamSid }) => streamSid === record.streamSid).length;
  const { legOriginAt: firstAudioAt, leadMs = 0 } = record;
  return {
    startedAt: record.startedAt,
    endedAt: isoTime(nowMs),
    endReason: 'task-died',
    tracks: record.tracks,
    ...(firstAudioAt === undefined
      ? {}
      : { firstAudioAt, lastAudioAt: isoTime(Date.parse(firstAudioAt) + heardMs - leadMs) }),
    ...(leadMs > 0 ? { leadMs } : {}),
    sessions: sessions.at(-1)?.session.sessionNumber ?? 0,
    segments: stored + recovered,
    ledger: { tracks: ledger },
    reconciled: facts.length === sessions.length,
    results: facts,
    billableSeconds: facts.reduce((sum, { billedSeconds = 0 }: SessionFacts) => sum + billedSeconds, 0),
  };
}

const NOTHING: TrackLedger = {
  receivedMs: 0,
  framesMs: 0,
  filledMs: 0,
  acceptedMs: 0,
  lateMs: 0,
  unconfirmedMs: 0,
  lostMs: {},
};

function trackLedger({ record, sessions }: OrphanedLeg, track: Track): TrackLedger {
  const saved = record.ledger[track] ?? NOTHING;
  const last = sessions.at(-1);
  const baseMs = last?.session.baseMs ?? 0;
  const serviceHasMs = baseMs + (last?.found.durationMs ?? 0);
  const receivedMs = Math.max(saved.receivedMs, serviceHasMs);
  const knownMs = saved.acceptedMs + saved.lateMs + sum(Object.values(saved.lostMs));
  const openMs = receivedMs - knownMs;
  // The last session's result says nothing of what the earlier ones were sent.
  const earlierMs = Math.min(openMs, Math.max(0, baseMs - knownMs));
  const doubtfulMs = Math.min(earlierMs, notAccountedForMs(sessions));
  const lastsMs = openMs - earlierMs;
  const isConfirmed = last?.found.facts !== undefined && last.found.durationMs !== undefined;
  const acceptedMs = isConfirmed ? Math.min(lastsMs, Math.max(0, serviceHasMs - knownMs - earlierMs)) : 0;
  const inDoubtMs = isConfirmed ? 0 : Math.min(lastsMs, Math.max(0, saved.unconfirmedMs - doubtfulMs));
  const confirmedMs = earlierMs - doubtfulMs + acceptedMs;
  const unconfirmedMs = doubtfulMs + inDoubtMs;
  const lostMs = openMs - confirmedMs - unconfirmedMs;
  return {
    ...saved,
    receivedMs,
    framesMs: saved.framesMs + receivedMs - saved.receivedMs,
    acceptedMs: saved.acceptedMs + confirmedMs,
    unconfirmedMs,
    lostMs: lostMs > 0 ? { ...saved.lostMs, 'task-died': lostMs } : saved.lostMs,
  };
}

/**
 * What sessions before the last one were sent and have no result for. A session that is not there was reconciled while
 * its task lived.
 */
function notAccountedForMs(sessions: readonly FoundSession[]): number {
  const each = sessions.map(({ session: { baseMs }, found: { facts, durationMs = 0 } }, at) => {
    const next = sessions[at + 1];
    const heldMs = facts === undefined ? 0 : durationMs;
    return next === undefined ? 0 : Math.max(0, next.session.baseMs - baseMs - heldMs);
  });
  return sum(each);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

/** What the task took along lies at the end of what it had received. */
function lostGaps(record: LegRecord, { ledger }: LegSummary) {
  const offsetMs = legOffsetMs(record);
  return record.tracks.flatMap((track) => {
    const { receivedMs, lostMs } = ledger.tracks[track] ?? NOTHING;
    const ms = lostMs['task-died'] ?? 0;
    const endMs = Math.round(offsetMs + receivedMs);
    const startMs = Math.round(Math.max(legOriginMs(record), endMs - ms));
    return ms > 0 ? [{ track, startMs, endMs, cause: 'task-died' as const }] : [];
  });
}

function originMs({ originAt, legOriginAt, startedAt }: LegRecord): number {
  return Date.parse(originAt ?? legOriginAt ?? startedAt);
}

/** In call time: the leg's first audio. */
function legOriginMs(record: LegRecord): number {
  return Math.max(0, Date.parse(record.legOriginAt ?? record.startedAt) - originMs(record));
}

/** In call time: where what is known by milliseconds of leg audio begins, silence before the first audio and all. */
function legOffsetMs(record: LegRecord): number {
  return legOriginMs(record) - (record.leadMs ?? 0);
}

function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}
