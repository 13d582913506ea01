import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SpeechDetector } from '../../../runtime/speech/speech-detector';
import { spokenAudio } from '../../support/audio';
import { NOT_SPEECH, sound } from '../../support/sounds';

const sample = (track: string): Buffer =>
  readFileSync(join(__dirname, '../../../local/sample-call', `${track}.ulaw`));

function interleaved(first: Buffer, second: Buffer): Buffer {
  return Buffer.from([...first].flatMap((byte, i) => [byte, second[i] ?? 0xff]));
}

/** As it comes: a frame at a time. */
function detect(audio: Buffer, channels = 1): SpeechDetector {
  const detector = new SpeechDetector(channels);
  for (let i = 0; i < audio.length; i += 160 * channels) detector.push(audio.subarray(i, i + 160 * channels));
  return detector;
}

test.each(['inbound', 'outbound'])('hears the speech on the %s track of the sample call', (track) => {
  const audio = sample(track);
  // Each side speaks about half of the time.
  expect(detect(audio).speechMs).toBeGreaterThan((audio.length / 8) * 0.4);
});

/** Frames may begin anywhere in a period. */
const OFFSETS = [0, 37, 53, 97, 150];

test.each(Object.entries(NOT_SPEECH))('does not take %s for speech', (_, waveform) => {
  const audio = sound(13, waveform);
  for (const offset of OFFSETS) expect(detect(audio.subarray(offset)).speechMs).toBe(0);
});

test('hears speech on either channel, and knows nothing of the sizes in which audio comes', () => {
  const speech = sample('inbound').subarray(0, 20 * 8_000);
  const silence = Buffer.alloc(speech.length, 0xff);
  const alone = detect(speech).speechMs;
  expect(alone).toBeGreaterThan(0);
  expect(detect(interleaved(speech, silence), 2).speechMs).toBe(alone);
  expect(detect(interleaved(silence, speech), 2).speechMs).toBe(alone);
  const atOnce = new SpeechDetector(1);
  atOnce.push(speech);
  expect(atOnce.speechMs).toBe(alone);
});

test('forgets what it heard when told to', () => {
  const detector = detect(
    spokenAudio(
      10_000,
      [
        { startMs: 300, endMs: 800 },
        { startMs: 1_100, endMs: 1_600 },
      ],
      5,
    ),
  );
  expect(detector.speechMs).toBe(2_000);
  detector.reset();
  expect(detector.speechMs).toBe(0);
});

test('knows for how long every channel has been quiet', () => {
  const speech = [{ startMs: 0, endMs: 2_000 }];
  const one = spokenAudio(3_000, speech, 6);
  const detector = detect(one);
  expect(detector.quietMs).toBe(1_000);
  detector.reset();
  expect(detector.quietMs).toBe(0);
  expect(detect(interleaved(one, spokenAudio(3_000, [{ startMs: 0, endMs: 2_600 }], 7)), 2).quietMs).toBe(
    400,
  );
  expect(detect(interleaved(one, spokenAudio(3_000, [{ startMs: 2_500, endMs: 3_000 }], 8)), 2).quietMs).toBe(
    0,
  );
});
