import { createScriptedRecogniser, type Script } from '../../../local/gladia/scripted-recogniser';
import type { TrackOptions } from '../../../local/gladia/recogniser';
import { silence, tone } from './gladia-client';
import { recordTrack, type Recorded } from './recorder';

const SCRIPT: Script = {
  channels: [
    [
      { startMs: 100, endMs: 300, text: 'Hello there' },
      { startMs: 1000, endMs: 1100, text: 'Bye', language: 'fr', confidence: 0.5 },
    ],
  ],
};

function options(recorded: Recorded, more: Partial<TrackOptions> = {}): TrackOptions {
  const session = { customMetadata: {}, channels: 2 };
  return {
    session,
    channel: 0,
    endpointingMs: 100,
    maximumUtteranceMs: 15_000,
    language: undefined,
    listener: recorded.listener,
    ...more,
  };
}

async function hear(
  audio: Buffer,
  script: Script | undefined,
  { pieceBytes = 160, ...more }: Partial<TrackOptions> & { pieceBytes?: number } = {},
): Promise<Recorded> {
  const recorded = recordTrack();
  const track = createScriptedRecogniser(() => script).openTrack(options(recorded, more));
  for (let at = 0; at < audio.length; at += pieceBytes) track.push(audio.subarray(at, at + pieceBytes));
  await track.finish();
  return recorded;
}

test('a script is said as the audio passes its times', async () => {
  const recorded = recordTrack();
  const track = createScriptedRecogniser(() => SCRIPT).openTrack(options(recorded));
  const after = (ms: number): string[] => {
    track.push(silence(ms));
    return recorded.log.splice(0);
  };
  expect(after(99)).toEqual([]);
  expect(after(1)).toEqual(['start 100']);
  expect(after(100)).toEqual(['partial Hello']);
  expect(after(100)).toEqual(['partial Hello there']);
  expect(after(99)).toEqual([]);
  expect(after(1)).toEqual(['end 300', 'final Hello there']);
  await track.finish();
  expect(recorded.log).toEqual([]);
});

test('audio in one piece gives the same as in frames', async () => {
  const frames = await hear(silence(2000), SCRIPT);
  const whole = await hear(silence(2000), SCRIPT, { pieceBytes: 16_000 });
  expect(whole.log).toEqual(frames.log);
  expect(whole.finals).toMatchObject([
    { number: 0, startMs: 100, endMs: 300, language: 'en', confidence: 1 },
    { number: 1, startMs: 1000, endMs: 1100, language: 'fr', confidence: 0.5 },
  ]);
});

test('what was said of an open utterance is final when the audio ends', async () => {
  expect((await hear(silence(250), SCRIPT)).log).toEqual([
    'start 100',
    'partial Hello',
    'end 250',
    'final Hello',
  ]);
  expect((await hear(silence(150), SCRIPT)).log).toEqual(['start 100', 'end 150']);
});

test('a closed track says nothing more', async () => {
  const recorded = recordTrack();
  const track = createScriptedRecogniser(() => SCRIPT).openTrack(options(recorded));
  track.close();
  track.push(silence(2000));
  await track.finish();
  expect(recorded.log).toEqual([]);
});

test('a channel without a script makes text of its loudness, the same each time', async () => {
  const audio = Buffer.concat([silence(400), tone(1000), silence(600), tone(200), silence(600)]);
  const first = await hear(audio, SCRIPT, { channel: 1 });
  expect(first.log).toEqual([
    'start 400',
    'partial utterance 0 of channel 1',
    'partial utterance 0 of channel 1',
    'end 1400',
    'final utterance 0 of channel 1, 1000 ms',
    'start 2000',
    'end 2200',
    'final utterance 1 of channel 1, 200 ms',
  ]);
  expect((await hear(audio, undefined, { channel: 1, pieceBytes: 77 })).log).toEqual(first.log);
});

test('an empty script says nothing, however loud it is', async () => {
  expect((await hear(tone(1000), { channels: [[]] })).log).toEqual([]);
});
