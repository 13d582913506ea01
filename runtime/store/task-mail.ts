import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { SORT_KEY, taskMailKey, TTL_ATTRIBUTE } from '../contract/transcripts-table';
import type { Clock } from '../model/clock';
import { TableRequests } from './table-requests';
import { BATCH_ITEMS } from './table-writer';

/** Nobody reads the mail of a task that is gone. */
const MAIL_TTL_SECONDS = 3_600;

/** A stream that another one replaces; wall clock, ISO 8601: from when on that one hears the call. */
export interface ReplacedStream {
  readonly streamSid: string;
  readonly from: string;
}

/** What tasks tell each other: that a newer stream has replaced one of theirs. Throws `CallStoreError`, one attempt each. */
export class TaskMail {
  readonly #requests: TableRequests;
  readonly #now: Clock;

  constructor(options: {
    readonly client: DynamoDBDocumentClient;
    readonly tableName: string;
    readonly wallNow?: Clock;
    readonly timeoutMs?: number;
  }) {
    this.#requests = new TableRequests(options);
    this.#now = options.wallNow ?? Date.now;
  }

  async tellReplaced(taskId: string, { streamSid, from }: ReplacedStream): Promise<void> {
    await this.#requests.change('A task could not be told that a stream is replaced', {
      key: { callSid: taskMailKey(taskId), itemKey: streamSid },
      set: { from, [TTL_ATTRIBUTE]: Math.floor(this.#now() / 1000) + MAIL_TTL_SECONDS },
    });
  }

  /**
   * Tells of the streams of this task that are replaced. Each is told until it is known to be removed, which may be
   * more than once: removed first, it would be lost with the answer.
   */
  async takeReplaced(taskId: string, tell: (replaced: ReplacedStream) => void): Promise<void> {
    const partition = taskMailKey(taskId);
    const items = await this.#requests.query('The mail of the task could not be read', partition);
    for (const item of items) tell({ streamSid: String(item[SORT_KEY]), from: String(item['from']) });
    const keys = items.map((item) => ({ callSid: partition, itemKey: String(item[SORT_KEY]) }));
    for (let at = 0; at < keys.length; at += BATCH_ITEMS)
      await this.#requests.deleteAll(
        'The mail of the task could not be removed',
        keys.slice(at, at + BATCH_ITEMS),
      );
  }
}
