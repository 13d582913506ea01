import { estimateWordTimes, meanConfidence } from '../../../local/gladia/word-times';
import type { SpeechSegment } from '../../../local/gladia/endpointer';

const frame = (voiced: boolean): SpeechSegment['frames'][number] => ({
  audio: Buffer.alloc(160),
  levelDb: -20,
  voiced,
});
const words = (text: string): { text: string; confidence: number }[] =>
  text.split(' ').map((each) => ({ text: each, confidence: 1 }));

function segment(...voiced: boolean[]): SpeechSegment {
  return {
    number: 0,
    startMs: 1000,
    endMs: 1000 + voiced.length * 20,
    audioStartMs: 1000,
    frames: voiced.map(frame),
  };
}

test('words share the voiced frames by their letters, and skip the silence', () => {
  const found = estimateWordTimes(
    words('ab cd'),
    segment(false, true, true, false, false, true, true, false),
  );
  expect(found.map(({ startMs, endMs }) => [startMs, endMs])).toEqual([
    [1020, 1060],
    [1100, 1140],
  ]);
});

test('a voiced frame in the pre-roll takes no word', () => {
  const found = estimateWordTimes(words('ab'), { ...segment(true, false, true, true), startMs: 1040 });
  expect(found).toMatchObject([{ startMs: 1040, endMs: 1080 }]);
});

test('a word of signs only still takes time, and times never go back', () => {
  const found = estimateWordTimes(words('a - b'), segment(true, true));
  for (const [index, word] of found.entries()) {
    expect(word.endMs).toBeGreaterThan(word.startMs);
    expect(word.startMs).toBeGreaterThanOrEqual(found[index - 1]?.endMs ?? 0);
  }
});

test('without a voiced frame the words are at the start', () => {
  expect(estimateWordTimes(words('a'), segment(false))).toMatchObject([{ startMs: 1000, endMs: 1000 }]);
});

test('the confidence of an utterance is the mean of its words', () => {
  expect(meanConfidence([{ confidence: 1 }, { confidence: 0.5 }])).toBe(0.75);
  expect(meanConfidence([])).toBe(0);
});
