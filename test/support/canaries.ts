import { randomBytes, randomInt } from 'node:crypto';

/** Letters only, so that no number in a log line is one by chance. */
function uniqueWord(): string {
  return [...randomBytes(12)].map((byte) => String.fromCharCode(0x61 + (byte % 26))).join('');
}

/**
 * Values that nobody else has, each planted at one place. What comes out again says from where it came, also when it was
 * written in another way on its way, or only in part.
 */
export class Canaries {
  /** By the place where it was planted: what to look for. */
  readonly #cores = new Map<string, string>();

  /** A secret of printable characters. */
  secret(place: string): string {
    return this.known(place, `canary-${uniqueWord()}`);
  }

  /** A sentence with one word that is in no other; that word is looked for. */
  sentence(place: string): string {
    const word = uniqueWord();
    this.known(place, word);
    return `My ${word} has four numbers.`;
  }

  /** A phone number in E.164. Looked for without its last two digits, which may be told. */
  number(place: string): string {
    const number = `+1500${randomInt(1_000_000, 10_000_000)}`;
    this.known(place, number.slice(1, -2));
    return number;
  }

  /** One without its plus sign, as what takes letters and digits would take it. */
  plainNumber(place: string): string {
    return this.number(`${place}, digits only`).slice(1);
  }

  /** Digits of a card. */
  digits(place: string): string {
    return this.known(place, `4000${randomInt(100_000_000_000, 281_000_000_000)}`);
  }

  /** Something that somebody else made. */
  known(place: string, value: string): string {
    this.#cores.set(place, value);
    return value;
  }

  /** Places whose canary is in this text. */
  foundIn(text: string): readonly string[] {
    const places = [...this.#cores].filter(([, core]) => formsOf(core).some((form) => text.includes(form)));
    return places.map(([place]) => place);
  }
}

/** As it is, and as it looks in a URL, in hexadecimal, and in base64 wherever it begins in what was encoded. */
function formsOf(core: string): readonly string[] {
  const bytes = Buffer.from(core);
  const base64 = [0, 1, 2].map((before) => {
    const encoded = Buffer.concat([Buffer.alloc(before), bytes]).toString('base64');
    // The ends depend on what is before and after.
    return encoded.slice(before === 0 ? 0 : 4, -4);
  });
  return [core, encodeURIComponent(core), bytes.toString('hex'), ...base64];
}
