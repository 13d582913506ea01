/** A stretch of speech, in milliseconds. */
export interface Speech {
  readonly startMs: number;
  readonly endMs: number;
}

/** mu-law that tells its own place: no byte is silence, so whatever is filled in shows. */
export function patternedAudio(ms: number, seed = 1): Buffer {
  return noise(ms, seed, () => ({ first: 0, count: 0x7f }));
}

/** As `patternedAudio`, loud where somebody speaks and quiet elsewhere: for a recogniser that goes by loudness. */
export function spokenAudio(ms: number, speech: readonly Speech[], seed = 1): Buffer {
  return noise(ms, seed, (atMs) =>
    speech.some(({ startMs, endMs }) => atMs >= startMs && atMs < endMs)
      ? { first: 0x00, count: 0x40 }
      : { first: 0x79, count: 0x06 },
  );
}

/** One channel of interleaved audio. */
export function channelOf(audio: Buffer, channel: number, channels: number): Buffer {
  const bytes = Buffer.alloc(Math.floor(audio.length / channels));
  for (let i = 0; i < bytes.length; i += 1) bytes[i] = audio[i * channels + channel] ?? 0;
  return bytes;
}

export function withoutSilence(audio: Buffer): Buffer {
  return Buffer.from(audio.filter((byte) => byte !== 0xff));
}

/** Long enough to be found at one place only. */
const UNIQUE_BYTES = 64;

/**
 * Whether `audio` is `original` with stretches of it said again, and nothing left out: walks both, and where they
 * differ looks for the place that `audio` goes back to, or on from after it went back.
 * @returns bytes said again, or `undefined` where something is missing or foreign
 */
export function repeatedBytes(audio: Buffer, original: Buffer): number | undefined {
  let place = 0;
  let furthest = 0;
  for (let i = 0; i < audio.length; i += 1, place += 1) {
    if (audio[i] !== original[place]) {
      place = original.lastIndexOf(audio.subarray(i, i + UNIQUE_BYTES), furthest + UNIQUE_BYTES);
      // Bytes behind a seam may fit on both sides of it: then it was passed a little before it showed.
      const passed = Math.max(0, place - furthest);
      const isSeam = original.subarray(furthest, furthest + passed).equals(audio.subarray(i - passed, i));
      if (place === -1 || !isSeam) return undefined;
    }
    furthest = Math.max(furthest, place + 1);
  }
  return furthest === original.length ? audio.length - original.length : undefined;
}

function noise(
  ms: number,
  seed: number,
  levelAt: (atMs: number) => { first: number; count: number },
): Buffer {
  const audio = Buffer.alloc(ms * 8);
  const next = randomNumbers(seed);
  for (let i = 0; i < audio.length; i += 1) {
    const { first, count } = levelAt(i / 8);
    audio[i] = first + Math.floor(next() * count);
  }
  return audio;
}

/** The same numbers for the same seed, from 0 (included) to 1 (excluded). */
export function randomNumbers(seed: number): () => number {
  let value = seed >>> 0;
  return () => {
    value = (value + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(value ^ (value >>> 15), value | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
