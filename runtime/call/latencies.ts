import type { LatencyParts, LatencySummary } from '../model/transcript-event';
import { Distribution } from '../observability/distribution';
import type { UtteranceLatency } from '../speech/receipts';

/** Latencies of a leg's partials and finals, however many. */
export class Latencies {
  readonly #partial = new Distribution();
  readonly #final = new Distribution();
  readonly #relay = new Distribution();
  readonly #speech = new Distribution();

  addPartial({ totalMs }: UtteranceLatency): void {
    this.#partial.add(totalMs);
  }

  addFinal({ totalMs, relayMs }: UtteranceLatency): void {
    this.#final.add(totalMs);
    this.#relay.add(relayMs);
    this.#speech.add(Math.max(0, totalMs - relayMs));
  }

  /** Of the finals; `undefined` without any. */
  summary(): LatencySummary | undefined {
    return this.#final.percentiles();
  }

  /** `undefined` when nothing was said. */
  parts(): LatencyParts | undefined {
    const partial = this.#partial.percentiles();
    const relay = this.#relay.percentiles();
    const speech = this.#speech.percentiles();
    if (partial === undefined && relay === undefined) return undefined;
    return {
      ...(partial === undefined ? {} : { partial }),
      ...(relay === undefined ? {} : { relay }),
      ...(speech === undefined ? {} : { speech }),
    };
  }
}
