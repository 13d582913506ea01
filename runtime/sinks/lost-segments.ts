import { SEGMENT_PREFIX, SESSION_PREFIX, sessionKey } from '../contract/transcripts-table';
import type { LegId, TranscriptEvent } from '../model/transcript-event';
import type { StoreWrite } from '../store/store-write';
import { forgetOldest } from '../model/forget-oldest';

interface SessionKey {
  readonly callSid: string;
  readonly itemKey: string;
}

/** Sessions remembered; a session that was forgotten was closed long ago. */
const MOST_SESSIONS = 10_000;

/**
 * Which sessions have segments that could not be written, or no final result. Such a session, and its call, must not
 * count as reconciled: only then does anybody look for its text again.
 */
export class LostSegments {
  readonly #sessions = new Map<string, { readonly callSid: string; readonly lacks: 'lines' | 'result' }>();

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
    if (this.#sessions.get(nameOf(key))?.lacks === 'lines') return [];
    this.#remember(key, 'lines');
    const update = { key, set: { reconciled: false }, condition: { exists: 'sessionId' } } as const;
    return [{ type: 'update', update: { ...update, whenRefused: 'ignore' } }];
  }

  /** Whether the leg has none of them. */
  isReconciled({ callSid, streamSid }: LegId): boolean {
    const prefix = nameOf({ callSid, itemKey: `${SESSION_PREFIX}${streamSid}#` });
    return ![...this.#sessions.keys()].some((name) => name.startsWith(prefix));
  }

  #remember(key: SessionKey, lacks: 'lines' | 'result'): void {
    this.#sessions.set(nameOf(key), { callSid: key.callSid, lacks });
    forgetOldest(this.#sessions, MOST_SESSIONS);
  }

  /** The event as it is true. */
  correct(event: TranscriptEvent): TranscriptEvent {
    const { callSid } = event;
    if (event.type === 'session-closed') {
      const key = { callSid, itemKey: sessionKey(event.streamSid, event.sessionNumber) };
      const lacks = this.#sessions.get(nameOf(key))?.lacks;
      if (!event.reconciled) this.#remember(key, lacks ?? 'result');
      // A result that came while the leg lived was not compared with what the queue has lost since.
      else if (lacks === 'lines' && event.isLate !== true) return { ...event, reconciled: false };
      else this.#sessions.delete(nameOf(key));
      return event;
    }
    if (event.type !== 'call-ended' || ![...this.#sessions.values()].some((each) => each.callSid === callSid))
      return event;
    return { ...event, legs: event.legs.map((leg) => ({ ...leg, reconciled: false })) };
  }
}

function nameOf(key: SessionKey): string {
  return `${key.callSid} ${key.itemKey}`;
}
