import { BYTES_PER_MS, TRACKS, type Track } from '../../runtime/model/audio';
import { seededRandom } from '../store-faults/seeded-random';

/** A stretch of a call's audio in which somebody speaks, in milliseconds. */
export interface Speech {
  readonly startMs: number;
  readonly endMs: number;
}

export interface SpokenCall {
  readonly audio: Readonly<Record<Track, Buffer>>;
  /** What is said, in order: each has to become one segment. */
  readonly speech: Readonly<Record<Track, readonly Speech[]>>;
}

/** Loud and quiet as the local recogniser tells them apart; neither has the byte that stands for silence. */
const LOUD = { first: 0x00, count: 0x40 };
const QUIET = { first: 0x79, count: 0x06 };

/** Utterances are clearly apart: what ends one is 300 ms of quiet. */
const LEAST_PAUSE_MS = 500;

/**
 * Noise in which every few milliseconds are found at one place only, so that lost and doubled audio can be counted to
 * the byte; it is loud where somebody speaks. The same numbers give the same call.
 */
export function spokenCall(ms: number, random: () => number): SpokenCall {
  const speech = Object.fromEntries(TRACKS.map((track) => [track, planSpeech(ms, random)])) as Record<
    Track,
    Speech[]
  >;
  return {
    speech,
    audio: {
      inbound: noise(ms, speech.inbound, random() * 2 ** 32),
      outbound: noise(ms, speech.outbound, random() * 2 ** 32),
    },
  };
}

function planSpeech(ms: number, random: () => number): Speech[] {
  const between = (least: number, most: number): number => Math.round(least + random() * (most - least));
  const speech: Speech[] = [];
  for (let startMs = between(100, 900); ;) {
    const endMs = startMs + between(400, 900);
    if (endMs + LEAST_PAUSE_MS > ms) return speech;
    speech.push({ startMs, endMs });
    startMs = endMs + between(LEAST_PAUSE_MS, 2 * LEAST_PAUSE_MS);
  }
}

function noise(ms: number, speech: readonly Speech[], seed: number): Buffer {
  const audio = Buffer.alloc(ms * BYTES_PER_MS);
  const random = seededRandom(seed);
  let next = 0;
  for (let i = 0; i < audio.length; i += 1) {
    const atMs = i / BYTES_PER_MS;
    while (next < speech.length && atMs >= (speech[next]?.endMs ?? 0)) next += 1;
    const { first, count } = atMs >= (speech[next]?.startMs ?? Infinity) ? LOUD : QUIET;
    audio[i] = first + Math.floor(random() * count);
  }
  return audio;
}
