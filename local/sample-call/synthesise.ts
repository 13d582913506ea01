/** `npm run sample-call`: speaks script.json and writes the audio and timings.json next to it. */
import { readFileSync, writeFileSync } from 'node:fs';
import { BYTES_PER_MS, SILENCE_BYTE, type Track } from '../../runtime/model/audio';
import { SAMPLE_CALL_FILES, type SampleTurn, type ScriptTurn } from './sample-call';
import { speak } from './voice';

/** The two voices that the local recogniser hears best; another voice can double its errors. */
const VOICES: Readonly<Record<Track, string>> = { inbound: 'awb', outbound: 'rms' };
/** Quiet after the last word, so that its end is heard as one. */
const TAIL_MS = 800;
const FRAME_BYTES = 160;

interface PlacedTurn extends SampleTurn {
  readonly audio: Buffer;
}

function synthesise(): void {
  const script = JSON.parse(readFileSync(SAMPLE_CALL_FILES.script, 'utf8')) as ScriptTurn[];
  const turns = placeTurns(script);
  const durationMs = (turns.at(-1)?.endMs ?? 0) + TAIL_MS;
  for (const track of ['inbound', 'outbound'] as const) {
    writeFileSync(SAMPLE_CALL_FILES[track], mixTrack(turns, track, durationMs));
  }
  const timings = turns.map(({ track, startMs, endMs, text }) => ({ track, startMs, endMs, text }));
  writeFileSync(SAMPLE_CALL_FILES.timings, `${JSON.stringify(timings, null, 2)}\n`);
  console.log(`${turns.length} turns, ${(durationMs / 1000).toFixed(1)} s, written to local/sample-call/`);
}

/** One after another, each after its pause; times are whole milliseconds. */
function placeTurns(script: readonly ScriptTurn[]): PlacedTurn[] {
  let atMs = 0;
  return script.map(({ track, pauseMs, text }) => {
    const audio = speak(text, { name: VOICES[track] });
    const startMs = atMs + pauseMs;
    const endMs = startMs + Math.ceil(audio.length / BYTES_PER_MS);
    atMs = endMs;
    return { track, startMs, endMs, text, audio };
  });
}

/** One side of the call in whole 20 ms frames, silent where the other one speaks. */
function mixTrack(turns: readonly PlacedTurn[], track: Track, durationMs: number): Buffer {
  const frames = Math.ceil((durationMs * BYTES_PER_MS) / FRAME_BYTES);
  const mixed = Buffer.alloc(frames * FRAME_BYTES, SILENCE_BYTE);
  for (const turn of turns) {
    if (turn.track === track) turn.audio.copy(mixed, turn.startMs * BYTES_PER_MS);
  }
  return mixed;
}

try {
  synthesise();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
