import type { TranscriptEvent } from '../../runtime/model/transcript-event';
import type { TranscriptSink } from '../../runtime/sinks/transcript-sink';

/** Tells when calls are over. */
export class CallWatch implements TranscriptSink {
  readonly name = 'call-watch';
  readonly #ended = new Set<string>();
  readonly #waiting = new Map<string, () => void>();

  write(event: TranscriptEvent): void {
    if (event.type !== 'call-ended') return;
    this.#ended.add(event.callSid);
    this.#waiting.get(event.callSid)?.();
  }

  close(): Promise<number> {
    for (const resolve of this.#waiting.values()) resolve();
    return Promise.resolve(0);
  }

  /** Resolves when the call is over, or the relay is. */
  whenEnded(callSid: string): Promise<void> {
    if (this.#ended.has(callSid)) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.set(callSid, resolve));
  }
}
