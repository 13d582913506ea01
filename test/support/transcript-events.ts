import type { TrackLedger } from '../../runtime/model/audio-ledger';
import { Secret } from '../../runtime/model/secret';
import type {
  LegSummary,
  Segment,
  SegmentAddOn,
  TranscriptEvent,
} from '../../runtime/model/transcript-event';

/** One event of each type, with sensible content, for tests of what comes after the call. */
export interface EventFactory {
  readonly callSid: string;
  readonly streamSid: string;
  legStarted(more?: Partial<EventOf<'leg-started'>>): EventOf<'leg-started'>;
  audioStarted(originAt?: string): TranscriptEvent;
  sessionOpened(more?: Partial<EventOf<'session-opened'>>): EventOf<'session-opened'>;
  sessionClosed(more?: Partial<EventOf<'session-closed'>>): EventOf<'session-closed'>;
  final(more?: Partial<Segment>): EventOf<'final'>;
  addOn(more?: Partial<SegmentAddOn>): EventOf<'add-on'>;
  legEnded(more?: Partial<LegSummary>): EventOf<'leg-ended'>;
  callEnded(more?: Partial<EventOf<'call-ended'>>): EventOf<'call-ended'>;
}

type EventOf<Type extends TranscriptEvent['type']> = Extract<TranscriptEvent, { type: Type }>;

export const utterance = {
  sessionId: 'session-1',
  sessionNumber: 1,
  utteranceId: '00_00000001',
  channel: 0,
  startMs: 1234,
};

export function trackLedger(more: Partial<TrackLedger> = {}): TrackLedger {
  return {
    receivedMs: 60_000,
    framesMs: 59_000,
    filledMs: 1_000,
    acceptedMs: 60_000,
    lateMs: 0,
    unconfirmedMs: 0,
    lostMs: {},
    ...more,
  };
}

export function legSummary(more: Partial<LegSummary> = {}): LegSummary {
  return {
    startedAt: '2026-11-21T10:00:00.000Z',
    endedAt: '2026-11-21T10:01:00.000Z',
    endReason: 'stopped',
    tracks: ['inbound', 'outbound'],
    sessions: 1,
    segments: 12,
    ledger: { tracks: { inbound: trackLedger(), outbound: trackLedger() } },
    latency: { count: 12, p50Ms: 400, p95Ms: 900, p99Ms: 950 },
    reconciled: true,
    results: [],
    billableSeconds: 120,
    ...more,
  };
}

export function eventsOf(callSid: string, streamSid = 'MZ1'): EventFactory {
  const leg = { callSid, streamSid };
  return {
    ...leg,
    legStarted: (more) => ({
      ...leg,
      type: 'leg-started',
      accountSid: 'AC1',
      startedAt: '2026-11-21T10:00:00.000Z',
      tracks: ['inbound', 'outbound'],
      parties: { from: '+15005550006', to: '+15005550010', direction: 'inbound' },
      ...more,
    }),
    audioStarted: (originAt = '2026-11-21T10:00:00.100Z') => ({ ...leg, type: 'audio-started', originAt }),
    sessionOpened: (more) => ({
      ...leg,
      type: 'session-opened',
      sessionId: 'session-1',
      sessionNumber: 1,
      url: new Secret('wss://speech.example/live?token=abc'),
      baseMs: 0,
      ...more,
    }),
    sessionClosed: (more) => ({
      ...leg,
      type: 'session-closed',
      sessionId: 'session-1',
      sessionNumber: 1,
      reconciled: true,
      facts: { status: 'done', audioSeconds: 60, languages: ['en'] },
      ...more,
    }),
    final: (more) => ({
      ...leg,
      type: 'final',
      segment: {
        ...utterance,
        track: 'inbound',
        speaker: 'customer',
        text: 'Good morning, my parcel has not arrived.',
        language: 'en',
        confidence: 0.93,
        endMs: 4321,
        at: '2026-11-21T10:00:01.334Z',
        words: [{ text: 'Good', startMs: 1234, endMs: 1400, confidence: 0.9 }],
        sessionStartMs: 1134,
        sessionEndMs: 4221,
        latencyMs: 412,
        source: 'live',
        ...more,
      },
    }),
    addOn: (more) => ({
      ...leg,
      type: 'add-on',
      addOn: { ...utterance, kind: 'translation', value: { fr: 'Bonjour' }, ...more },
    }),
    legEnded: (more) => ({ ...leg, type: 'leg-ended', summary: legSummary(more) }),
    callEnded: (more) => ({
      type: 'call-ended',
      callSid,
      endedAt: '2026-11-21T10:01:05.000Z',
      endReason: 'stopped',
      legs: [legSummary()],
      ...more,
    }),
  };
}
