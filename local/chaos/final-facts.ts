import { BYTES_PER_MS, SILENCE_BYTE, type Track } from '../../runtime/model/audio';
import type { ObservedSession } from '../gladia/observed-session';
import type { FinalFacts } from './call-facts';
import type { TimeRange } from './time-ranges';

/** So many bytes of a call's audio are found at one place only. */
const UNIQUE_BYTES = 32;

/** What a session has said in the end, with the place in the call's audio where that was said. */
export function finalsOf(
  session: ObservedSession,
  { tracks, audio }: { readonly tracks: readonly Track[]; readonly audio: Readonly<Record<Track, Buffer>> },
): readonly FinalFacts[] {
  const streamSid = String(session.customMetadata['streamSid']);
  const heard = session.accepted() ?? Buffer.alloc(0);
  return session.finals.map(({ utterance: { channel, start, end } }) => {
    const own = channelOf(heard, channel, session.channels);
    const original = audio[tracks.toSorted()[channel] ?? 'inbound'];
    const inSession = { fromMs: start * 1_000, toMs: end * 1_000 };
    const shiftMs = shiftOf(own, inSession, original);
    const inCall = { fromMs: inSession.fromMs + shiftMs, toMs: inSession.toMs + shiftMs };
    return { sessionId: session.id, streamSid, channel, inSession, inCall };
  });
}

const LOOKS = [0.1, 0.3, 0.5, 0.7, 0.9];

/** Looked for at several places, since one of them may be a frame that came again. @returns the median, or NaN */
function shiftOf(heard: Buffer, { fromMs, toMs }: TimeRange, original: Buffer): number {
  const shifts = LOOKS.flatMap((part) => {
    const atMs = fromMs + (toMs - fromMs) * part;
    const shiftMs = placeOf(heard, atMs, original) - atMs;
    return Number.isNaN(shiftMs) ? [] : [shiftMs];
  }).toSorted((one, other) => one - other);
  return shifts[Math.floor(shifts.length / 2)] ?? NaN;
}

/** A seam or filled silence may lie there: then the next stretch tells. */
const STEPS_MS = [0, 10, 25, 50, 100];

/** @returns milliseconds of the call's audio; NaN when it is nowhere in it */
function placeOf(heard: Buffer, atMs: number, original: Buffer): number {
  for (const stepMs of STEPS_MS) {
    const from = Math.max(0, Math.round((atMs + stepMs) * BYTES_PER_MS));
    const stretch = heard.subarray(from, from + UNIQUE_BYTES);
    if (stretch.length < UNIQUE_BYTES || stretch.includes(SILENCE_BYTE)) continue;
    const place = original.indexOf(stretch);
    if (place !== -1) return (place - from) / BYTES_PER_MS + atMs;
  }
  return NaN;
}

function channelOf(audio: Buffer, channel: number, channels: number): Buffer {
  if (channels === 1) return audio;
  const own = Buffer.alloc(Math.floor(audio.length / channels));
  for (let i = 0; i < own.length; i += 1) own[i] = audio[i * channels + channel] ?? 0;
  return own;
}
