import { LEAST_GAP_MS } from '../../runtime/call/legs-of-call';
import { TRACKS, type Track } from '../../runtime/model/audio';
import { trackLedger, type StoredTrackLedger } from '../../runtime/store/stored-call';
import type { CallFacts } from './call-facts';
import { heardAudio } from './missing-audio';
import {
  doubledPairs,
  inventedSegments,
  isMostlyShared,
  placedSegments,
  type PlacedSegment,
} from './stored-speech';
import { holesIn, lengthMs, sharedMs, totalMs, uncovered, widened, type TimeRange } from './time-ranges';

/** What a scenario allows; whatever it does not name is a broken promise. */
export interface AllowedLoss {
  /** Causes in the ledger and in GAP items. Default: none. */
  readonly causes?: readonly string[];
  /** Audio whose session never said in the end that it has it. Default: none. */
  readonly unconfirmed?: boolean;
  /** Most that may be missing of each track of a call, sent to nobody or sent and lost. Default: 0. */
  readonly lostMs?: number;
  /** What Gladia may get again, per track: by a resume in whose gap it counted what it had not acknowledged, or by a new session. Default: 0. */
  readonly resentMs?: number;
}

export interface CallAudit {
  readonly broken: readonly string[];
  /** Of all tracks and streams. */
  readonly sentMs: number;
  /** By cause, of all tracks: the longer of ledger and GAP items. */
  readonly lostMs: Readonly<Record<string, number>>;
  readonly doubledSegments: number;
  /** Of all tracks, by the ledger. */
  readonly unconfirmedMs: number;
}

/** Two legs of a call are placed by the wall clock, and each begins with a burst of audio that had piled up. */
const BETWEEN_LEGS_MS = 300;
/** The call's zero is when its first frame was read: a busy machine reads it late. */
const READ_LATE_MS = 700;
/** A GAP item may begin and end so far from where audio is missing. */
const GAP_EDGE_MS = 200;
/** What is under way when a call ends: frames that were due and a tick of the pacing. */
const END_OF_CALL_MS = 120;
/** Each resume may shift a session's own clock by a frame. */
const PLACE_MS = 150;
/** Sums of parts of a millisecond, and bytes at a seam that fit on both sides of it. */
const ROUNDING_MS = 1;

/** Holds what the table says of a call against what both sides of the relay know of it. Pure. */
export function auditCall(facts: CallFacts, allowed: AllowedLoss = {}): CallAudit {
  const segments = placedSegments(facts);
  const doubled = doubledPairs(segments);
  const lostMs = lossOf(facts);
  return {
    broken: [
      ...closure(facts),
      ...books(facts),
      ...frames(facts),
      ...TRACKS.flatMap((track) => losses(facts, track, allowed)),
      ...TRACKS.flatMap((track) => gapsBothWays(facts, track, allowed)),
      ...causes(lostMs, allowed),
      ...doubled.map(([one, other]) => `${one.itemKey} and ${other.itemKey} say the same audio`),
      ...missingFinals(facts, segments),
      ...inventedSegments(facts).map(({ itemKey }) => `${itemKey} is of no final of Gladia`),
      ...misplaced(facts, segments),
      ...TRACKS.flatMap((track) => missingSpeech(facts, track, segments)),
    ],
    sentMs: facts.streams.reduce(
      (sum, { sent }) => sum + TRACKS.reduce((ms, track) => ms + totalMs(sent[track] ?? []), 0),
      0,
    ),
    lostMs,
    doubledSegments: doubled.length,
    unconfirmedMs: sum(TRACKS.map((track) => unconfirmedMsOf(facts, track))),
  };
}

function closure({ stored: { call, segments, sessions }, streams }: CallFacts): string[] {
  const heard = streams.filter(({ sent }) => Object.values(sent).some((ranges) => ranges.length > 0));
  return [
    ...unless(call.status === 'completed', `the call is ${call.status} in the table`),
    ...unless(
      call.segmentCount === segments.length,
      `the call counts ${call.segmentCount} segments, the table has ${segments.length}`,
    ),
    ...sessions
      .filter(({ reconciled }) => reconciled !== true)
      .map(({ itemKey }) => `${itemKey} is not reconciled`),
    ...heard
      .filter(({ streamSid }) => call.legs[streamSid]?.endedAt === undefined)
      .map(({ streamSid }) => `leg ${streamSid} has no end in the table`),
  ];
}

/** `receivedMs = framesMs + filledMs = acceptedMs + lateMs + unconfirmedMs + sum(lostMs)`, per leg and track. */
function books(facts: CallFacts): string[] {
  return ledgersOf(facts).flatMap(({ streamSid, track, ledger }) => {
    const { receivedMs, framesMs, filledMs, acceptedMs, lateMs, unconfirmedMs, lostMs } = ledger;
    const fates = acceptedMs + lateMs + unconfirmedMs + sum(Object.values(lostMs));
    const isWhole = isAbout(receivedMs, framesMs + filledMs) && isAbout(receivedMs, fates);
    return unless(isWhole, `the ledger of ${streamSid} ${track} does not add up: ${JSON.stringify(ledger)}`);
  });
}

/** The ledger's frames are what Twilio sent: all of it where the stream ended in order, never more. */
function frames(facts: CallFacts): string[] {
  const ledgers = ledgersOf(facts);
  return facts.streams.flatMap((stream) =>
    TRACKS.flatMap((track) => {
      const sentMs = sum((stream.sent[track] ?? []).map(lengthMs));
      const own = ledgers.find((each) => each.streamSid === stream.streamSid && each.track === track);
      const framesMs = own?.ledger.framesMs ?? 0;
      const isRight = stream.isOrderly ? isAbout(framesMs, sentMs) : framesMs <= sentMs + ROUNDING_MS;
      return unless(
        isRight,
        `${stream.streamSid} ${track}: ${framesMs} ms of frames in the ledger, Twilio sent ${sentMs} ms`,
      );
    }),
  );
}

/** Whatever is missing, by the independent count, is written down, and little else. */
function losses(facts: CallFacts, track: Track, allowed: AllowedLoss): string[] {
  const counted = facts.counted[track];
  if (counted === undefined) return [];
  const ledgers = ledgersOf(facts).filter((each) => each.track === track);
  const sent = facts.streams.flatMap((stream) => stream.sent[track] ?? []);
  const isOneLeg = facts.streams.length < 2;
  const unsentMs = sum(holesIn(sent).map(lengthMs));
  const missingMs = unsentMs + counted.lostMs;
  const gapMs = totalMs(gapsOf(facts, track));
  const filledMs = sum(ledgers.map(({ ledger }) => ledger.filledMs));
  const unconfirmedMs = unconfirmedMsOf(facts, track);
  const slackMs = isOneLeg ? END_OF_CALL_MS : END_OF_CALL_MS + BETWEEN_LEGS_MS;
  return [
    ...unless(
      missingMs <= gapMs + filledMs + unconfirmedMs + slackMs,
      `${track}: ${round(missingMs)} ms are missing (${round(unsentMs)} never sent, ${round(counted.lostMs)} sent and lost), ${round(gapMs)} ms are in GAP items, ${round(filledMs)} filled`,
    ),
    ...unless(
      counted.lostMs <=
        (allowed.lostMs ?? 0) + (allowed.unconfirmed === true ? unconfirmedMs : 0) + ROUNDING_MS,
      `${track}: Gladia never got ${round(counted.lostMs)} ms that Twilio had sent`,
    ),
    ...unless(
      counted.doubledMs <= (allowed.resentMs ?? 0) + ROUNDING_MS,
      `${track}: Gladia got ${round(counted.doubledMs)} ms again, ${allowed.resentMs ?? 0} ms may be`,
    ),
    ...unless(counted.foreignMs === 0, `${track}: Gladia got ${counted.foreignMs} ms that nobody had said`),
    ...unless(
      allowed.unconfirmed === true || unconfirmedMs < ROUNDING_MS,
      `${track}: ${round(unconfirmedMs)} ms are unconfirmed`,
    ),
  ];
}

/** GAP items are where audio is missing, each of them and all of it; and no call misses more than the scenario allows. */
function gapsBothWays(facts: CallFacts, track: Track, allowed: AllowedLoss): string[] {
  const { heard, missing } = heardAudio(facts, track);
  const gaps = gapsOf(facts, track);
  const sure = widened(gaps, -GAP_EDGE_MS);
  const unexplained = uncovered(missing, widened(gaps, GAP_EDGE_MS)).filter(
    (range) => lengthMs(range) >= LEAST_GAP_MS,
  );
  const falsely = uncovered(sure, uncovered(sure, heard));
  const unconfirmedMs = allowed.unconfirmed === true ? unconfirmedMsOf(facts, track) : 0;
  const mostMs = Math.max(totalMs(missing), totalMs(gaps));
  return [
    ...unless(
      totalMs(unexplained) <= unconfirmedMs + ROUNDING_MS,
      `${track}: no GAP item says that ${ranges(unexplained)} ms is missing`,
    ),
    ...unless(
      totalMs(falsely) <= ROUNDING_MS,
      `${track}: GAP items say that ${ranges(falsely)} ms is missing, and Gladia has it`,
    ),
    ...unless(
      mostMs <= (allowed.lostMs ?? 0) + unconfirmedMs + GAP_EDGE_MS,
      `${track}: ${round(mostMs)} ms are missing, ${allowed.lostMs ?? 0} ms may be`,
    ),
  ];
}

function ranges(each: readonly TimeRange[]): string {
  return each.map(({ fromMs, toMs }) => `${round(fromMs)} to ${round(toMs)}`).join(', ');
}

function unconfirmedMsOf(facts: CallFacts, track: Track): number {
  return sum(
    ledgersOf(facts)
      .filter((each) => each.track === track)
      .map(({ ledger }) => ledger.unconfirmedMs),
  );
}

function causes(lostMs: CallAudit['lostMs'], { causes: allowed = [] }: AllowedLoss): string[] {
  return Object.entries(lostMs)
    .filter(([cause]) => !allowed.includes(cause))
    .map(([cause, ms]) => `${round(ms)} ms are lost by ${cause}`);
}

/** Each final of Gladia is in the table: as its own segment or, where audio was heard again, as that of the next session. */
function missingFinals({ finals }: CallFacts, segments: readonly PlacedSegment[]): string[] {
  return finals.flatMap((final) => {
    const { sessionId, channel, inCall } = final;
    const isThere = segments.some(
      (segment) =>
        segment.final === final || (segment.final.channel === channel && isMostlyShared(segment, inCall)),
    );
    return unless(
      isThere,
      `no segment has the final of session ${sessionId}, channel ${channel}, said at ${round(inCall.fromMs)} to ${round(inCall.toMs)} ms`,
    );
  });
}

/**
 * The table tells when words were said, whatever was resumed, sent again or filled in between: milliseconds since the
 * call's first audio, with the wall clock's accuracy on a later leg.
 */
function misplaced(facts: CallFacts, segments: readonly PlacedSegment[]): string[] {
  const [first] = facts.streams
    .filter(({ sent }) => Object.values(sent).some((ranges) => ranges.length > 0))
    .toSorted((one, other) => one.startMs - other.startMs);
  return segments.flatMap(({ itemKey, streamSid, told, fromMs, toMs }) => {
    const isFirst = streamSid === first?.streamSid;
    const mostMs = isFirst ? PLACE_MS : PLACE_MS + BETWEEN_LEGS_MS + READ_LATE_MS;
    const originMs = first?.startMs ?? 0;
    const offMs = Math.max(
      Math.abs(told.fromMs - (fromMs - originMs)),
      Math.abs(told.toMs - (toMs - originMs)),
    );
    return unless(
      offMs <= mostMs,
      `${itemKey} is told at ${told.fromMs} to ${told.toMs} ms, and was said at ${round(fromMs - originMs)} to ${round(toMs - originMs)}`,
    );
  });
}

/** What was said while one stream carried all of it is in the table, but for as much as was lost. */
function missingSpeech(facts: CallFacts, track: Track, segments: readonly PlacedSegment[]): string[] {
  const own = segments.filter((segment) => segment.track === track);
  const missing = (facts.speech[track] ?? []).filter(({ startMs, endMs }) => {
    const spoken = { fromMs: startMs, toMs: endMs };
    const isWhole = facts.streams.some(({ sent }) => isWithin(spoken, sent[track] ?? []));
    const heardMs = totalMs(own.map((segment) => clip(segment, spoken)));
    return isWhole && heardMs < lengthMs(spoken) / 2;
  });
  const missingMs = sum(missing.map(({ startMs, endMs }) => endMs - startMs));
  const lostMs = facts.counted[track]?.lostMs ?? 0;
  return unless(
    missingMs <= lostMs,
    `${track}: no segment has what was said at ${missing.map(({ startMs, endMs }) => `${startMs} to ${endMs}`).join(', ')} ms`,
  );
}

interface LegLedger {
  readonly streamSid: string;
  readonly track: Track;
  readonly ledger: StoredTrackLedger;
}

function ledgersOf({ stored }: CallFacts): readonly LegLedger[] {
  return Object.entries(stored.call.legs).flatMap(([streamSid, leg]) => {
    const { tracks = {} } = (leg['ledger'] ?? {}) as { tracks?: Readonly<Partial<Record<Track, unknown>>> };
    return TRACKS.flatMap((track) => {
      const { success, data } = trackLedger.safeParse(tracks[track]);
      return success ? [{ streamSid, track, ledger: data }] : [];
    });
  });
}

function gapsOf({ stored }: CallFacts, track: Track): readonly (TimeRange & { cause: string })[] {
  return stored.gaps
    .filter((gap) => gap.track === track)
    .map(({ startMs, endMs, cause = 'unknown' }) => ({ fromMs: startMs, toMs: endMs, cause }));
}

function lossOf(facts: CallFacts): Record<string, number> {
  const inLedger: Record<string, number> = {};
  for (const { ledger } of ledgersOf(facts))
    for (const [cause, ms] of Object.entries(ledger.lostMs)) inLedger[cause] = (inLedger[cause] ?? 0) + ms;
  const inGaps: Record<string, number> = {};
  for (const track of TRACKS)
    for (const gap of gapsOf(facts, track)) inGaps[gap.cause] = (inGaps[gap.cause] ?? 0) + lengthMs(gap);
  const names = new Set([...Object.keys(inLedger), ...Object.keys(inGaps)]);
  return Object.fromEntries(
    [...names].map((name) => [name, Math.max(inLedger[name] ?? 0, inGaps[name] ?? 0)]),
  );
}

function isWithin(range: TimeRange, ranges: readonly TimeRange[]): boolean {
  return ranges.some(({ fromMs, toMs }) => fromMs <= range.fromMs && toMs >= range.toMs);
}

function clip(range: TimeRange, within: TimeRange): TimeRange {
  const fromMs = Math.max(range.fromMs, within.fromMs);
  return { fromMs, toMs: fromMs + sharedMs(range, within) };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function isAbout(one: number, other: number): boolean {
  return Math.abs(one - other) <= ROUNDING_MS;
}

function round(ms: number): number {
  return Math.round(ms);
}

function unless(holds: boolean, promise: string): string[] {
  return holds ? [] : [promise];
}
