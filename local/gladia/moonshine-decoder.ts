import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { DecodedWord, DecodeRequest, WorkerMessage } from './moonshine-messages';

interface PendingDecode {
  readonly resolve: (words: readonly DecodedWord[] | null) => void;
  readonly reject: (error: Error) => void;
}

/** Owner of the worker thread that runs the model. Every track of every session shares it. */
export class MoonshineDecoder {
  readonly #worker: Worker;
  readonly #pending = new Map<number, PendingDecode>();
  #nextId = 0;
  #failure: Error | undefined;

  private constructor(worker: Worker) {
    this.#worker = worker;
    worker.on('message', (message: WorkerMessage) => this.#take(message));
    worker.on('error', (error) => this.#fail(error));
    worker.on('exit', () => this.#fail(new Error('the Moonshine worker has ended')));
  }

  /** Starts the worker; resolves when the model is loaded, rejects when it cannot be. `onProgress` gets 0 to 1. */
  static load(modelFolder: string, onProgress: (share: number) => void): Promise<MoonshineDecoder> {
    const worker = new Worker(join(__dirname, 'moonshine-worker.mjs'), { workerData: { modelFolder } });
    return new Promise((resolve, reject) => {
      const fail = (error: Error): void => {
        void worker.terminate();
        reject(
          new Error(`the Moonshine model in ${modelFolder} could not be loaded: ${error.message}`, {
            cause: error,
          }),
        );
      };
      const take = (message: WorkerMessage): void => {
        if (message.kind === 'progress') onProgress(message.share);
        if (message.kind !== 'ready') return;
        worker.off('message', take);
        worker.off('error', fail);
        resolve(new MoonshineDecoder(worker));
      };
      worker.on('message', take);
      worker.on('error', fail);
    });
  }

  /**
   * The words of a stretch of audio, or null for a partial that a newer one of its track has superseded.
   * Rejects when the model fails or the decoder is closed.
   */
  decode(request: Omit<DecodeRequest, 'id'>): Promise<readonly DecodedWord[] | null> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject });
      this.#worker.postMessage({ ...request, id });
    });
  }

  /** Ends the worker; what is pending is rejected. Idempotent. */
  async close(): Promise<void> {
    this.#fail(new Error('the Moonshine recogniser is closed'));
    await this.#worker.terminate();
  }

  #take(message: WorkerMessage): void {
    if (message.kind !== 'decoded' && message.kind !== 'broken') return;
    const pending = this.#pending.get(message.id);
    this.#pending.delete(message.id);
    if (message.kind === 'decoded') pending?.resolve(message.words);
    else pending?.reject(new Error(`the Moonshine model failed: ${message.message}`));
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    for (const pending of this.#pending.values()) pending.reject(this.#failure);
    this.#pending.clear();
  }
}
