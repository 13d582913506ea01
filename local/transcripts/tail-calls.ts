import { setTimeout as wait } from 'node:timers/promises';
import { segmentKey } from '../../runtime/contract/transcripts-table';
import type { CallReader } from '../../runtime/store/call-reader';
import type { SegmentItem } from '../../runtime/store/stored-call';

export interface TailOptions {
  readonly reader: CallReader;
  readonly pollMs: number;
  /** Ends the tail. */
  readonly signal: AbortSignal;
  /** What is stored from now on is given. */
  readonly onFollowing: () => void;
  readonly onSegment: (callSid: string, segment: SegmentItem) => void;
}

/** A segment may be stored this much later than one that starts after it: the longest utterance, and trouble. */
const LOOK_BACK_MS = 120_000;
/** A call that started yesterday may still live. */
const LIVE_DAYS = 2;
const LIVE_CALLS = 1_000;

/** Gives what one call has, then what it gets, until it is over. */
export async function tailCall(callSid: string, options: TailOptions): Promise<void> {
  const call = new FollowedCall(callSid, options);
  options.onFollowing();
  while (!options.signal.aborted) {
    const item = await options.reader.readCallItem(callSid);
    // Whole when it is over: what was found only in the final result may be anywhere.
    if (item?.endedAt !== undefined) return call.poll(true);
    await call.poll();
    await pause(options);
  }
}

/** Gives what all live calls get from now on. */
export async function tailLiveCalls(options: TailOptions): Promise<void> {
  const followed = new Map<string, FollowedCall>();
  for (let first = true; !options.signal.aborted; first = false) {
    const live = await options.reader.listCalls({ limit: LIVE_CALLS, days: LIVE_DAYS, liveOnly: true });
    const liveSids = new Set(live.map(({ callSid }) => callSid));
    for (const callSid of liveSids) {
      if (followed.has(callSid)) continue;
      const call = new FollowedCall(callSid, options);
      followed.set(callSid, call);
      if (first) await call.skip();
    }
    if (first) options.onFollowing();
    for (const [callSid, call] of followed) {
      const over = !liveSids.has(callSid);
      await call.poll(over);
      if (over) followed.delete(callSid);
    }
    await pause(options);
  }
}

class FollowedCall {
  readonly #callSid: string;
  readonly #options: TailOptions;
  readonly #seen = new Set<string>();
  #lastStartMs = 0;

  constructor(callSid: string, options: TailOptions) {
    this.#callSid = callSid;
    this.#options = options;
  }

  /** Leaves out what is stored now. */
  async skip(): Promise<void> {
    for (const segment of await this.#options.reader.segmentsAfter(this.#callSid)) this.#note(segment);
  }

  async poll(whole = false): Promise<void> {
    const after = whole ? undefined : keyBefore(this.#lastStartMs - LOOK_BACK_MS);
    for (const segment of await this.#options.reader.segmentsAfter(this.#callSid, after)) {
      if (!this.#seen.has(segment.itemKey)) this.#options.onSegment(this.#callSid, segment);
      this.#note(segment);
    }
  }

  #note(segment: SegmentItem): void {
    this.#seen.add(segment.itemKey);
    this.#lastStartMs = Math.max(this.#lastStartMs, segment.startMs);
  }
}

/** A key in front of every segment that starts at this time or later. */
function keyBefore(startMs: number): string {
  return segmentKey({ startMs, streamSid: '', sessionNumber: 0, channel: 0, utteranceId: '' });
}

async function pause({ pollMs, signal }: TailOptions): Promise<void> {
  await wait(pollMs, undefined, { signal }).catch(() => undefined);
}
