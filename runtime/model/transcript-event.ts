import type { Track } from './audio';
import type { LegEndReason } from './call-event';
import type { AudioLedger, LossCause, NoStreamCause } from './audio-ledger';
import type { Secret } from './secret';

/** Twilio's `Direction` of a call, or `unknown` when nobody told. */
export type CallDirection = 'inbound' | 'outbound-api' | 'outbound-dial' | 'unknown';
export type Speaker = 'customer' | 'agent';

/** Names one leg of one call; every event carries it. */
export interface LegId {
  readonly callSid: string;
  readonly streamSid: string;
}

/** Who talks to whom, as far as anybody said. */
export interface CallParties {
  readonly from?: string;
  readonly to?: string;
  readonly direction: CallDirection;
}

export interface Word {
  readonly text: string;
  readonly startMs: number;
  readonly endMs: number;
  /** 0 to 1 */
  readonly confidence: number;
}

/** Names one utterance for good: ids repeat between sessions. */
export interface UtteranceId {
  readonly sessionId: string;
  /** Sessions of a leg are numbered from 1. */
  readonly sessionNumber: number;
  readonly utteranceId: string;
}

/** A stretch of one side's speech as text. Times are milliseconds since the call's first audio. */
export interface Segment extends UtteranceId {
  readonly channel: number;
  readonly track: Track;
  readonly speaker: Speaker;
  readonly text: string;
  readonly language: string;
  /** 0 to 1 */
  readonly confidence: number;
  readonly startMs: number;
  readonly endMs: number;
  /** Wall-clock time of `startMs`, ISO 8601. */
  readonly at: string;
  readonly words: readonly Word[];
  /** The speech service's own times: milliseconds of session audio. */
  readonly sessionStartMs: number;
  readonly sessionEndMs: number;
  /** Arrival of the text minus arrival of the audio it ends with; absent when it cannot be told. */
  readonly latencyMs?: number;
  /** The relay's part of it: that audio waited so long for being sent. The rest is the speech service's. */
  readonly relayMs?: number;
  /** `recovered`: not seen live, found in the session's final result. */
  readonly source: 'live' | 'recovered';
  /** Another leg heard this, too: the call was being handed over. */
  readonly overlap?: true;
}

/** What an add-on found in one utterance, as the speech service words it. `startMs`: start of that utterance, for its key. */
export interface SegmentAddOn extends UtteranceId {
  readonly kind: 'translation' | 'entities' | 'sentiment';
  readonly channel: number;
  readonly startMs: number;
  /** For a translation `{ [language]: text }`, otherwise the list of results. */
  readonly value: Readonly<Record<string, string>> | readonly unknown[];
}

/** Percentiles, at most a twentieth off. */
export interface LatencySummary {
  readonly count: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  /** Absent in what older versions of the relay wrote. */
  readonly p99Ms?: number;
}

/**
 * What the way of a word is made of, beside its finals' latency as a whole: `partial`, from the receipt of the last audio
 * to the partial; of a final `relay`, until that audio was sent, `speech`, from there to the final, and `store`, from
 * the final to its item in the table.
 */
export const LATENCY_PARTS = ['partial', 'relay', 'speech', 'store'] as const;
export type LatencyPart = (typeof LATENCY_PARTS)[number];
export type LatencyParts = Readonly<Partial<Record<LatencyPart, LatencySummary>>>;

/** What one leg came to. */
export interface LegSummary {
  readonly startedAt: string;
  readonly endedAt: string;
  readonly endReason: LegEndReason;
  /** Why there is no (complete) transcript, if so. */
  readonly failure?: string;
  readonly tracks: readonly Track[];
  /** Wall-clock times of its first and last audio, ISO 8601; absent without audio. */
  readonly firstAudioAt?: string;
  readonly lastAudioAt?: string;
  /** Silence that its audio begins with, before the first audio of Twilio's. Absent in what older versions wrote. */
  readonly leadMs?: number;
  readonly sessions: number;
  readonly segments: number;
  readonly ledger: AudioLedger;
  /** Of the finals; absent without finals. */
  readonly latency?: LatencySummary;
  readonly latencyParts?: LatencyParts;
  /** Every session's final result was compared with what came live. */
  readonly reconciled: boolean;
  /** What each session's final result says of it, as far as it could be had. */
  readonly results: readonly SessionFacts[];
  /** Billing basis: audio seconds times channels. */
  readonly billableSeconds: number;
}

/** What the relay tells every sink, in order per leg. */
export type TranscriptEvent =
  | (LegId & {
      readonly type: 'leg-started';
      readonly accountSid: string;
      readonly startedAt: string;
      readonly tracks: readonly Track[];
      readonly parties: CallParties;
    })
  /** The first frame was heard; `originAt` is the zero of the call's times. */
  | (LegId & { readonly type: 'audio-started'; readonly originAt: string })
  /** Twilio told more about the call than the stream did. */
  | (LegId & { readonly type: 'call-described'; readonly parties: CallParties })
  /** `url` is a bearer token: for the session item only. */
  | (LegId & {
      readonly type: 'session-opened';
      readonly sessionId: string;
      readonly sessionNumber: number;
      readonly url: Secret;
      /** Leg audio, in ms, that came before this session's first byte. */
      readonly baseMs: number;
    })
  | (LegId & {
      readonly type: 'session-closed';
      readonly sessionId: string;
      readonly sessionNumber: number;
      readonly reconciled: boolean;
      /** What the final result says of the session; absent when it could not be had. */
      readonly facts?: SessionFacts;
      /** Told after the leg's end, when the result was compared with what is stored of the session. */
      readonly isLate?: true;
      /** The service may still have it open: somebody must end it. */
      readonly mayBeOpen?: true;
    })
  | (LegId & { readonly type: 'partial'; readonly segment: Segment })
  | (LegId & { readonly type: 'final'; readonly segment: Segment })
  /** A final that was told already, and that another leg hears as well: the call is being handed over. */
  | (LegId & { readonly type: 'heard-twice'; readonly segment: Segment })
  | (LegId & { readonly type: 'add-on'; readonly addOn: SegmentAddOn })
  | (LegId & { readonly type: 'summary'; readonly sessionNumber: number; readonly text: string })
  | (LegId & {
      readonly type: 'gap';
      readonly track: Track;
      readonly startMs: number;
      readonly endMs: number;
      readonly cause: LossCause | NoStreamCause;
    })
  | (LegId & { readonly type: 'leg-ended'; readonly summary: LegSummary })
  | {
      readonly type: 'call-ended';
      readonly callSid: string;
      readonly endedAt: string;
      readonly endReason: LegEndReason;
      readonly legs: readonly LegSummary[];
    };

/** What a speech session's final result says of it. */
export interface SessionFacts {
  readonly status: string;
  /** Seconds of audio the service counts. */
  readonly audioSeconds?: number;
  readonly billedSeconds?: number;
  readonly languages: readonly string[];
  /** Number of the session in its leg, where the result was compared after the leg's end. */
  readonly lateSession?: number;
}
