import { SEGMENT_PREFIX, sessionKey } from '../contract/transcripts-table';
import type { TranscriptEvent } from '../model/transcript-event';
import type { StoreWrite } from '../store/store-write';

/** Sessions remembered; a session that was forgotten was closed long ago. */
const MOST_SESSIONS = 10_000;

/**
 * Which sessions have segments that could not be written. Such a session, and its call, must not count as reconciled:
 * only then does anybody look for its text again.
 */
export class LostSegments {
  readonly #sessions = new Map<string, string>();

  /**
   * Notes a write that is lost for good.
   *
   * @returns what to write about its session, once for each
   */
  note(write: StoreWrite): readonly StoreWrite[] {
    const { callSid, itemKey } = write.type === 'put' ? write.item : write.update.key;
    const attributes = write.type === 'put' ? write.item : (write.update.set ?? {});
    const { streamSid, sessionNumber } = attributes;
    if (!itemKey.startsWith(SEGMENT_PREFIX)) return [];
    if (typeof streamSid !== 'string' || typeof sessionNumber !== 'number') return [];
    const key = { callSid, itemKey: sessionKey(streamSid, sessionNumber) };
    if (this.#sessions.has(nameOf(key))) return [];
    this.#sessions.set(nameOf(key), callSid);
    const [oldest] = this.#sessions.keys();
    if (this.#sessions.size > MOST_SESSIONS && oldest !== undefined) this.#sessions.delete(oldest);
    const update = { key, set: { reconciled: false }, condition: { exists: 'sessionId' } } as const;
    return [{ type: 'update', update: { ...update, whenRefused: 'ignore' } }];
  }

  /** The event as it is true. */
  correct(event: TranscriptEvent): TranscriptEvent {
    if (this.#sessions.size === 0) return event;
    const { callSid } = event;
    if (event.type === 'session-closed') {
      const key = { callSid, itemKey: sessionKey(event.streamSid, event.sessionNumber) };
      return this.#sessions.has(nameOf(key)) ? { ...event, reconciled: false } : event;
    }
    if (event.type !== 'call-ended' || ![...this.#sessions.values()].includes(callSid)) return event;
    return { ...event, legs: event.legs.map((leg) => ({ ...leg, reconciled: false })) };
  }
}

function nameOf(key: { readonly callSid: string; readonly itemKey: string }): string {
  return `${key.callSid} ${key.itemKey}`;
}
