import { BYTES_PER_MS, SILENCE_BYTE, type Track } from '../../runtime/model/audio';
import type { Behaviour } from './behaviour';

export interface PlannedFrame {
  readonly track: Track;
  /** Its place in the audio. */
  readonly startMs: number;
  /** Stream time at which it is sent. */
  readonly dueMs: number;
  /** What the message says. */
  readonly timestampMs: number;
  readonly payload: Buffer;
}

/** mu-law at 8 kHz by track; a track without audio is silent. */
export type CallAudio = Readonly<Partial<Record<Track, Buffer>>>;

export interface MediaPlanOptions {
  readonly audio: CallAudio;
  readonly tracks: readonly Track[];
  readonly behaviour: Behaviour;
}

/** A frame by its place in the audio, before the behaviour decides when and whether it is sent. */
interface PlacedFrame {
  readonly track: Track;
  readonly index: number;
  readonly startMs: number;
  readonly endMs: number;
  readonly timestampMs: number;
  readonly payload: Buffer;
}

const FRAME_MS = 20;

/**
 * Says frame by frame what is sent and when: pure, lazy, in sending order. All tracks last as long as the longest
 * one; a shorter one goes on with silence, and the last frame of each is filled up with it.
 */
export function* planMedia({ audio, tracks, behaviour }: MediaPlanOptions): Generator<PlannedFrame, void> {
  const bytes = Math.max(0, ...tracks.map((track) => audio[track]?.length ?? 0));
  const sources = tracks.map((track) =>
    placeFrames(track, audio[track] ?? Buffer.alloc(0), { bytes, behaviour }),
  );
  for (const frame of merge(sources, behaviour.interleave)) {
    if (isLeftOut(frame, behaviour)) continue;
    const { track, startMs, endMs, payload } = frame;
    const jumpMs = behaviour.jumps.reduce((sum, { atMs, byMs }) => (startMs >= atMs ? sum + byMs : sum), 0);
    const timestampMs = Math.max(0, frame.timestampMs + jumpMs);
    yield { track, startMs, dueMs: dueMs(endMs, behaviour), timestampMs, payload };
  }
}

function* placeFrames(
  track: Track,
  audio: Buffer,
  { bytes, behaviour }: { bytes: number; behaviour: Behaviour },
): Generator<PlacedFrame, void> {
  const { payloadBytes, timestampStepsMs } = behaviour;
  let timestampMs = behaviour.firstTimestampMs;
  let offset = 0;
  for (let index = 0; offset < bytes; index += 1) {
    const size = payloadBytes[index % payloadBytes.length] ?? 160;
    const payload = sliceFilled(audio, offset, size);
    const startMs = offset / BYTES_PER_MS;
    offset += size;
    yield {
      track,
      index,
      startMs,
      endMs: offset / BYTES_PER_MS,
      timestampMs: Math.floor(timestampMs),
      payload,
    };
    timestampMs += timestampStepsMs[index % timestampStepsMs.length] ?? size / BYTES_PER_MS;
  }
}

/** A view where it is inside of the audio: hundreds of calls may share one recording. */
function sliceFilled(audio: Buffer, offset: number, size: number): Buffer {
  const slice = audio.subarray(offset, offset + size);
  if (slice.length === size) return slice;
  return Buffer.concat([slice, Buffer.alloc(size - slice.length, SILENCE_BYTE)]);
}

/** Joins the tracks by the time at which their frames start; the order inside of a slot is a switch. */
function* merge(
  sources: readonly Generator<PlacedFrame, void>[],
  interleave: Behaviour['interleave'],
): Generator<PlacedFrame, void> {
  const heads = sources.map((source) => ({ source, frame: source.next().value }));
  for (;;) {
    const waiting = heads.flatMap((head) => (head.frame ? [{ head, frame: head.frame }] : []));
    const [first] = waiting.sort(
      (a, b) => a.frame.startMs - b.frame.startMs || rank(a.frame, interleave) - rank(b.frame, interleave),
    );
    if (first === undefined) return;
    yield first.frame;
    first.head.frame = first.head.source.next().value;
  }
}

function rank({ track, index }: PlacedFrame, interleave: Behaviour['interleave']): number {
  const inboundFirst = { 'inbound first': true, 'outbound first': false, alternating: index % 2 === 0 }[
    interleave
  ];
  return (track === 'inbound') === inboundFirst ? 0 : 1;
}

function isLeftOut({ track, startMs }: PlacedFrame, { gaps, outboundDelayMs }: Behaviour): boolean {
  if (track === 'outbound' && startMs < outboundDelayMs) return true;
  return gaps.some((gap) => startMs >= gap.fromMs && startMs < gap.toMs && (gap.track ?? track) === track);
}

/** When the frame is complete, less what had piled up at the start, and later when the line stalls. */
function dueMs(endMs: number, { burstFrames, stalls }: Behaviour): number {
  const due = Math.max(0, endMs - burstFrames * FRAME_MS);
  return stalls.reduce((at, { atMs, forMs }) => (at >= atMs && at < atMs + forMs ? atMs + forMs : at), due);
}
