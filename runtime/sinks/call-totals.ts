import { TRACKS } from '../model/audio';
import type { AudioLedger, LossCause, TrackLedger } from '../model/audio-ledger';
import type { LatencySummary, LegSummary } from '../model/transcript-event';

/** What the legs of a call come to together. */
export interface CallTotals {
  readonly segmentCount: number;
  readonly sessionCount: number;
  readonly ledger: AudioLedger;
  /**
   * Exact for a call of one leg. Of several legs, p95 is the worst leg's and p50 their mean by number of finals.
   */
  readonly latency: LatencySummary | undefined;
  readonly billableSeconds: number;
  readonly reconciled: boolean;
  /** The first leg's failure, if any. */
  readonly failure: string | undefined;
}

export function callTotals(legs: readonly LegSummary[]): CallTotals {
  return {
    segmentCount: sum(legs.map((leg) => leg.segments)),
    sessionCount: sum(legs.map((leg) => leg.sessions)),
    ledger: ledgerTotal(legs.map((leg) => leg.ledger)),
    latency: latencyTotal(legs),
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

function latencyTotal(legs: readonly LegSummary[]): LatencySummary | undefined {
  const known = legs.map((leg) => leg.latency).filter((latency) => latency !== undefined);
  const count = sum(known.map((latency) => latency.count));
  if (count === 0) return undefined;
  return {
    count,
    p50Ms: Math.round(sum(known.map((latency) => latency.p50Ms * latency.count)) / count),
    p95Ms: Math.max(...known.map((latency) => latency.p95Ms)),
  };
}
