import { setImmediate as nextTurn } from 'node:timers/promises';
import { findMoonshineFolder } from '../../../local/gladia/moonshine-files';
import { loadMoonshine } from '../../../local/gladia/moonshine-recogniser';
import type { Recogniser, RecogniserTrack, RecognisedUtterance } from '../../../local/gladia/recogniser';
import { loadSampleCall } from '../../../local/sample-call/sample-call';
import { silence } from './gladia-client';
import { recordTrack, type Recorded } from './recorder';
import { wordErrorRate } from '../../support/word-errors';

const TRACKS = ['inbound', 'outbound'] as const;
/** The recogniser makes some 5 % here; the issue asks for less than 15 %. */
const MOST_WORD_ERRORS = 0.15;

let recogniser: Recogniser;
const progress: number[] = [];
beforeAll(async () => {
  recogniser = await loadMoonshine({ onProgress: (share) => progress.push(share) });
}, 60_000);
afterAll(() => recogniser.close());

function listen(from = recogniser): Recorded & { track: RecogniserTrack } {
  const recorded = recordTrack();
  const session = { customMetadata: {}, channels: 2 };
  const limits = { endpointingMs: 300, maximumUtteranceMs: 15_000 };
  const track = from.openTrack({
    session,
    channel: 0,
    ...limits,
    language: 'en',
    listener: recorded.listener,
  });
  return { ...recorded, track };
}

const CALL = loadSampleCall();
/** The agent's first sentence. */
const ONE_TURN = CALL.outbound.subarray(0, 40_000);

test('both sides of the sample call are recognised, at once and by one worker', async () => {
  const heard = { inbound: listen(), outbound: listen() };
  for (let at = 0; at < CALL.inbound.length; at += 160) {
    for (const track of TRACKS) heard[track].track.push(CALL[track].subarray(at, at + 160));
  }
  await Promise.all(TRACKS.map((track) => heard[track].track.finish()));
  for (const track of TRACKS) {
    const said = CALL.turns.filter((turn) => turn.track === track).map(({ text }) => text);
    const found = heard[track].finals.map(({ text }) => text);
    expect(wordErrorRate(said.join(' '), found.join(' '))).toBeLessThan(MOST_WORD_ERRORS);
  }
}, 120_000);

test('an utterance has words in order inside of its time, with confidences', async () => {
  const { track, finals, log } = listen();
  track.push(ONE_TURN);
  await track.finish();
  expect(finals).toHaveLength(1);
  const [{ startMs, endMs, text, words, confidence, language }] = finals as [RecognisedUtterance];
  expect(log).toEqual([`start ${startMs}`, `end ${endMs}`, `final ${text}`]);
  expect(words.map((word) => word.text).join(' ')).toBe(text);
  expect(words.length).toBeGreaterThan(5);
  expect(words[0]!.startMs).toBeGreaterThanOrEqual(startMs);
  expect(words.at(-1)!.endMs).toBeLessThanOrEqual(endMs);
  for (const word of words) expect(word.confidence > 0 && word.confidence <= 1).toBe(true);
  expect(confidence).toBeGreaterThan(0.5);
  expect(language).toBe('en');
}, 60_000);

test('partials come while speech goes on, with the number of its final', async () => {
  const { track, partials, finals } = listen();
  track.push(ONE_TURN.subarray(0, 16_000));
  while (partials.length === 0) await nextTurn();
  track.push(ONE_TURN.subarray(16_000));
  await track.finish();
  expect(new Set(partials.map(({ number }) => number))).toEqual(new Set([finals[0]!.number]));
  expect(finals[0]!.text.length).toBeGreaterThan(partials[0]!.text.length);
}, 60_000);

test('silence is no text', async () => {
  const { track, finals, partials } = listen();
  track.push(silence(5000));
  await track.finish();
  expect([...finals, ...partials]).toEqual([]);
});

test('the progress of loading ends at 1, and the recogniser says what it is', () => {
  expect(progress.at(-1)).toBe(1);
  expect(recogniser.name).toContain('Moonshine');
  expect(recogniser.languages).toEqual(['en']);
});

test('missing model files are named with what to install', () => {
  expect(() => findMoonshineFolder([__dirname])).toThrow(
    /encoder_model\.onnx.*Install @moonshine-ai\/moonshine-js/,
  );
});

test('a folder without a model fails with its name', async () => {
  await expect(loadMoonshine({ modelFolder: __dirname })).rejects.toThrow(
    `model in ${__dirname} could not be loaded`,
  );
});

test('after closing, an open track is told that it failed', async () => {
  const own = await loadMoonshine();
  const { track, errors, finals } = listen(own);
  await own.close();
  track.push(ONE_TURN);
  await track.finish();
  expect(errors[0]!.message).toBe('the Moonshine recogniser is closed');
  expect(finals).toEqual([]);
}, 60_000);
