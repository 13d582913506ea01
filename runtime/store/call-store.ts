import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { CALL_ITEM_KEY, TTL_ATTRIBUTE } from '../contract/transcripts-table';
import type { Clock } from '../model/clock';
import type { LegSummary } from '../model/transcript-event';
import { endedLegs, openLegs } from './ended-legs';
import type { ItemKey } from './store-write';
import { TableRequests } from './table-requests';

export { CallStoreError } from './call-store-error';

export interface CallStoreOptions {
  readonly client: DynamoDBDocumentClient;
  readonly tableName: string;
  readonly retentionDays: number;
  /** For one request. */
  readonly timeoutMs?: number;
  readonly wallNow: Clock;
}

const SECONDS_PER_DAY = 86_400;

/** What the relay must know of a call before it goes on; everything else goes through the write queue. */
export class CallStore {
  readonly #options: CallStoreOptions;
  readonly #requests: TableRequests;

  constructor(options: CallStoreOptions) {
    this.#options = options;
    this.#requests = new TableRequests(options);
  }

  /**
   * Makes `originAt` the zero of the call's times, unless the call has one. One attempt.
   *
   * @param originAt ISO 8601, wall-clock time of the first audio
   * @returns the call's origin, ISO 8601
   * @throws CallStoreError
   */
  async claimOrigin(callSid: string, originAt: string): Promise<string> {
    const { retentionDays, wallNow } = this.#options;
    const expiresAt = Math.floor(wallNow() / 1000) + retentionDays * SECONDS_PER_DAY;
    const item = await this.#requests.change('The origin of the call could not be stored', {
      key: callKey(callSid),
      setIfAbsent: { originAt, [TTL_ATTRIBUTE]: expiresAt },
    });
    const origin: unknown = item?.['originAt'];
    return typeof origin === 'string' ? origin : originAt;
  }

  /**
   * The call's legs, whichever task had them: what those came to that have ended, by streamSid, and the others. As it is
   * now (strong read), one attempt. Their writes may still wait in a queue.
   *
   * @throws CallStoreError
   */
  async readLegs(
    callSid: string,
  ): Promise<{ readonly ended: Readonly<Record<string, LegSummary>>; readonly open: readonly string[] }> {
    const item = await this.#requests.get('The legs of the call could not be read', callKey(callSid));
    return { ended: endedLegs(item?.['legs']), open: openLegs(item?.['legs']) };
  }

  /**
   * Whether the table can be read, for `/ready`. One attempt.
   *
   * @throws CallStoreError with what to do about it
   */
  async probe(): Promise<void> {
    await this.#requests.get('The table cannot be read', callKey('PROBE'));
  }
}

function callKey(callSid: string): ItemKey {
  return { callSid, itemKey: CALL_ITEM_KEY };
}
