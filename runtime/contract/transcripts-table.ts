/**
 * The one DynamoDB table: key names, key formats, indexes. Infrastructure creates it from here, the relay writes it
 * from here, the reader reads it from here.
 *
 * | item      | callSid        | itemKey                                                              |
 * | --------- | -------------- | -------------------------------------------------------------------- |
 * | call      | CA...          | CALL                                                                 |
 * | segment   | CA...          | SEGMENT#<startMs>#<streamSid>#<session no>#<channel>#<utterance id>  |
 * | gap       | CA...          | GAP#<startMs>#<streamSid>#<track>                                    |
 * | session   | CA...          | SESSION#<streamSid>#<session no>                                     |
 * | result    | CA...          | RESULT#<type>#<n>                                                    |
 * | claim     | CA...          | CLAIM#<lost streamSid>                                               |
 * | hand-over | CA...          | HANDOVER#<nonce>                                                     |
 * | task      | LIVE#TASKS     | TASK#<task id>                                                       |
 * | mail      | LIVE#MAIL#<task id> | <streamSid>                                                     |
 * | leg       | LIVE#<0 to 15> | <callSid>#<streamSid>                                                |
 * | ticket    | TICKET#<ticket id> | USED                                                             |
 * | ticketed call | TICKET#CA... | ISSUED                                                             |
 *
 * Times in keys are whole milliseconds since the call's first audio, ten digits, so that text order is time order.
 */
export const PARTITION_KEY = 'callSid';
export const SORT_KEY = 'itemKey';
export const TTL_ATTRIBUTE = 'expiresAt';

export const CALL_ITEM_KEY = 'CALL';
export const SEGMENT_PREFIX = 'SEGMENT#';
export const GAP_PREFIX = 'GAP#';
export const SESSION_PREFIX = 'SESSION#';
export const RESULT_PREFIX = 'RESULT#';
const CLAIM_PREFIX = 'CLAIM#';
const HAND_OVER_PREFIX = 'HANDOVER#';
const TASK_PREFIX = 'TASK#';

export const USED_ITEM_KEY = 'USED';
export const ISSUED_ITEM_KEY = 'ISSUED';

/** @param of a ticket's id, or the callSid of a call whose streams have tickets */
export function ticketPartition(of: string): string {
  return `TICKET#${of}`;
}

/** Partition of the tasks' own items. */
export const LIVE_TASKS = 'LIVE#TASKS';
/** Live legs are spread over so many partitions. */
export const LIVE_SHARDS = 16;

const TIME_DIGITS = 10;
const SESSION_DIGITS = 3;

/** A call of up to 24 h fits ten digits many times over; a time before the first audio counts as the first audio. */
function timeKey(startMs: number): string {
  return String(Math.max(0, Math.round(startMs))).padStart(TIME_DIGITS, '0');
}

function numberKey(sessionNumber: number): string {
  return String(sessionNumber).padStart(SESSION_DIGITS, '0');
}

export interface SegmentKeyParts {
  readonly startMs: number;
  readonly streamSid: string;
  readonly sessionNumber: number;
  readonly channel: number;
  readonly utteranceId: string;
}

export function segmentKey(parts: SegmentKeyParts): string {
  const { startMs, streamSid, sessionNumber, channel, utteranceId } = parts;
  return `${SEGMENT_PREFIX}${timeKey(startMs)}#${streamSid}#${numberKey(sessionNumber)}#${channel}#${utteranceId}`;
}

export function gapKey(startMs: number, streamSid: string, track: string): string {
  return `${GAP_PREFIX}${timeKey(startMs)}#${streamSid}#${track}`;
}

export function sessionKey(streamSid: string, sessionNumber: number): string {
  return `${SESSION_PREFIX}${streamSid}#${numberKey(sessionNumber)}`;
}

export function resultKey(type: string, n: number): string {
  return `${RESULT_PREFIX}${type}#${n}`;
}

/** Whoever holds it re-attaches the call of this lost stream. */
export function claimKey(lostStreamSid: string): string {
  return `${CLAIM_PREFIX}${lostStreamSid}`;
}

export function handOverKey(nonce: string): string {
  return `${HAND_OVER_PREFIX}${nonce}`;
}

export function taskKey(taskId: string): string {
  return `${TASK_PREFIX}${taskId}`;
}

/** Partition of what other tasks tell this one; the sort key is a streamSid. */
export function taskMailKey(taskId: string): string {
  return `LIVE#MAIL#${taskId}`;
}

/** What a task's sort key says, the other way round. */
export function taskIdOf(itemKey: string): string {
  return itemKey.slice(TASK_PREFIX.length);
}

/** Partition of a live leg; the same one for all legs of a call. */
export function liveShard(callSid: string): string {
  return liveShardKey(lastDigitOf(callSid) % LIVE_SHARDS);
}

export function liveShardKey(shard: number): string {
  return `LIVE#${shard}`;
}

/** @param streamSid without one: what the keys of all live legs of the call begin with */
export function liveLegKey(callSid: string, streamSid = ''): string {
  return `${callSid}#${streamSid}`;
}

/**
 * Sparse indexes: only call items carry these attributes, written at a call's start and end.
 * A day is spread over shards so that no day is one partition.
 */
export const CALLS_BY_DAY = { name: 'callsByDay', partitionKey: 'dayShard', sortKey: 'startedAt' } as const;
export const CALLS_BY_FROM = { name: 'callsByFrom', partitionKey: 'from', sortKey: 'startedAt' } as const;
export const CALLS_BY_TO = { name: 'callsByTo', partitionKey: 'to', sortKey: 'startedAt' } as const;
export const CALL_INDEXES = [CALLS_BY_DAY, CALLS_BY_FROM, CALLS_BY_TO] as const;
/** What an index carries besides keys. */
export const INDEX_ATTRIBUTES = ['status', 'endedAt', 'direction', 'segmentCount'] as const;

export const DAY_SHARDS = 4;

/** @param startedAt ISO 8601 in UTC. @returns e.g. `2026-11-21#3`; the shard follows from the call, so a rewrite lands on the same one. */
export function dayShard(startedAt: string, callSid: string): string {
  return dayShardKey(startedAt.slice(0, 10), lastDigitOf(callSid) % DAY_SHARDS);
}

/** The last hexadecimal digit of a sid: spreads calls evenly, and the same call always the same way. */
function lastDigitOf(sid: string): number {
  const lastDigit = Number.parseInt(sid.slice(-1), 16);
  return Number.isNaN(lastDigit) ? 0 : lastDigit;
}

/** @param day `YYYY-MM-DD` */
export function dayShardKey(day: string, shard: number): string {
  return `${day}#${shard}`;
}
