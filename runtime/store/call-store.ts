import { GetCommand, UpdateCommand, type DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { CALL_ITEM_KEY, PARTITION_KEY, SORT_KEY, TTL_ATTRIBUTE } from '../contract/transcripts-table';
import type { Clock } from '../model/clock';
import { storeErrorHint, storeErrorKind, storeErrorName } from './store-error';
import { updateInput } from './update-expression';

export interface CallStoreOptions {
  readonly client: DynamoDBDocumentClient;
  readonly tableName: string;
  readonly retentionDays: number;
  /** For one request. */
  readonly timeoutMs?: number;
  readonly now?: Clock;
}

const TIMEOUT_MS = 2_000;
const SECONDS_PER_DAY = 86_400;

/** The store did not answer, or refused. */
export class CallStoreError extends Error {
  override readonly name = 'CallStoreError';
  /** The same request may work later. */
  readonly retryable: boolean;

  constructor(action: string, cause: unknown) {
    const hint = storeErrorHint(cause);
    super(`${action}: ${storeErrorName(cause)}${hint === undefined ? '' : ` (${hint})`}`, { cause });
    this.retryable = storeErrorKind(cause) === 'retry';
  }
}

/** What the relay must know of a call before it goes on; everything else goes through the write queue. */
export class CallStore {
  readonly #options: CallStoreOptions;

  constructor(options: CallStoreOptions) {
    this.#options = options;
  }

  /**
   * Makes `originAt` the zero of the call's times, unless the call has one. One attempt.
   *
   * @param originAt ISO 8601, wall-clock time of the first audio
   * @returns the call's origin, ISO 8601
   * @throws CallStoreError
   */
  async claimOrigin(callSid: string, originAt: string): Promise<string> {
    const { client, tableName, retentionDays, now = Date.now } = this.#options;
    const expiresAt = Math.floor(now() / 1000) + retentionDays * SECONDS_PER_DAY;
    const update = {
      key: { callSid, itemKey: CALL_ITEM_KEY },
      setIfAbsent: { originAt, [TTL_ATTRIBUTE]: expiresAt },
    };
    const command = new UpdateCommand({ ...updateInput(tableName, update), ReturnValues: 'UPDATED_NEW' });
    return this.#once('The origin of the call could not be stored', async (abortSignal) => {
      const { Attributes } = await client.send(command, { abortSignal });
      const origin: unknown = Attributes?.['originAt'];
      return typeof origin === 'string' ? origin : originAt;
    });
  }

  /**
   * Whether the table can be read, for `/ready`. One attempt.
   *
   * @throws CallStoreError with what to do about it
   */
  async probe(): Promise<void> {
    const { client, tableName } = this.#options;
    const key = { [PARTITION_KEY]: 'PROBE', [SORT_KEY]: CALL_ITEM_KEY };
    await this.#once('The table cannot be read', (abortSignal) =>
      client.send(new GetCommand({ TableName: tableName, Key: key }), { abortSignal }),
    );
  }

  async #once<Result>(action: string, request: (signal: AbortSignal) => Promise<Result>): Promise<Result> {
    try {
      return await request(AbortSignal.timeout(this.#options.timeoutMs ?? TIMEOUT_MS));
    } catch (error) {
      throw new CallStoreError(action, error);
    }
  }
}
