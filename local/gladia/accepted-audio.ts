import { createHash, type Hash } from 'node:crypto';

/**
 * The audio that a session has accepted, as the client sent it. Kept whole, or only as length and SHA-256 where
 * many sessions would fill the memory.
 */
export class AcceptedAudio {
  readonly #chunks: Buffer[] | undefined;
  readonly #hash: Hash = createHash('sha256');
  #length = 0;

  constructor(keep: 'everything' | 'digest') {
    this.#chunks = keep === 'everything' ? [] : undefined;
  }

  append(chunk: Buffer): void {
    this.#chunks?.push(chunk);
    this.#hash.update(chunk);
    this.#length += chunk.length;
  }

  get length(): number {
    return this.#length;
  }

  /** SHA-256 of all bytes so far, in hex. */
  get sha256(): string {
    return this.#hash.copy().digest('hex');
  }

  /** All bytes, or undefined when only the digest is kept. */
  bytes(): Buffer | undefined {
    return this.#chunks && Buffer.concat(this.#chunks);
  }
}
