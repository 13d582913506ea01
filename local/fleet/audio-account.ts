import { BYTES_PER_MS, SILENCE_BYTE } from '../../runtime/model/audio';
import type { AudioRange } from '../twilio/sent-audio';

export interface AudioFacts {
  /** What was said, mu-law. Every few milliseconds of it must be different, and none of it 0xFF. */
  readonly original: Buffer;
  /** What the streams of the call have sent, stream after stream. */
  readonly sent: readonly AudioRange[];
  /** What the sessions have accepted of it, each on its own; silence that was filled in may be among it. */
  readonly accepted: readonly Buffer[];
}

/** Milliseconds of one track of a call, counted from outside. */
export interface AudioAccount {
  /** Said while the call lived. */
  readonly saidMs: number;
  /** Said while no stream was there to carry it: gone, nobody keeps it. */
  readonly unsentMs: number;
  /** Sent by more than one stream, as in a hand-over. */
  readonly overlapMs: number;
  /** Sent and never accepted: what the relays have lost. */
  readonly lostMs: number;
  /** Where in the call's audio that is, in order. */
  readonly lost: readonly AudioRange[];
  /** Accepted more often than it was sent. */
  readonly doubledMs: number;
  /** Accepted, and neither said nor silence. */
  readonly foreignMs: number;
}

/** Shorter than this no stretch is looked for: 2 ms are found at one place only. */
const UNIQUE_BYTES = 16;

/** Finds each accepted stretch in what was said, and compares with what was sent. Pure. */
export function accountForAudio({ original, sent, accepted }: AudioFacts): AudioAccount {
  const timesSent = new Uint8Array(original.length);
  for (const { fromMs, toMs } of sent) count(timesSent, fromMs * BYTES_PER_MS, toMs * BYTES_PER_MS);
  const timesAccepted = new Uint8Array(original.length);
  let foreign = 0;
  for (const audio of accepted) foreign += placeAudio(audio, original, timesAccepted);
  const bytes = { unsent: 0, overlap: 0, lost: 0, doubled: 0 };
  const isLost = new Uint8Array(original.length);
  for (let i = 0; i < original.length; i += 1) {
    const [sentHere = 0, acceptedHere = 0] = [timesSent[i], timesAccepted[i]];
    if (sentHere === 0) bytes.unsent += 1;
    if (sentHere > 1) bytes.overlap += 1;
    if (sentHere > 0 && acceptedHere === 0) isLost[i] = 1;
    bytes.lost += isLost[i] ?? 0;
    bytes.doubled += Math.max(0, acceptedHere - sentHere);
  }
  return {
    saidMs: original.length / BYTES_PER_MS,
    unsentMs: bytes.unsent / BYTES_PER_MS,
    overlapMs: bytes.overlap / BYTES_PER_MS,
    lostMs: bytes.lost / BYTES_PER_MS,
    lost: rangesOf(isLost),
    doubledMs: bytes.doubled / BYTES_PER_MS,
    foreignMs: foreign / BYTES_PER_MS,
  };
}

/** Where the marks are set. */
function rangesOf(marks: Uint8Array): readonly AudioRange[] {
  const ranges: AudioRange[] = [];
  for (let from = marks.indexOf(1); from !== -1;) {
    const end = marks.indexOf(0, from);
    const to = end === -1 ? marks.length : end;
    ranges.push({ fromMs: from / BYTES_PER_MS, toMs: to / BYTES_PER_MS });
    from = marks.indexOf(1, to);
  }
  return ranges;
}

/** @returns bytes that are of nowhere */
function placeAudio(audio: Buffer, original: Buffer, times: Uint8Array): number {
  let foreign = 0;
  let expected = 0;
  for (let i = 0; i < audio.length;) {
    if (audio[i] === SILENCE_BYTE) {
      i += 1;
      continue;
    }
    const place = findPlace(audio.subarray(i, i + UNIQUE_BYTES), original, expected);
    const length = place === -1 ? 0 : commonLength(audio, i, original, place);
    if (length === 0) {
      foreign += 1;
      i += 1;
      continue;
    }
    count(times, place, place + length);
    i += length;
    expected = place + length;
  }
  return foreign;
}

/** At most places audio goes on where it was; after a seam it is elsewhere. */
function findPlace(stretch: Buffer, original: Buffer, expected: number): number {
  const isExpected = original.subarray(expected, expected + stretch.length).equals(stretch);
  return isExpected ? expected : original.indexOf(untilSilence(stretch));
}

/** A stretch that ends where silence was filled in is shorter. */
function untilSilence(stretch: Buffer): Buffer {
  const silence = stretch.indexOf(SILENCE_BYTE);
  return silence === -1 ? stretch : stretch.subarray(0, silence);
}

function commonLength(audio: Buffer, from: number, original: Buffer, place: number): number {
  let length = 0;
  while (from + length < audio.length && audio[from + length] === original[place + length]) length += 1;
  return length;
}

function count(times: Uint8Array, from: number, to: number): void {
  const end = Math.min(to, times.length);
  for (let i = from; i < end; i += 1) times[i] = (times[i] ?? 0) + 1;
}
