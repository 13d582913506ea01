import { BatchWriteCommand, UpdateCommand, type DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { ItemChange, StoreItem } from './store-write';
import { updateInput } from './update-expression';

/** Most puts in one request (DynamoDB's limit). */
export const BATCH_ITEMS = 25;
/** DynamoDB takes 16 MB, but a small request is sooner through; one item of the full size always fits. */
export const BATCH_BYTES = 4 * 1024 * 1024;

export interface TableWriter {
  /** @returns the items the store did not take this time. @throws when it took none. */
  putAll(items: readonly StoreItem[], signal: AbortSignal): Promise<readonly StoreItem[]>;
  /** Tries this form of an update only, not `otherwise`. @throws when the store failed or the condition was refused. */
  update(change: ItemChange, signal: AbortSignal): Promise<void>;
}

/** The two requests that writes are made of, one attempt each. */
export function createTableWriter(client: DynamoDBDocumentClient, tableName: string): TableWriter {
  return {
    async putAll(items, abortSignal) {
      const requests = items.map((Item) => ({ PutRequest: { Item } }));
      const command = new BatchWriteCommand({ RequestItems: { [tableName]: requests } });
      const { UnprocessedItems } = await client.send(command, { abortSignal });
      const left = UnprocessedItems?.[tableName] ?? [];
      if (left.length === 0) return [];
      const keys = new Set(left.map((request) => keyText(request.PutRequest?.Item ?? {})));
      return items.filter((item) => keys.has(keyText(item)));
    },

    async update(change, abortSignal) {
      await client.send(new UpdateCommand(updateInput(tableName, change)), { abortSignal });
    },
  };
}

export function keyText(item: { readonly callSid?: unknown; readonly itemKey?: unknown }): string {
  return `${String(item.callSid)} ${String(item.itemKey)}`;
}
