import type { RecognisedUtterance } from './recogniser';

export interface Sentiment {
  readonly sentiment: string;
  readonly emotion: string;
}

const POSITIVE = new Set(
  'good great excellent wonderful perfect happy glad pleased love like nice thanks thank welcome brilliant fantastic amazing helpful'.split(
    ' ',
  ),
);
const NEGATIVE = new Set(
  'bad terrible awful horrible angry upset sad disappointed hate wrong broken problem poor annoyed useless worst unfortunately sorry complaint'.split(
    ' ',
  ),
);

/**
 * A small word list, not a model: it knows no negation and no irony. The emotion is always `neutral`, because words
 * alone do not tell it. A scripted sentiment is given as it is.
 */
export function judgeSentiment(utterance: RecognisedUtterance): Sentiment {
  const scripted = utterance.addOns?.sentiment;
  if (scripted !== undefined) return scripted;
  const words = utterance.text.toLowerCase().match(/\p{L}+/gu) ?? [];
  const positive = words.some((word) => POSITIVE.has(word));
  const negative = words.some((word) => NEGATIVE.has(word));
  if (positive && negative) return { sentiment: 'mixed', emotion: 'neutral' };
  if (positive || negative) return { sentiment: positive ? 'positive' : 'negative', emotion: 'neutral' };
  return { sentiment: 'neutral', emotion: 'neutral' };
}
