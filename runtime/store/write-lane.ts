import { storeErrorKind } from './store-error';
import { keyOf, type StoreItem, type StoreWrite } from './store-write';
import { BATCH_BYTES, BATCH_ITEMS, keyText, type TableWriter } from './table-writer';

export interface QueuedWrite {
  readonly write: StoreWrite;
  readonly bytes: number;
  /** Place in the order of the whole queue. */
  readonly sequence: number;
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

/**
 * Writes in the order they came, one request at a time: what comes later is never stored before what came first.
 * Neighbouring puts share a request. A failing request is tried again for ever; a wrong item is given up alone.
 */
export class WriteLane {
  readonly #options: WriteLaneOptions;
  readonly #abort = new AbortController();
  #waiting: QueuedWrite[] = [];
  #inFlight: readonly QueuedWrite[] = [];
  #running: Promise<void> | undefined;
  #closing = false;
  #attempt = 0;
  /** Writes that go alone, because one of a batch was refused as wrong. */
  #alone = 0;
  #wake: () => void = () => undefined;

  constructor(options: WriteLaneOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#waiting.length + this.#inFlight.length;
  }

  /** Place of the oldest write that is not under way. */
  get oldestSequence(): number | undefined {
    return this.#waiting[0]?.sequence;
  }

  add(write: QueuedWrite): void {
    this.#waiting.push(write);
    if (this.#waiting.length === BATCH_ITEMS && this.#attempt === 0) this.#wake();
    this.#running ??= this.#run();
  }

  /** Takes the oldest write that is not under way out of the lane. */
  dropOldest(): QueuedWrite | undefined {
    return this.#waiting.shift();
  }

  /** Stops waiting for company and cuts the current back-off short. @returns when everything is written. */
  async flush(): Promise<void> {
    this.#closing = true;
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
      if (this.#mayLinger()) await this.#pause(this.#options.lingerMs);
      const batch = this.#take();
      this.#inFlight = batch;
      const left = await this.#send(batch);
      this.#inFlight = [];
      if (left.length > 0) this.#waiting = [...left, ...this.#waiting];
      if (this.#attempt > 0 && !this.#isStopped()) {
        await this.#pause(this.#options.backOffMs(this.#attempt));
      }
    }
    // Here and not in a continuation: a write added in between would wait for ever.
    this.#running = undefined;
  }

  #isStopped(): boolean {
    return this.#abort.signal.aborted;
  }

  #mayLinger(): boolean {
    const company = this.#waiting[0]?.write.type === 'put' && this.#waiting.length < BATCH_ITEMS;
    return company && !this.#closing && this.#attempt === 0 && this.#alone === 0;
  }

  /** The next request's writes: one update, or puts of different items up to the limits. */
  #take(): QueuedWrite[] {
    const limit = this.#alone > 0 ? 1 : BATCH_ITEMS;
    this.#alone = Math.max(0, this.#alone - 1);
    const keys = new Set<string>();
    let bytes = 0;
    let count = 0;
    for (const { write, bytes: size } of this.#waiting) {
      if (write.type === 'update' && count > 0) break;
      const key = keyText(keyOf(write));
      bytes += size;
      if (count === limit || keys.has(key) || (count > 0 && bytes > BATCH_BYTES)) break;
      keys.add(key);
      count += 1;
      if (write.type === 'update') break;
    }
    return this.#waiting.splice(0, count);
  }

  /** @returns the writes to try again. */
  async #send(batch: readonly QueuedWrite[]): Promise<readonly QueuedWrite[]> {
    try {
      const left = await this.#request(batch);
      const written = batch.filter((write) => !left.includes(write));
      if (written.length > 0) this.#options.onWritten(written);
      this.#attempt = left.length === 0 ? 0 : written.length > 0 ? 1 : this.#attempt + 1;
      if (left.length > 0) this.#options.onRetry(undefined);
      return left;
    } catch (error) {
      return this.#afterFailure(batch, error);
    }
  }

  async #request(batch: readonly QueuedWrite[]): Promise<readonly QueuedWrite[]> {
    const { writer } = this.#options;
    const [first] = batch;
    if (first?.write.type === 'update') {
      await writer.update(first.write.update, this.#abort.signal);
      return [];
    }
    const items: StoreItem[] = [];
    for (const { write } of batch) if (write.type === 'put') items.push(write.item);
    const left = new Set((await writer.putAll(items, this.#abort.signal)).map(keyText));
    return batch.filter(({ write }) => left.has(keyText(keyOf(write))));
  }

  #afterFailure(batch: readonly QueuedWrite[], error: unknown): readonly QueuedWrite[] {
    if (storeErrorKind(error) === 'retry') {
      this.#attempt += 1;
      this.#options.onRetry(error);
      return batch;
    }
    this.#attempt = 0;
    const [first] = batch;
    if (batch.length > 1) {
      this.#alone = batch.length;
      return batch;
    }
    if (first !== undefined) this.#options.onGivenUp(first, error);
    return [];
  }

  async #pause(durationMs: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, durationMs);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#wake = () => undefined;
  }
}
