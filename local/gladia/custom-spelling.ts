import type { RecognisedUtterance, RecognisedWord } from './recogniser';

/** Written form by its spoken variants. */
export type SpellingDictionary = Readonly<Record<string, readonly string[]>>;

interface Spelling {
  readonly written: string;
  readonly spoken: readonly string[];
}

/**
 * Replaces spoken variants, compared by whole words without case and punctuation, by the written form. A replaced
 * stretch becomes one word with its time and its lowest confidence; punctuation after it stays.
 */
export function applyCustomSpelling(
  utterance: RecognisedUtterance,
  dictionary: SpellingDictionary,
): RecognisedUtterance {
  const spellings = toSpellings(dictionary);
  const words: RecognisedWord[] = [];
  for (let at = 0; at < utterance.words.length;) {
    const match = spellings.find((spelling) => matches(utterance.words, at, spelling.spoken));
    const taken = utterance.words.slice(at, at + (match?.spoken.length ?? 1));
    words.push(...(match === undefined ? taken : [respell(taken, match.written)]));
    at += taken.length;
  }
  return { ...utterance, words, text: words.map((word) => word.text).join(' ') };
}

/** The longest first, so that "data science" wins over "data". */
function toSpellings(dictionary: SpellingDictionary): Spelling[] {
  return Object.entries(dictionary)
    .flatMap(([written, variants]) =>
      variants.map((variant) => ({ written, spoken: variant.split(/\s+/).map(normalise) })),
    )
    .filter(({ spoken }) => spoken.every((word) => word !== ''))
    .sort((a, b) => b.spoken.length - a.spoken.length);
}

function matches(words: readonly RecognisedWord[], at: number, spoken: readonly string[]): boolean {
  return spoken.every((word, index) => normalise(words[at + index]?.text ?? '') === word);
}

function respell(taken: readonly RecognisedWord[], written: string): RecognisedWord {
  const last = taken.at(-1);
  const punctuation = /[^\p{L}\p{N}]*$/u.exec(last?.text ?? '')?.[0] ?? '';
  return {
    text: written + punctuation,
    startMs: taken[0]?.startMs ?? 0,
    endMs: last?.endMs ?? 0,
    confidence: Math.min(...taken.map((word) => word.confidence)),
  };
}

function normalise(word: string): string {
  return word.toLowerCase().replace(/^[^\p{L}\p{N}]+|[^\p{L}\p{N}]+$/gu, '');
}
