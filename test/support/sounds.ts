import { encodeMuLaw } from '../../local/audio/mu-law';
import { randomNumbers } from './audio';

/** A sound by its samples: 16-bit values over seconds. */
type Waveform = (seconds: number) => number;

/** @returns mu-law of one track */
export function sound(seconds: number, waveform: Waveform): Buffer {
  return encodeMuLaw(Float64Array.from({ length: seconds * 8000 }, (_, i) => waveform(i / 8000)));
}

const sine = (hertz: number, seconds: number): number => Math.sin(2 * Math.PI * hertz * seconds);
const note = (halfTones: number): number => 440 * 2 ** (halfTones / 12);
const MELODY = [0, 4, 7, 12, 7, 4, 5, 9, 12, 9, 5, 2, -1, 2, 7, 11];
const CHORDS = [0, -3, 5, 7];
const melodyAt = (beat: number): number => note(MELODY[Math.floor(beat) % MELODY.length] ?? 0);
const noise = randomNumbers(7);

function plucked(beat: number, seconds: number, beatsPerSecond: number): number {
  const sinceMs = ((beat % 1) / beatsPerSecond) * 1000;
  const overtones = [1, 2, 3, 4, 5, 6];
  const tone = overtones.reduce((sum, n) => sum + sine(melodyAt(beat) * n, seconds) / n ** 1.2, 0);
  return 6000 * Math.min(1, sinceMs / 10) * Math.exp(-sinceMs / 130) * tone;
}

function chord(seconds: number): number {
  const root = CHORDS[Math.floor(seconds / 2) % CHORDS.length] ?? 0;
  return [0, 4, 7].reduce((sum, third) => sum + sine(note(root + third), seconds), 0);
}

/** What a call hears that is not speech, as waveforms. */
export const NOT_SPEECH: Readonly<Record<string, Waveform>> = {
  silence: () => 0,
  'comfort noise': () => (noise() - 0.5) * 60,
  'a noisy line': () => (noise() - 0.5) * 4_000,
  'a tone': (s) => 8_000 * sine(440, s),
  'ring back': (s) => (s % 6 < 2 ? 4_000 * (sine(440, s) + sine(480, s)) : 0),
  'a busy tone': (s) => (s % 1 < 0.5 ? 4_000 * (sine(480, s) + sine(620, s)) : 0),
  'a melody of held notes': (s) => 6_000 * sine(melodyAt(s * 4), s),
  'a melody of short notes': (s) => ((s * 4) % 1 < 0.6 ? 6_000 * sine(melodyAt(s * 4), s) : 0),
  'a fast piano': (s) => plucked(s * 4, s, 4),
  'a slow piano': (s) => plucked(s * 1.5, s, 1.5),
  'an organ': (s) => 3_000 * chord(s),
  'a tremolo': (s) => 8_000 * Math.max(0, sine(3, s)) * sine(523, s),
  'a band': (s) =>
    ((s * 8) % 1 < 0.15 ? (noise() - 0.5) * 4_000 : 0) +
    6_000 * Math.exp(-((s * 2) % 1) * 20) * sine(80, s) +
    1_500 * chord(s) +
    2_500 * sine(2 * melodyAt(s * 4), s),
};
