import { SEGMENT_PREFIX } from '../contract/transcripts-table';
import type { LatencySummary } from '../model/transcript-event';
import { Distribution } from '../observability/distribution';
import { keyOf, type StoreWrite } from '../store/store-write';
import { forgetOldest } from '../model/forget-oldest';

/** A call that another process ends is never asked about here: the oldest ones are forgotten. */
const MOST_CALLS = 10_000;

/** How long finals took to their items in the table, by call. */
export class StoreLatencies {
  readonly #byCall = new Map<string, Distribution>();

  /** A write is in the table. @returns whether it is a final */
  note(write: StoreWrite, tookMs: number): boolean {
    const { callSid, itemKey } = keyOf(write);
    // An add-on updates the item of its final, which has the text.
    const hasText = write.type === 'put' || write.update.set?.['text'] !== undefined;
    if (!itemKey.startsWith(SEGMENT_PREFIX) || !hasText) return false;
    let latencies = this.#byCall.get(callSid);
    if (latencies === undefined) {
      latencies = new Distribution();
      this.#byCall.set(callSid, latencies);
      forgetOldest(this.#byCall, MOST_CALLS);
    }
    latencies.add(tookMs);
    return true;
  }

  /** The call is over. @returns `undefined` when nothing of it was stored by this process */
  take(callSid: string): LatencySummary | undefined {
    const latencies = this.#byCall.get(callSid);
    this.#byCall.delete(callSid);
    return latencies?.percentiles();
  }
}
