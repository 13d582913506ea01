import { SEGMENT_PREFIX } from '../contract/transcripts-table';
import { storeErrorKind } from './store-error';
import { keyOf, type ItemChange, type ItemUpdate, type StoreItem, type StoreWrite } from './store-write';
import { BATCH_BYTES, BATCH_ITEMS, keyText, type TableWriter } from './table-writer';
import { TroubledCalls } from './troubled-calls';

export interface QueuedWrite {
  readonly write: StoreWrite;
  readonly bytes: number;
  /** Place in the order of the whole queue. */
  readonly sequence: number;
  /** By the queue's clock. */
  readonly queuedAtMs: number;
  /** How far an update has come: what it tries next. */
  readonly next?: ItemChange;
  /** Every form of the update was refused once, and it has begun again. */
  readonly isSecondRound?: boolean;
  /** One of its batch was refused as wrong, so it goes alone. */
  readonly isAlone?: boolean;
}

/** Told what became of each write. */
export interface WriteLaneEvents {
  /** Written. */
  readonly onWritten: (writes: readonly QueuedWrite[]) => void;
  /** Will never be written: `error` says why. */
  readonly onGivenUp: (write: QueuedWrite, error: unknown) => void;
  /** A request failed or was taken only in part, and will be tried again. */
  readonly onRetry: (error: unknown) => void;
}

export interface WriteLaneOptions extends WriteLaneEvents {
  readonly writer: TableWriter;
  /** How long a put waits for others to share its request. */
  readonly lingerMs: number;
  /** Wait before attempt n (from 1) of a request. */
  readonly backOffMs: (attempt: number) => number;
}

/** Writes looked at for company of the first one: the lane may be long, and each request looks. */
const MOST_LOOKED_AT = 500;

/**
 * Writes the writes of each call in the order they came, one request at a time: what comes later is never stored
 * before what came first. Puts share a request. A failing request is tried again for ever, and when other calls'
 * requests work meanwhile it waits alone; a wrong item is given up alone.
 */
export class WriteLane {
  readonly #options: WriteLaneOptions;
  readonly #abort = new AbortController();
  readonly #troubled: TroubledCalls;
  /** In order of their sequence. */
  #waiting: QueuedWrite[] = [];
  #inFlight: readonly QueuedWrite[] = [];
  /** No write before this place may be spared. */
  #sparableFrom = 0;
  #running: Promise<void> | undefined;
  #closing = false;
  /** Requests in a row of which nothing was written. */
  #attempt = 0;
  #pausedFor: 'company' | 'back-off' | 'troubled-calls' | undefined;
  #wake: () => void = () => undefined;

  constructor(options: WriteLaneOptions) {
    this.#options = options;
    this.#troubled = new TroubledCalls(options.backOffMs);
  }

  get size(): number {
    return this.#waiting.length + this.#inFlight.length;
  }

  /** The oldest write that is not under way. */
  get oldest(): QueuedWrite | undefined {
    return this.#waiting[0];
  }

  /** The oldest write that is not under way and that can be had again. */
  get oldestSparable(): QueuedWrite | undefined {
    for (; this.#sparableFrom < this.#waiting.length; this.#sparableFrom += 1) {
      const queued = this.#waiting[this.#sparableFrom];
      if (queued !== undefined && isSparable(queued.write)) return queued;
    }
    return undefined;
  }

  add(write: QueuedWrite): void {
    this.#waiting.push(write);
    const isFull = this.#pausedFor === 'company' && this.#waiting.length >= BATCH_ITEMS;
    if (isFull || this.#pausedFor === 'troubled-calls') this.#wake();
    this.#running ??= this.#run();
  }

  /** Takes a write that is not under way out of the lane. */
  drop(queued: QueuedWrite): void {
    const index = this.#waiting.indexOf(queued);
    this.#waiting.splice(index, 1);
    if (index < this.#sparableFrom) this.#sparableFrom -= 1;
  }

  /** Stops waiting for company and cuts the current back-off short. @returns when everything is written. */
  async flush(): Promise<void> {
    this.#closing = true;
    this.#troubled.clear();
    this.#wake();
    await this.#running;
  }

  /** Gives up the request under way; what is not written stays counted in `size`. */
  stop(): void {
    this.#abort.abort();
    this.#wake();
  }

  async #run(): Promise<void> {
    // The first write of a burst must not be sent before its neighbours were added.
    await Promise.resolve();
    while (this.#waiting.length > 0 && !this.#isStopped()) {
      if (this.#mayLinger()) await this.#pause('company', this.#options.lingerMs);
      const batch = this.#take();
      if (batch.length === 0) {
        await this.#pause('troubled-calls', this.#troubled.shortestWaitMs());
        continue;
      }
      this.#inFlight = batch;
      const left = await this.#send(batch);
      this.#inFlight = [];
      this.#putBack(left);
      if (this.#attempt > 0 && !this.#isStopped()) {
        await this.#pause('back-off', this.#options.backOffMs(this.#attempt));
      }
    }
    this.#troubled.clear();
    // Here and not in a continuation: a write added in between would wait for ever.
    this.#running = undefined;
  }

  #isStopped(): boolean {
    return this.#abort.signal.aborted;
  }

  #mayLinger(): boolean {
    const [first] = this.#waiting;
    const company = first?.write.type === 'put' && this.#waiting.length < BATCH_ITEMS;
    return company && first.isAlone !== true && !this.#closing && this.#attempt === 0;
  }

  /** The next request's writes, if possible of other calls than those that failed just now: those may work. */
  #take(): QueuedWrite[] {
    const ofOthers = this.#choose(this.#troubled.failedLast);
    const taken = ofOthers.length > 0 ? ofOthers : this.#choose(new Set());
    this.#remove(taken);
    return taken;
  }

  /** One update, or puts of different items up to the limits. */
  #choose(avoided: ReadonlySet<string>): QueuedWrite[] {
    const taken: QueuedWrite[] = [];
    const keys = new Set<string>();
    /** What comes later of these calls must wait. */
    const passed = new Set<string>();
    let bytes = 0;
    let lookedAt = 0;
    for (const queued of this.#waiting) {
      const { callSid } = keyOf(queued.write);
      const key = keyText(keyOf(queued.write));
      if (taken.length > 0 && (lookedAt += 1) > MOST_LOOKED_AT) break;
      if (passed.has(callSid)) continue;
      const isAlone = queued.write.type === 'update' || queued.isAlone === true;
      const fits = taken.length === 0 || (!isAlone && !keys.has(key) && bytes + queued.bytes <= BATCH_BYTES);
      if (!fits || avoided.has(callSid) || this.#troubled.mustWait(callSid)) {
        passed.add(callSid);
        continue;
      }
      taken.push(queued);
      keys.add(key);
      bytes += queued.bytes;
      if (isAlone || taken.length === BATCH_ITEMS) break;
    }
    return taken;
  }

  #remove(taken: readonly QueuedWrite[]): void {
    this.#sparableFrom = 0;
    if (taken.every((write, at) => write === this.#waiting[at])) {
      this.#waiting.splice(0, taken.length);
      return;
    }
    const gone = new Set(taken);
    this.#waiting = this.#waiting.filter((write) => !gone.has(write));
  }

  #putBack(left: readonly QueuedWrite[]): void {
    if (left.length === 0) return;
    this.#sparableFrom = 0;
    this.#waiting.unshift(...left);
    const isInOrder = (this.#waiting[left.length]?.sequence ?? Infinity) > (left.at(-1)?.sequence ?? 0);
    if (!isInOrder) this.#waiting.sort((one, other) => one.sequence - other.sequence);
  }

  /** @returns the writes to try again. */
  async #send(batch: readonly QueuedWrite[]): Promise<readonly QueuedWrite[]> {
    const [first] = batch;
    if (first?.write.type === 'update') return this.#update(first, first.write.update);
    try {
      const left = await this.#putAll(batch);
      const written = batch.filter((write) => !left.includes(write));
      this.#afterSuccess(written);
      if (left.length > 0) this.#afterFailure(left, undefined);
      return left;
    } catch (error) {
      if (storeErrorKind(error) === 'retry') return this.#afterFailure(batch, error);
      if (batch.length > 1) return batch.map((write) => ({ ...write, isAlone: true }));
      this.#giveUp(batch, error);
      return [];
    }
  }

  async #putAll(batch: readonly QueuedWrite[]): Promise<readonly QueuedWrite[]> {
    const items: StoreItem[] = [];
    for (const { write } of batch) if (write.type === 'put') items.push(write.item);
    const left = new Set((await this.#options.writer.putAll(items, this.#abort.signal)).map(keyText));
    return batch.filter(({ write }) => left.has(keyText(keyOf(write))));
  }

  /** Tries the forms of the update one after the other; after a failure it goes on with the same one. */
  async #update(queued: QueuedWrite, update: ItemUpdate): Promise<readonly QueuedWrite[]> {
    let { next = update, isSecondRound = false } = queued;
    for (;;) {
      try {
        await this.#options.writer.update(next, this.#abort.signal);
        this.#afterSuccess([queued]);
        return [];
      } catch (error) {
        const kind = storeErrorKind(error);
        if (kind === 'retry') return this.#afterFailure([{ ...queued, next, isSecondRound }], error);
        const mayBeginAgain = update.otherwise !== undefined && !isSecondRound;
        if (kind === 'refused' && next.otherwise !== undefined) next = next.otherwise;
        else if (kind === 'refused' && mayBeginAgain) {
          // Somebody else's write came between the two conditions.
          [next, isSecondRound] = [update, true];
        } else {
          this.#giveUp([queued], error);
          return [];
        }
      }
    }
  }

  #afterSuccess(written: readonly QueuedWrite[]): void {
    if (written.length === 0) return;
    this.#attempt = 0;
    for (const { write } of written) this.#troubled.forget(keyOf(write).callSid);
    this.#options.onWritten(written);
  }

  #afterFailure(left: readonly QueuedWrite[], error: unknown): readonly QueuedWrite[] {
    this.#attempt += 1;
    if (!this.#closing)
      this.#troubled.note(new Set(left.map(({ write }) => keyOf(write).callSid)), this.#attempt);
    this.#options.onRetry(error);
    return left;
  }

  #giveUp(writes: readonly QueuedWrite[], error: unknown): void {
    this.#attempt = 0;
    for (const queued of writes) {
      this.#troubled.forget(keyOf(queued.write).callSid);
      this.#options.onGivenUp(queued, error);
    }
  }

  async #pause(why: 'company' | 'back-off' | 'troubled-calls', durationMs: number): Promise<void> {
    this.#pausedFor = why;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, durationMs);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#wake = () => undefined;
    this.#pausedFor = undefined;
  }
}

/** A line's words are in Gladia's final result, too. Nobody else knows how long a leg was, or what is missing of it. */
function isSparable(write: StoreWrite): boolean {
  return keyOf(write).itemKey.startsWith(SEGMENT_PREFIX);
}
