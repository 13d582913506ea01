import { LegFinals, type PlacedUtterance } from '../../../runtime/speech/leg-finals';

/** Words at a time of the leg, in a session that began `baseMs` into it. */
function said(
  startMs: number,
  endMs: number,
  { channel = 0, sessionNumber = 1, baseMs = 0 } = {},
): PlacedUtterance {
  const utterance = {
    channel,
    text: '',
    language: '',
    confidence: 1,
    startMs: startMs - baseMs,
    endMs: endMs - baseMs,
    words: [],
  };
  return { session: { number: sessionNumber }, utterance, startMs, endMs };
}

test('finds the final that covers most of an utterance, on its channel only', () => {
  const finals = new LegFinals();
  finals.add(said(1_000, 2_000));
  expect(finals.has(said(1_100, 2_100))).toBe(true);
  expect(finals.has(said(1_100, 2_100, { channel: 1 }))).toBe(false);
  expect(finals.has(said(1_800, 3_000))).toBe(false);
});

test('finds what an earlier session said at the same time of the leg', () => {
  const finals = new LegFinals();
  finals.add(said(10_000, 19_000));
  expect(finals.has(said(10_100, 18_900, { sessionNumber: 2, baseMs: 5_000 }))).toBe(true);
});

test('does not take the same time of another session for the same words', () => {
  const finals = new LegFinals();
  finals.add(said(1_000, 2_000));
  expect(finals.has(said(31_000, 32_000, { sessionNumber: 2, baseMs: 30_000 }))).toBe(false);
});
