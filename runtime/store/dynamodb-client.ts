import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';

export interface DocumentClientOptions {
  readonly region: string;
  /** Another DynamoDB than the region's, such as the embedded one. */
  readonly endpoint?: string;
  /** Where credentials for `endpoint` may be; without any there, made-up ones are used, which a local DynamoDB takes. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  readonly connectionTimeoutMs?: number;
  /** For one whole request. */
  readonly requestTimeoutMs?: number;
  /** Attempts of one request. The relay has one; a command for people may have more. */
  readonly attempts?: number;
}

const CONNECTION_TIMEOUT_MS = 2_000;
const REQUEST_TIMEOUT_MS = 5_000;
const LOCAL_CREDENTIALS = { accessKeyId: 'local', secretAccessKey: 'local' };
const CREDENTIAL_VARIABLES = [
  'AWS_ACCESS_KEY_ID',
  'AWS_PROFILE',
  'AWS_WEB_IDENTITY_TOKEN_FILE',
  'AWS_CONTAINER_CREDENTIALS_RELATIVE_URI',
  'AWS_CONTAINER_CREDENTIALS_FULL_URI',
];

/**
 * DynamoDB, with plain objects as items. A request is one attempt by default, because the write queue is the one layer
 * that tries again.
 */
export function createDocumentClient(options: DocumentClientOptions): DynamoDBDocumentClient {
  const { region, endpoint, environment = {} } = options;
  const local = endpoint !== undefined && !CREDENTIAL_VARIABLES.some((name) => environment[name]);
  const client = new DynamoDBClient({
    region,
    maxAttempts: options.attempts ?? 1,
    requestHandler: {
      connectionTimeout: options.connectionTimeoutMs ?? CONNECTION_TIMEOUT_MS,
      requestTimeout: options.requestTimeoutMs ?? REQUEST_TIMEOUT_MS,
      throwOnRequestTimeout: true,
    },
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(local ? { credentials: LOCAL_CREDENTIALS } : {}),
  });
  return DynamoDBDocumentClient.from(client, { marshallOptions: { removeUndefinedValues: true } });
}
