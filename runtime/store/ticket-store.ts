import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import {
  ISSUED_ITEM_KEY,
  ticketPartition,
  TTL_ATTRIBUTE,
  USED_ITEM_KEY,
} from '../contract/transcripts-table';
import type { Clock } from '../model/clock';
import { TableRequests } from './table-requests';
import { BATCH_ITEMS, createTableWriter, type TableWriter } from './table-writer';

export interface TicketStoreOptions {
  readonly client: DynamoDBDocumentClient;
  readonly tableName: string;
  /** For this long a ticket that was used is known as used. */
  readonly retentionDays: number;
  /** Compared between machines, so this must be the wall clock. */
  readonly wallNow?: Clock;
  /** For one request. */
  readonly timeoutMs?: number;
  /** Notes wait so long for others to share their request. Default 20 ms. */
  readonly gatherMs?: number;
}

interface Note {
  readonly callSid: string;
  readonly settle: (error?: unknown) => void;
}

/** A call lasts 24 h at most (twilio-media-streams.md, 7). */
const NOTE_TTL_SECONDS = 25 * 3_600;
const DAY_SECONDS = 24 * 3_600;

/** What is known of stream tickets to all tasks. Every method makes one attempt and throws `CallStoreError`. */
export class TicketStore {
  readonly #options: TicketStoreOptions;
  readonly #requests: TableRequests;
  readonly #writer: TableWriter;
  #notes: Note[] = [];

  constructor(options: TicketStoreOptions) {
    this.#options = options;
    this.#requests = new TableRequests(options);
    this.#writer = createTableWriter(options.client, options.tableName);
  }

  /** @returns whether it was not used before; a second answer to the same question is always no */
  async spend(id: string): Promise<boolean> {
    const { retentionDays } = this.#options;
    const item = await this.#requests.change('The use of a ticket could not be stored', {
      key: { callSid: ticketPartition(id), itemKey: USED_ITEM_KEY },
      set: { [TTL_ATTRIBUTE]: this.#inSeconds(retentionDays * DAY_SECONDS) },
      condition: { absent: TTL_ATTRIBUTE },
    });
    return item !== undefined;
  }

  /** The call's streams have tickets. Calls come in bursts, so notes of the same moment share a request. */
  noteIssued(callSid: string): Promise<void> {
    const { gatherMs = 20 } = this.#options;
    if (this.#notes.length === 0) setTimeout(() => this.#writeNotes(), gatherMs);
    return new Promise((resolve, reject) => {
      const settle = (error?: unknown): void => {
        if (error === undefined) resolve();
        else reject(error as Error);
      };
      this.#notes.push({ callSid, settle });
    });
  }

  /** Strong read. */
  async wasIssued(callSid: string): Promise<boolean> {
    const key = { callSid: ticketPartition(callSid), itemKey: ISSUED_ITEM_KEY };
    return (await this.#requests.get('The ticket of a call could not be looked for', key)) !== undefined;
  }

  #writeNotes(): void {
    const notes = this.#notes.splice(0);
    while (notes.length > 0) void this.#writeBatch(notes.splice(0, BATCH_ITEMS));
  }

  async #writeBatch(notes: readonly Note[]): Promise<void> {
    const expiresAt = this.#inSeconds(NOTE_TTL_SECONDS);
    const callSids = new Set(notes.map(({ callSid }) => callSid));
    const items = [...callSids].map((callSid) => ({
      callSid: ticketPartition(callSid),
      itemKey: ISSUED_ITEM_KEY,
      [TTL_ATTRIBUTE]: expiresAt,
    }));
    const action = 'That a call has a ticket could not be stored';
    try {
      await this.#requests.once(action, async (signal) => {
        const left = await this.#writer.putAll(items, signal);
        if (left.length > 0) throw new Error('the table did not take all');
      });
      for (const { settle } of notes) settle();
    } catch (error) {
      for (const { settle } of notes) settle(error);
    }
  }
  #inSeconds(seconds: number): number {
    const { wallNow = Date.now } = this.#options;
    return Math.ceil(wallNow() / 1000) + seconds;
  }
}
