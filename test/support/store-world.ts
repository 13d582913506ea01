import { PutCommand, QueryCommand, type DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { startEmbeddedDynamoDb } from '../../local/embedded-dynamodb';
import { createDocumentClient } from '../../runtime/store/dynamodb-client';
import { startDynamoDbFaultProxy, type FaultProxy } from './dynamodb-fault-proxy';

export const TABLE = 'callscript';

/** A table in memory, reached through a proxy that can make it fail. */
export interface StoreWorld {
  readonly proxy: FaultProxy;
  /** Goes through the proxy. */
  readonly client: DynamoDBDocumentClient;
  /** Everything stored of a call, in key order, past the proxy. */
  items(callSid: string): Promise<Record<string, unknown>[]>;
  item(callSid: string, itemKey: string): Promise<Record<string, unknown> | undefined>;
  /** Stores an item past the proxy. */
  put(item: Record<string, unknown>): Promise<void>;
  close(): Promise<void>;
}

export async function startStoreWorld(requestTimeoutMs = 1_000): Promise<StoreWorld> {
  const store = await startEmbeddedDynamoDb({ tableName: TABLE });
  const proxy = await startDynamoDbFaultProxy(store.endpoint);
  const direct = createDocumentClient({ region: 'us-east-1', endpoint: store.endpoint });
  const client = createDocumentClient({ region: 'us-east-1', endpoint: proxy.endpoint, requestTimeoutMs });
  const items = async (callSid: string): Promise<Record<string, unknown>[]> => {
    const items: Record<string, unknown>[] = [];
    let start: Record<string, unknown> | undefined;
    do {
      const query = new QueryCommand({
        TableName: TABLE,
        KeyConditionExpression: 'callSid = :callSid',
        ExpressionAttributeValues: { ':callSid': callSid },
        ConsistentRead: true,
        ExclusiveStartKey: start,
      });
      const page = await direct.send(query);
      items.push(...(page.Items ?? []));
      start = page.LastEvaluatedKey;
    } while (start !== undefined);
    return items;
  };
  return {
    proxy,
    client,
    items,
    item: async (callSid, itemKey) => (await items(callSid)).find((item) => item['itemKey'] === itemKey),
    put: async (Item) => void (await direct.send(new PutCommand({ TableName: TABLE, Item }))),
    close: async () => {
      client.destroy();
      direct.destroy();
      await proxy.close();
      await store.close();
    },
  };
}
