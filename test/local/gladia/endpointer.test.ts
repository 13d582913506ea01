import { Endpointer, levelOf, type EndpointerOptions } from '../../../local/gladia/endpointer';
import { linearToMuLaw } from '../../../local/audio/mu-law';
import { silence, tone } from './gladia-client';

interface Heard {
  readonly startMs: number;
  readonly endMs: number;
  readonly audioMs: number;
}

function endpoints(
  audio: Buffer,
  options: Partial<EndpointerOptions> = {},
  pieceBytes = 160,
): { starts: number; segments: Heard[] } {
  const segments: Heard[] = [];
  let starts = 0;
  const endpointer = new Endpointer(
    { endpointingMs: 300, maximumUtteranceMs: 15_000, ...options },
    {
      speechStart: () => (starts += 1),
      speechContinues: () => {},
      speechEnd: ({ startMs, endMs, frames }) =>
        segments.push({ startMs, endMs, audioMs: frames.length * 20 }),
    },
  );
  for (let at = 0; at < audio.length; at += pieceBytes) endpointer.push(audio.subarray(at, at + pieceBytes));
  endpointer.finish();
  return { starts, segments };
}

/** Deterministic noise at a level in dBFS. */
function noise(ms: number, levelDb: number): Buffer {
  const amplitude = 32_768 * 10 ** (levelDb / 20) * Math.sqrt(3);
  let seed = 1;
  return Buffer.from(
    Array.from({ length: ms * 8 }, () => {
      seed = (seed * 48_271) % 2_147_483_647;
      return linearToMuLaw(((seed / 2_147_483_647) * 2 - 1) * amplitude);
    }),
  );
}

test('two stretches of speech with a long pause are two utterances with their times', () => {
  const audio = Buffer.concat([silence(400), tone(600), silence(500), tone(200), silence(400)]);
  expect(endpoints(audio).segments).toMatchObject([
    { startMs: 400, endMs: 1000 },
    { startMs: 1500, endMs: 1700 },
  ]);
});

test.each([
  [200, 2],
  [300, 1],
])('with endpointing at %i ms a pause of 260 ms gives %i utterances', (endpointingMs, count) => {
  const audio = Buffer.concat([tone(400), silence(260), tone(400), silence(400)]);
  expect(endpoints(audio, { endpointingMs }).segments).toHaveLength(count);
});

test('frames cut anywhere give the same utterances', () => {
  const audio = Buffer.concat([silence(400), tone(600), silence(500), tone(200), silence(400)]);
  const whole = endpoints(audio, {}, audio.length);
  for (const pieceBytes of [1, 37, 160, 800]) expect(endpoints(audio, {}, pieceBytes)).toEqual(whole);
});

test('a click is not speech', () => {
  expect(endpoints(Buffer.concat([silence(400), tone(40), silence(400)])).starts).toBe(0);
});

test('speech begins with the audio from before it', () => {
  const { segments } = endpoints(Buffer.concat([silence(1000), tone(400), silence(1000)]), {
    prerollMs: 200,
  });
  // 200 ms before the fourth voiced frame, which is when speech is noticed; 300 ms of silence at the end.
  expect(segments[0]).toEqual({ startMs: 1000, endMs: 1400, audioMs: 120 + 400 + 300 });
});

test('speech that does not end is cut at its quietest place, and goes on as the next utterance', () => {
  const audio = Buffer.concat([tone(4100), silence(100), tone(3800), silence(400)]);
  const { starts, segments } = endpoints(audio, { maximumUtteranceMs: 5000 });
  expect(starts).toBe(2);
  expect(segments[0]).toMatchObject({ startMs: 0, endMs: 4100 });
  expect(segments[1]!.endMs).toBe(8000);
  expect(segments[0]!.audioMs + segments[1]!.audioMs).toBe(8000 + 300);
});

test('speech that is open when the audio ends is given', () => {
  expect(endpoints(tone(500)).segments).toMatchObject([{ startMs: 0, endMs: 500 }]);
});

test('digital silence gives nothing, however long', () => {
  expect(endpoints(silence(60_000)).starts).toBe(0);
});

test('steady noise becomes the floor, and speech above it is still found', () => {
  const audio = Buffer.concat([noise(20_000, -45), tone(600), noise(1000, -45)]);
  expect(endpoints(audio).segments.at(-1)).toMatchObject({ startMs: 20_000, endMs: 20_600 });
});

test('levels are dB below full scale', () => {
  expect(levelOf(silence(20))).toBeCloseTo(-100, 0);
  expect(levelOf(tone(20))).toBeCloseTo(20 * Math.log10(8000 / 32_768 / Math.SQRT2), 0);
});
