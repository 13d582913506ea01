import { z } from 'zod';
import { LIVE_SHARDS, liveLegKey, liveShard, TTL_ATTRIBUTE } from '../contract/transcripts-table';
import { TRACKS, type Track } from '../model/audio';
import type { TrackLedger } from '../model/audio-ledger';
import { Secret } from '../model/secret';
import type { StoreItem } from './store-write';
import { trackLedger } from './stored-call';

/** The speech session that a leg has now. */
export interface LegSession {
  readonly sessionId: string;
  readonly sessionNumber: number;
  /**
   * A bearer token, in plain text only inside of the item, which is encrypted at rest, read by tasks alone, and gone
   * with the leg, or after two days. Whoever takes the leg over needs it: an orphaned session holds one of the account's
   * places until somebody says on its socket that it is over, and a key is no way to do that (gladia-live.md, 1.5). It
   * is worth nothing once the session is over, three hours at the latest.
   */
  readonly url: Secret;
  /** Leg audio, in ms, that came before the session's first byte. */
  readonly baseMs: number;
}

/** What another task needs to go on with a leg, or to close it. Times are ISO 8601, wall clock. */
export interface LegRecord {
  readonly callSid: string;
  readonly streamSid: string;
  readonly accountSid: string;
  /** Whose leg it is. */
  readonly taskId: string;
  readonly tracks: readonly Track[];
  /** The stream's `<Parameter>`s. */
  readonly parameters: Readonly<Record<string, string>>;
  readonly startedAt: string;
  /** Of its first audio. */
  readonly legOriginAt?: string;
  /** Zero of the call's times. */
  readonly originAt?: string;
  /** Silence that its audio begins with, before the first audio of Twilio's. */
  readonly leadMs?: number;
  readonly session?: LegSession;
  /** Streams that were made for this call because others were lost. */
  readonly attempts: number;
  /** Somebody stops this stream on purpose: it must not be attached again. */
  readonly isStopping: boolean;
  /** It was lost, and its call gets a new stream, or has not got it yet: whoever finds it makes one, though it be over. */
  readonly needsStream?: boolean;
  /** It is over, and so often its sessions' final results were asked for in vain since. */
  readonly tries?: number;
  /** Checkpoint. */
  readonly ledger: Readonly<Partial<Record<Track, TrackLedger>>>;
  readonly savedAt: string;
}

/** Named as the task of a leg that is over and has sessions that are not reconciled: for any task to look at again. */
export const NOBODY = 'nobody';

/** Nobody looks for a leg that was saved so long ago: a call lasts 24 h at most. */
const LEG_TTL_SECONDS = 2 * 86_400;

export const LIVE_SHARD_NUMBERS: readonly number[] = Array.from({ length: LIVE_SHARDS }, (_, shard) => shard);

/** The keys of a leg, under names that the record's own call does not need. */
export function liveLegItemKey(callSid: string, streamSid: string): StoreItem {
  return { callSid: liveShard(callSid), itemKey: liveLegKey(callSid, streamSid) };
}

export function legRecordToItem(record: LegRecord): StoreItem {
  const { callSid, streamSid, session, ...rest } = record;
  const { callSid: shard, itemKey } = liveLegItemKey(callSid, streamSid);
  return {
    // Names first: V8 makes something much larger of an object that begins as a copy of another one.
    callSid: shard,
    itemKey,
    ...rest,
    tracks: [...rest.tracks],
    session: session === undefined ? undefined : { ...session, url: session.url.reveal() },
    [TTL_ATTRIBUTE]: Math.floor(Date.parse(rest.savedAt) / 1000) + LEG_TTL_SECONDS,
  };
}

const text = z.string().catch('');
const optionalText = z.string().optional().catch(undefined);
const track = z.enum(TRACKS as readonly [Track, ...Track[]]);

/** Another version of the relay may have written it: what cannot be read is left out, but a leg must say whose it is. */
const legItem = z.object({
  itemKey: z.string().regex(/^[^#]+#[^#]+$/),
  taskId: z.string(),
  accountSid: text,
  tracks: z.array(track).catch([]),
  parameters: z.record(z.string(), z.string()).catch({}),
  startedAt: text,
  legOriginAt: optionalText,
  originAt: optionalText,
  leadMs: z.number().optional().catch(undefined),
  session: z
    .object({ sessionId: z.string(), sessionNumber: z.number(), url: z.string(), baseMs: z.number() })
    .optional()
    .catch(undefined),
  attempts: z.number().catch(0),
  isStopping: z.boolean().catch(false),
  needsStream: z.boolean().optional().catch(undefined),
  tries: z.number().optional().catch(undefined),
  ledger: z.partialRecord(track, trackLedger).catch({}),
  savedAt: text,
});

/** @returns undefined for an item that does not say which leg it is, or whose */
export function legRecordOf(item: unknown): LegRecord | undefined {
  const parsed = legItem.safeParse(item);
  if (!parsed.success) return undefined;
  const { itemKey, session, legOriginAt, originAt, leadMs, ledger, needsStream, tries, ...rest } =
    parsed.data;
  const [callSid = '', streamSid = ''] = itemKey.split('#');
  return {
    ...rest,
    callSid,
    streamSid,
    ledger,
    ...(legOriginAt === undefined ? {} : { legOriginAt }),
    ...(originAt === undefined ? {} : { originAt }),
    ...(leadMs === undefined ? {} : { leadMs }),
    ...(needsStream === undefined ? {} : { needsStream }),
    ...(tries === undefined ? {} : { tries }),
    ...(session === undefined ? {} : { session: { ...session, url: new Secret(session.url) } }),
  };
}
