import { TRACKS } from '../model/audio';
import type { AudioLedger, LossCause, TrackLedger } from '../model/audio-ledger';
import {
  LATENCY_PARTS,
  type LatencyParts,
  type LatencySummary,
  type LegSummary,
} from '../model/transcript-event';

/** What the legs of a call come to together. */
export interface CallTotals {
  readonly segmentCount: number;
  readonly sessionCount: number;
  readonly ledger: AudioLedger;
  /**
   * Exact for a call of one leg. Of several legs, p95 and p99 are the worst leg's and p50 their mean by number of finals.
   */
  readonly latency: LatencySummary | undefined;
  /** Likewise. */
  readonly latencyParts: LatencyParts | undefined;
  readonly billableSeconds: number;
  readonly reconciled: boolean;
  /** The first leg's failure, if any. */
  readonly failure: string | undefined;
}

/** @param store how long the finals took to the table, if this process stored any */
export function callTotals(legs: readonly LegSummary[], store?: LatencySummary): CallTotals {
  return {
    segmentCount: sum(legs.map((leg) => leg.segments)),
    sessionCount: sum(legs.map((leg) => leg.sessions)),
    ledger: ledgerTotal(legs.map((leg) => leg.ledger)),
    latency: latencyTotal(legs.map(({ latency }) => latency)),
    latencyParts: latencyParts(legs, store),
    billableSeconds: sum(legs.map((leg) => leg.billableSeconds)),
    reconciled: legs.every((leg) => leg.reconciled),
    failure: legs.find((leg) => leg.failure !== undefined)?.failure,
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

function ledgerTotal(ledgers: readonly AudioLedger[]): AudioLedger {
  const totals: [string, TrackLedger][] = [];
  for (const track of TRACKS) {
    const parts = ledgers.map((ledger) => ledger.tracks[track]).filter((part) => part !== undefined);
    if (parts.length > 0) totals.push([track, trackTotal(parts)]);
  }
  return { tracks: Object.fromEntries(totals) };
}

function trackTotal(parts: readonly TrackLedger[]): TrackLedger {
  const lostMs: Partial<Record<LossCause, number>> = {};
  for (const part of parts) {
    for (const [cause, ms] of Object.entries(part.lostMs) as [LossCause, number][]) {
      lostMs[cause] = (lostMs[cause] ?? 0) + ms;
    }
  }
  return {
    receivedMs: sum(parts.map((part) => part.receivedMs)),
    framesMs: sum(parts.map((part) => part.framesMs)),
    filledMs: sum(parts.map((part) => part.filledMs)),
    acceptedMs: sum(parts.map((part) => part.acceptedMs)),
    lateMs: sum(parts.map((part) => part.lateMs)),
    unconfirmedMs: sum(parts.map((part) => part.unconfirmedMs)),
    lostMs,
  };
}

function latencyParts(legs: readonly LegSummary[], store?: LatencySummary): LatencyParts | undefined {
  const known = LATENCY_PARTS.flatMap((part) => {
    const ofLegs = latencyTotal(legs.map((leg) => leg.latencyParts?.[part]));
    const total = part === 'store' ? store : ofLegs;
    return total === undefined ? [] : [[part, total] as const];
  });
  return known.length === 0 ? undefined : Object.fromEntries(known);
}

function latencyTotal(ofLegs: readonly (LatencySummary | undefined)[]): LatencySummary | undefined {
  const known = ofLegs.filter((latency) => latency !== undefined);
  const worst = (p: 'p95Ms' | 'p99Ms'): number =>
    Math.max(...known.map((latency) => latency[p] ?? latency.p95Ms));
  const count = sum(known.map((latency) => latency.count));
  if (count === 0) return undefined;
  return {
    count,
    p50Ms: hundredths(sum(known.map((latency) => latency.p50Ms * latency.count)) / count),
    p95Ms: worst('p95Ms'),
    p99Ms: worst('p99Ms'),
  };
}

function hundredths(ms: number): number {
  return Math.round(ms * 100) / 100;
}
