import type { CreateTableCommandInput } from '@aws-sdk/client-dynamodb';
import { CALL_INDEXES, INDEX_ATTRIBUTES, PARTITION_KEY, SORT_KEY } from '../contract/transcripts-table';

/**
 * The transcripts table as a `CreateTable` request, for a DynamoDB that no CDK stack looks after: the embedded one.
 * TTL is not part of `CreateTable`; without it items just stay.
 */
export function tableDefinition(tableName: string): CreateTableCommandInput {
  const keyAttributes = new Set<string>([PARTITION_KEY, SORT_KEY]);
  for (const index of CALL_INDEXES) keyAttributes.add(index.partitionKey).add(index.sortKey);
  return {
    TableName: tableName,
    BillingMode: 'PAY_PER_REQUEST',
    AttributeDefinitions: [...keyAttributes].map((name) => ({ AttributeName: name, AttributeType: 'S' })),
    KeySchema: keySchema(PARTITION_KEY, SORT_KEY),
    GlobalSecondaryIndexes: CALL_INDEXES.map((index) => ({
      IndexName: index.name,
      KeySchema: keySchema(index.partitionKey, index.sortKey),
      Projection: { ProjectionType: 'INCLUDE', NonKeyAttributes: [...INDEX_ATTRIBUTES] },
    })),
  };
}

function keySchema(partitionKey: string, sortKey: string): CreateTableCommandInput['KeySchema'] {
  return [
    { AttributeName: partitionKey, KeyType: 'HASH' },
    { AttributeName: sortKey, KeyType: 'RANGE' },
  ];
}
