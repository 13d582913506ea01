import { CreateTableCommand, waitUntilTableExists } from '@aws-sdk/client-dynamodb';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { tableDefinition } from './table-definition';

const WAIT_S = 30;
const POLL_S = 0.05;

/**
 * Creates the transcripts table where it is missing, and waits until it can be used. For a local DynamoDB only: in AWS
 * the table belongs to the CDK stack.
 *
 * @throws when the store does not answer or refuses
 */
export async function createTableIfMissing(client: DynamoDBDocumentClient, tableName: string): Promise<void> {
  try {
    await client.send(new CreateTableCommand(tableDefinition(tableName)));
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'ResourceInUseException') throw error;
  }
  await waitUntilTableExists({ client, maxWaitTime: WAIT_S, minDelay: POLL_S }, { TableName: tableName });
}
