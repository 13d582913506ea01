import { inspect } from 'node:util';

/**
 * What a key or token looks like: it goes into headers and signatures, where a line break or an umlaut that came along
 * when it was pasted fails every call, with an error that names neither.
 */
export const KEY_SHAPE = /^[\x21-\x7e]+$/;

/**
 * A value that must never be printed: a key, a token, a session URL.
 * Every way of turning it into text gives a placeholder; only `reveal()` gives the value.
 */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return '[secret]';
  }

  toJSON(): string {
    return '[secret]';
  }

  [inspect.custom](): string {
    return '[secret]';
  }
}
