import {
  BatchWriteCommand,
  DeleteCommand,
  GetCommand,
  QueryCommand,
  UpdateCommand,
  type DynamoDBDocumentClient,
} from '@aws-sdk/lib-dynamodb';
import { PARTITION_KEY, SORT_KEY } from '../contract/transcripts-table';
import { CallStoreError } from './call-store-error';
import { storeErrorKind } from './store-error';
import type { ItemChange, ItemKey } from './store-write';
import { updateInput } from './update-expression';

export type Item = Record<string, unknown>;

export interface TableRequestsOptions {
  readonly client: DynamoDBDocumentClient;
  readonly tableName: string;
  /** For one request. */
  readonly timeoutMs?: number;
}

export interface ItemRange {
  /** What sort keys begin with; without it all items of the partition. */
  readonly prefix?: string;
  /** As they are now. Default true. */
  readonly isStrong?: boolean;
}

const TIMEOUT_MS = 2_000;

/**
 * Requests whose answer somebody waits for, one attempt each. `action` says what did not work, without its full stop:
 * everything throws a `CallStoreError` that begins with it, also when there is no answer in time.
 */
export class TableRequests {
  readonly #options: TableRequestsOptions;

  constructor(options: TableRequestsOptions) {
    this.#options = options;
  }

  /** Strong read. */
  async get(action: string, key: ItemKey): Promise<Item | undefined> {
    const command = new GetCommand({ ...this.#keyOf(key), ConsistentRead: true });
    const { client } = this.#options;
    return (await this.once(action, (abortSignal) => client.send(command, { abortSignal }))).Item;
  }

  /** The items of a partition, in order of their sort key. The time limit holds for each page of 1 MB. */
  async query(action: string, partition: string, range: ItemRange = {}): Promise<readonly Item[]> {
    const { client, tableName } = this.#options;
    const { prefix = '', isStrong = true } = range;
    const query = {
      TableName: tableName,
      KeyConditionExpression: prefix === '' ? '#p = :p' : '#p = :p AND begins_with(#s, :s)',
      ExpressionAttributeNames: { '#p': PARTITION_KEY, ...(prefix === '' ? {} : { '#s': SORT_KEY }) },
      ExpressionAttributeValues: { ':p': partition, ...(prefix === '' ? {} : { ':s': prefix }) },
      ConsistentRead: isStrong,
    };
    const items: Item[] = [];
    let start: Item | undefined;
    do {
      const command = new QueryCommand({ ...query, ExclusiveStartKey: start });
      const page = await this.once(action, (abortSignal) => client.send(command, { abortSignal }));
      items.push(...(page.Items ?? []));
      start = page.LastEvaluatedKey;
    } while (start !== undefined);
    return items;
  }

  /** @returns the item's attributes afterwards, or undefined when the condition did not hold */
  async change(action: string, change: ItemChange): Promise<Item | undefined> {
    const { client, tableName } = this.#options;
    const command = new UpdateCommand({ ...updateInput(tableName, change), ReturnValues: 'ALL_NEW' });
    return this.once(action, async (abortSignal) => {
      try {
        return (await client.send(command, { abortSignal })).Attributes ?? {};
      } catch (error) {
        if (storeErrorKind(error) === 'refused') return undefined;
        throw error;
      }
    });
  }

  async delete(action: string, key: ItemKey): Promise<void> {
    const command = new DeleteCommand(this.#keyOf(key));
    await this.once(action, (abortSignal) => this.#options.client.send(command, { abortSignal }));
  }

  /** @param keys at most 25 @throws CallStoreError also when the store took only some */
  async deleteAll(action: string, keys: readonly ItemKey[]): Promise<void> {
    const { client, tableName } = this.#options;
    const requests = keys.map((key) => ({ DeleteRequest: { Key: this.#keyOf(key).Key } }));
    const command = new BatchWriteCommand({ RequestItems: { [tableName]: requests } });
    await this.once(action, async (abortSignal) => {
      const { UnprocessedItems } = await client.send(command, { abortSignal });
      if ((UnprocessedItems?.[tableName] ?? []).length > 0) throw new UnprocessedItemsError();
    });
  }

  /** Any other request. */
  async once<Result>(action: string, request: (signal: AbortSignal) => Promise<Result>): Promise<Result> {
    try {
      return await request(AbortSignal.timeout(this.#options.timeoutMs ?? TIMEOUT_MS));
    } catch (error) {
      throw new CallStoreError(action, error);
    }
  }

  #keyOf({ callSid, itemKey }: ItemKey) {
    return { TableName: this.#options.tableName, Key: { [PARTITION_KEY]: callSid, [SORT_KEY]: itemKey } };
  }
}

class UnprocessedItemsError extends Error {
  override readonly name = 'UnprocessedItems';
}
