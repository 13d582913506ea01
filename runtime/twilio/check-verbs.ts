const NAME = '[A-Za-z_][\\w.-]*';
const REFERENCE = '&(?:amp|lt|gt|quot|apos|#\\d{1,7}|#x[\\dA-Fa-f]{1,6});';
const TEXT = new RegExp(`(?:[^<&]|${REFERENCE})+`, 'y');
const COMMENT = /<!--(?:(?!--)[^])*-->/y;
const CDATA = /<!\[CDATA\[(?:(?!\]\]>)[^])*\]\]>/y;
const CLOSE = new RegExp(`</(${NAME})\\s*>`, 'y');
const OPEN = new RegExp(`<(${NAME})`, 'y');
const ATTRIBUTE = new RegExp(
  `\\s+(${NAME})\\s*=\\s*(?:"(?:[^<&"]|${REFERENCE})*"|'(?:[^<&']|${REFERENCE})*')`,
  'y',
);
const TAG_END = /\s*(\/?)>/y;

/** A refusal of the fragment, in words. */
class FragmentError extends Error {}

/**
 * Is this a list of TwiML verbs that can stand inside `<Response>`? Checks that it is well-formed, which is what makes
 * Twilio drop a call (12100), not that Twilio knows the verbs.
 *
 * @returns what is wrong, as a sentence that quotes nothing of the fragment but tag names; nothing when it is right
 */
export function checkVerbs(xml: string): string | undefined {
  try {
    new Fragment(xml).check();
    return undefined;
  } catch (error) {
    if (error instanceof FragmentError) return error.message;
    throw error;
  }
}

class Fragment {
  readonly #xml: string;
  readonly #open: string[] = [];
  #at = 0;
  #elements = 0;

  constructor(xml: string) {
    this.#xml = xml;
  }

  check(): void {
    while (this.#at < this.#xml.length) this.#token();
    const unclosed = this.#open.at(-1);
    if (unclosed !== undefined) throw new FragmentError(`<${unclosed}> is not closed`);
    if (this.#elements === 0) throw new FragmentError('it has no verb, such as <Dial>');
  }

  #token(): void {
    const text = this.#match(TEXT)?.[0];
    if (text !== undefined) {
      if (this.#open.length === 0 && text.trim() !== '')
        this.#fail('there is text outside of a verb, before');
      return;
    }
    if (this.#match(COMMENT) !== undefined) return;
    if (this.#open.length > 0 && this.#match(CDATA) !== undefined) return;
    const closed = this.#match(CLOSE)?.[1];
    if (closed !== undefined) return this.#close(closed);
    const opened = this.#match(OPEN)?.[1];
    if (opened !== undefined) return this.#openTag(opened);
    this.#fail('it is not well-formed XML at');
  }

  #openTag(name: string): void {
    if (name === 'Response') throw new FragmentError('<Response> is put around it; leave it out');
    this.#elements += 1;
    const attributes = new Set<string>();
    for (let found = this.#match(ATTRIBUTE); found !== undefined; found = this.#match(ATTRIBUTE)) {
      const attribute = found[1] ?? '';
      if (attributes.has(attribute))
        throw new FragmentError(`<${name}> has the attribute ${attribute} twice`);
      attributes.add(attribute);
    }
    const end = this.#match(TAG_END);
    if (end === undefined) this.#fail(`the tag <${name}> is not well-formed at`);
    else if (end[1] === '') this.#open.push(name);
  }

  #close(name: string): void {
    const expected = this.#open.pop();
    if (expected === undefined) throw new FragmentError(`</${name}> closes nothing`);
    if (expected !== name) throw new FragmentError(`</${name}> stands where </${expected}> should`);
  }

  /** Takes what the sticky `pattern` finds at this place. */
  #match(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#xml) ?? undefined;
    if (found !== undefined) this.#at = pattern.lastIndex;
    return found;
  }

  #fail(what: string): never {
    throw new FragmentError(`${what} character ${this.#at + 1}`);
  }
}
