import { z } from 'zod';

/**
 * Items as they are read. Other versions of the relay may have written them: a field of another shape counts as
 * absent, and fields nobody here knows are kept.
 */
const optional = <Schema extends z.ZodType>(schema: Schema) => schema.optional().catch(undefined);
const text = z.string().catch('');
const number = z.number().catch(0);

export const trackLedger = z.looseObject({
  receivedMs: number,
  framesMs: number,
  filledMs: number,
  acceptedMs: number,
  lateMs: number,
  unconfirmedMs: number,
  lostMs: z.record(z.string(), z.number()).catch({}),
});
const ledger = z.looseObject({
  tracks: z.looseObject({ inbound: optional(trackLedger), outbound: optional(trackLedger) }),
});
const latency = z.looseObject({ count: number, p50Ms: number, p95Ms: number, p99Ms: optional(z.number()) });
const latencyParts = z.looseObject({
  partial: optional(latency),
  relay: optional(latency),
  speech: optional(latency),
  store: optional(latency),
});
const leg = z.looseObject({
  startedAt: text,
  endedAt: optional(z.string()),
  endReason: optional(z.string()),
  failure: optional(z.string()),
  firstAudioAt: optional(z.string()),
  lastAudioAt: optional(z.string()),
  segments: optional(z.number()),
});

export const callItem = z.looseObject({
  callSid: z.string(),
  accountSid: optional(z.string()),
  from: optional(z.string()),
  to: optional(z.string()),
  direction: optional(z.string()),
  status: optional(z.string()),
  startedAt: optional(z.string()),
  originAt: optional(z.string()),
  endedAt: optional(z.string()),
  endReason: optional(z.string()),
  failure: optional(z.string()),
  legs: z.record(z.string(), leg).catch({}),
  segmentCount: optional(z.number()),
  ledger: optional(ledger),
  latency: optional(latency),
  latencyParts: optional(latencyParts),
  billableSeconds: optional(z.number()),
  reconciled: optional(z.boolean()),
  summary: optional(z.string()),
});

export const segmentItem = z.looseObject({
  itemKey: z.string(),
  text,
  startMs: number,
  endMs: number,
  at: optional(z.string()),
  track: optional(z.string()),
  speaker: optional(z.string()),
  language: optional(z.string()),
  latencyMs: optional(z.number()),
  source: optional(z.string()),
  overlap: optional(z.boolean()),
  translation: optional(z.record(z.string(), z.string())),
});

export const gapItem = z.looseObject({
  itemKey: z.string(),
  startMs: number,
  endMs: number,
  track: optional(z.string()),
  cause: optional(z.string()),
});

/** Without its url, which is a bearer token. */
export const sessionItem = z
  .looseObject({
    itemKey: z.string(),
    url: z.unknown().optional(),
    sessionId: optional(z.string()),
    status: optional(z.string()),
    reconciled: optional(z.boolean()),
  })
  .transform(({ url: _, ...session }) => session);

/** A session as whoever ends it for a dead task needs it, url and all. */
export const openSession = z.object({
  reconciled: z.literal(false),
  streamSid: z.string(),
  sessionId: z.string(),
  sessionNumber: z.number(),
  baseMs: z.number(),
  url: optional(z.string()),
});

export const resultItem = z.looseObject({ itemKey: z.string(), text: optional(z.string()) });

export type CallItem = z.infer<typeof callItem>;
export type SegmentItem = z.infer<typeof segmentItem>;
export type GapItem = z.infer<typeof gapItem>;
export type SessionItem = z.infer<typeof sessionItem>;
export type ResultItem = z.infer<typeof resultItem>;
export type StoredLedger = z.infer<typeof ledger>;
export type StoredTrackLedger = z.infer<typeof trackLedger>;

/** Everything the table has of one call, in order of time. */
export interface StoredCall {
  readonly call: CallItem;
  readonly segments: readonly SegmentItem[];
  readonly gaps: readonly GapItem[];
  readonly sessions: readonly SessionItem[];
  readonly results: readonly ResultItem[];
}
