import type { RecognisedWord } from './recogniser';
import { FRAME_MS, type SpeechSegment } from './endpointer';

/**
 * Gives each word a place by spreading the words over the segment's voiced frames by letter count.
 * An ESTIMATE: the model gives no times. Against forced alignment the median error is 230 ms (local-speech.md, word list).
 */
export function estimateWordTimes(
  words: readonly { readonly text: string; readonly confidence: number }[],
  segment: SpeechSegment,
): RecognisedWord[] {
  const voicedMs = segment.frames
    .flatMap((frame, index) => (frame.voiced ? [segment.audioStartMs + index * FRAME_MS] : []))
    // A click in the pre-roll is not a word.
    .filter((frameMs) => frameMs >= segment.startMs);
  const letters = words.reduce((sum, word) => sum + letterCount(word.text), 0);
  const timeAt = (letter: number, side: 'start' | 'end'): number => {
    const position = (letter / letters) * voicedMs.length;
    const index = side === 'start' ? Math.floor(position) : Math.ceil(position) - 1;
    const frameStartMs = voicedMs[Math.min(Math.max(index, 0), voicedMs.length - 1)];
    return frameStartMs === undefined
      ? segment.startMs
      : Math.round(frameStartMs + (position - index) * FRAME_MS);
  };
  let before = 0;
  return words.map(({ text, confidence }) => {
    const startMs = timeAt(before, 'start');
    before += letterCount(text);
    return { text, confidence, startMs, endMs: Math.max(startMs, timeAt(before, 'end')) };
  });
}

/** Mean confidence, 0 for no words. */
export function meanConfidence(words: readonly { readonly confidence: number }[]): number {
  if (words.length === 0) return 0;
  return words.reduce((sum, word) => sum + word.confidence, 0) / words.length;
}

/** A word of signs only still takes time. */
function letterCount(text: string): number {
  return Math.max(1, text.replace(/[^\p{L}\p{N}]/gu, '').length);
}
