import type { RecognisedUtterance } from './recogniser';
import { toSeconds } from './live-messages';

export interface NamedEntity {
  readonly entity_type: string;
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

const MONTHS = 'January|February|March|April|May|June|July|August|September|October|November|December';
const WEEKDAYS = 'Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday';

/** Only what a pattern can tell. Names of people and places need a model, and this server has none. */
const PATTERNS: readonly (readonly [string, RegExp])[] = [
  ['EMAIL_ADDRESS', /[\w.+-]+@[\w-]+(?:\.[\w-]+)+/gu],
  ['PHONE_NUMBER', /\+?\d(?:[ -]?\d){6,14}/gu],
  ['MONEY', /[$€£]\s?\d+(?:[.,]\d+)*|\b\d+(?:[.,]\d+)* (?:dollars?|euros?|pounds?|cents?)\b/giu],
  [
    'DATE',
    new RegExp(
      `\\b(?:\\d{1,2}(?:st|nd|rd|th)?(?: of)? (?:${MONTHS})|(?:${MONTHS}) \\d{1,2}(?:st|nd|rd|th)?)(?:,? \\d{4})?\\b|\\b(?:${WEEKDAYS})\\b`,
      'gu',
    ),
  ],
  ['TIME', /\b\d{1,2}:\d{2}(?: ?[ap]\.?m\b)?|\b\d{1,2} (?:o'clock|[ap]\.?m\b)/giu],
];

/** The entities of an utterance with the times of their words; those of its script, if it has any. */
export function findNamedEntities(utterance: RecognisedUtterance): NamedEntity[] {
  const scripted = utterance.addOns?.entities;
  const found =
    scripted?.map(({ type, text }) => ({ type, text, index: utterance.text.indexOf(text) })) ??
    findByPattern(utterance.text);
  return found.map(({ type, text, index }) => ({
    entity_type: type,
    text,
    ...timesOf(utterance, index, text.length),
  }));
}

function findByPattern(text: string): { type: string; text: string; index: number }[] {
  const found = PATTERNS.flatMap(([type, pattern]) =>
    [...text.matchAll(pattern)].map((match) => ({ type, text: match[0], index: match.index })),
  );
  return found.sort((a, b) => a.index - b.index);
}

/** Times of the words that the stretch of text touches. */
function timesOf(
  utterance: RecognisedUtterance,
  index: number,
  length: number,
): { start: number; end: number } {
  let wordStart = 0;
  const touched = utterance.words.filter((word) => {
    const wordEnd = wordStart + word.text.length;
    const touches = wordStart < index + length && wordEnd > index;
    wordStart = wordEnd + 1;
    return touches;
  });
  return {
    start: toSeconds(touched[0]?.startMs ?? utterance.startMs),
    end: toSeconds(touched.at(-1)?.endMs ?? utterance.endMs),
  };
}
