import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { Logger } from '../observability/logger';
import { createTableIfMissing } from './create-table';
import { storeErrorName } from './store-error';

export interface OwnTableOptions {
  readonly client: DynamoDBDocumentClient;
  readonly tableName: string;
  readonly logger: Logger;
  /** Between tries. Default 5 s. */
  readonly retryMs?: number;
}

/** Makes the table in a DynamoDB of one's own, as soon as that answers. Until then writes wait in their queue. */
export class OwnTable {
  /** Resolves after the first try, whatever came of it. */
  readonly tried: Promise<void>;
  readonly #options: OwnTableOptions;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(options: OwnTableOptions) {
    this.#options = options;
    this.tried = this.#try();
  }

  /** Tries no more. Safe to call twice. */
  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }

  async #try(): Promise<void> {
    const { client, tableName, logger, retryMs = 5_000 } = this.#options;
    try {
      await createTableIfMissing(client, tableName);
    } catch (error) {
      if (this.#isClosed) return;
      logger.warn(
        { reason: storeErrorName(error), tableName },
        'The table could not be made; writes wait for it',
      );
      this.#timer = setTimeout(() => void this.#try(), retryMs);
    }
  }
}
