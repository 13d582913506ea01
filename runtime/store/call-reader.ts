import {
  BatchGetCommand,
  QueryCommand,
  type DynamoDBDocumentClient,
  type QueryCommandInput,
} from '@aws-sdk/lib-dynamodb';
import {
  CALL_ITEM_KEY,
  CALLS_BY_DAY,
  DAY_SHARDS,
  dayShardKey,
  GAP_PREFIX,
  PARTITION_KEY,
  RESULT_PREFIX,
  SEGMENT_PREFIX,
  SESSION_PREFIX,
  SORT_KEY,
} from '../contract/transcripts-table';
import type { Clock } from '../model/clock';
import {
  callItem,
  gapItem,
  resultItem,
  segmentItem,
  sessionItem,
  type CallItem,
  type SegmentItem,
  type StoredCall,
} from './stored-call';

export interface CallReaderOptions {
  readonly client: DynamoDBDocumentClient;
  readonly tableName: string;
  readonly now?: Clock;
  /** Most items asked for in one page; without it as many as fit in 1 MB. */
  readonly pageSize?: number;
}

export interface ListCallsOptions {
  /** Most calls given. */
  readonly limit: number;
  /** Days looked back at, today included. */
  readonly days?: number;
  /** Only calls that are not over. */
  readonly liveOnly?: boolean;
}

type Item = Record<string, unknown>;

const MS_PER_DAY = 86_400_000;
const LIST_DAYS = 30;
/** Days asked for at once: most tables have today's calls, a laptop's may be weeks old. */
const DAYS_AT_ONCE = 7;
const BATCH_GET_ITEMS = 100;

/** Reads calls back. Errors of the store are thrown as they are. */
export class CallReader {
  readonly #options: CallReaderOptions;

  constructor(options: CallReaderOptions) {
    this.#options = options;
  }

  /** Calls by their start, newest first. */
  async listCalls(options: ListCallsOptions): Promise<readonly CallItem[]> {
    const days = this.#days(options.days ?? LIST_DAYS);
    const found: CallItem[] = [];
    for (let at = 0; at < days.length && found.length < options.limit; at += DAYS_AT_ONCE) {
      const some = await Promise.all(
        days.slice(at, at + DAYS_AT_ONCE).map((day) => this.#callsOfDay(day, options)),
      );
      found.push(...some.flat());
    }
    return this.#callItems(found.slice(0, options.limit));
  }

  /** One call with everything it has. @returns undefined when the table knows nothing of it. */
  async readCall(callSid: string): Promise<StoredCall | undefined> {
    const items = await this.#queryAll({
      // Tasks decide by it what a dead one has left to do.
      ConsistentRead: true,
      KeyConditionExpression: '#callSid = :callSid',
      ExpressionAttributeNames: { '#callSid': PARTITION_KEY },
      ExpressionAttributeValues: { ':callSid': callSid },
    });
    if (items.length === 0) return undefined;
    const of = (prefix: string): Item[] => items.filter((item) => keyOfItem(item).startsWith(prefix));
    return {
      call: callItem.parse(items.find((item) => keyOfItem(item) === CALL_ITEM_KEY) ?? { callSid }),
      segments: of(SEGMENT_PREFIX).map((item) => segmentItem.parse(item)),
      gaps: of(GAP_PREFIX).map((item) => gapItem.parse(item)),
      sessions: of(SESSION_PREFIX).map((item) => sessionItem.parse(item)),
      results: of(RESULT_PREFIX).map((item) => resultItem.parse(item)),
    };
  }

  /** The call's own item, as it is now. */
  async readCallItem(callSid: string): Promise<CallItem | undefined> {
    return (await this.#callItems([{ callSid, legs: {} }]))[0];
  }

  /**
   * The call's segments whose key comes after `key`, in order. A segment may appear before others that are stored
   * already: two people speak at once, and the longer utterance is over later.
   *
   * @param key a segment's `itemKey`, or nothing for all segments
   */
  async segmentsAfter(callSid: string, key?: string): Promise<readonly SegmentItem[]> {
    const items = await this.#queryAll({
      KeyConditionExpression: '#callSid = :callSid AND begins_with(#itemKey, :prefix)',
      ExpressionAttributeNames: { '#callSid': PARTITION_KEY, '#itemKey': SORT_KEY },
      ExpressionAttributeValues: { ':callSid': callSid, ':prefix': SEGMENT_PREFIX },
      ConsistentRead: true,
      ...(key === undefined ? {} : { ExclusiveStartKey: { [PARTITION_KEY]: callSid, [SORT_KEY]: key } }),
    });
    return items.map((item) => segmentItem.parse(item));
  }

  #days(count: number): string[] {
    const now = (this.#options.now ?? Date.now)();
    return Array.from({ length: count }, (_, back) =>
      new Date(now - back * MS_PER_DAY).toISOString().slice(0, 10),
    );
  }

  /** What the index has of a day's calls, newest first. */
  async #callsOfDay(day: string, { limit, liveOnly }: ListCallsOptions): Promise<CallItem[]> {
    const shards = Array.from({ length: DAY_SHARDS }, (_, shard) =>
      this.#queryAll(
        {
          IndexName: CALLS_BY_DAY.name,
          KeyConditionExpression: '#day = :day',
          ExpressionAttributeNames: {
            '#day': CALLS_BY_DAY.partitionKey,
            ...(liveOnly === true ? { '#status': 'status' } : {}),
          },
          ExpressionAttributeValues: {
            ':day': dayShardKey(day, shard),
            ...(liveOnly === true ? { ':live': 'in-progress' } : {}),
          },
          ...(liveOnly === true ? { FilterExpression: '#status = :live' } : {}),
          ScanIndexForward: false,
          ...(liveOnly === true ? {} : { Limit: limit }),
        },
        limit,
      ),
    );
    const calls = (await Promise.all(shards)).flat().map((item) => callItem.parse(item));
    return calls.sort((one, other) => (other.startedAt ?? '').localeCompare(one.startedAt ?? ''));
  }

  /** The whole items of these calls, in the same order: the index has only part of them. */
  async #callItems(calls: readonly CallItem[]): Promise<CallItem[]> {
    const items = new Map<unknown, Item>();
    for (let at = 0; at < calls.length; at += BATCH_GET_ITEMS) {
      const keys = calls.slice(at, at + BATCH_GET_ITEMS).map(({ callSid }) => callKey(callSid));
      for (const item of await this.#getAll(keys)) items.set(item[PARTITION_KEY], item);
    }
    return calls.flatMap(({ callSid }) => {
      const item = items.get(callSid);
      return item === undefined ? [] : [callItem.parse(item)];
    });
  }

  async #getAll(keys: readonly Item[]): Promise<Item[]> {
    const { client, tableName } = this.#options;
    const items: Item[] = [];
    let left: Item[] = [...keys];
    while (left.length > 0) {
      const request = { RequestItems: { [tableName]: { Keys: left } } };
      const { Responses, UnprocessedKeys } = await client.send(new BatchGetCommand(request));
      items.push(...(Responses?.[tableName] ?? []));
      left = UnprocessedKeys?.[tableName]?.Keys ?? [];
    }
    return items;
  }

  async #queryAll(query: Omit<QueryCommandInput, 'TableName'>, limit = Infinity): Promise<Item[]> {
    const { client, tableName, pageSize } = this.#options;
    const items: Item[] = [];
    let start = query.ExclusiveStartKey;
    do {
      const page = {
        TableName: tableName,
        ...query,
        ExclusiveStartKey: start,
        Limit: pageSize ?? query.Limit,
      };
      const { Items = [], LastEvaluatedKey } = await client.send(new QueryCommand(page));
      items.push(...Items);
      start = LastEvaluatedKey;
    } while (start !== undefined && items.length < limit);
    return items.slice(0, limit);
  }
}

function callKey(callSid: string): Item {
  return { [PARTITION_KEY]: callSid, [SORT_KEY]: CALL_ITEM_KEY };
}

function keyOfItem(item: Item): string {
  return String(item[SORT_KEY]);
}
