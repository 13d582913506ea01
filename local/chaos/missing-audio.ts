import type { Track } from '../../runtime/model/audio';
import type { CallFacts, StreamFacts } from './call-facts';
import { holesIn, uncovered, unionOf, type TimeRange } from './time-ranges';

/** What became of one track of a call, counted at both ends, in the call's time as the table tells it. */
export interface HeardAudio {
  /** Sent by a stream, and with the speech server in the end. */
  readonly heard: readonly TimeRange[];
  /** Sent and never with the speech server, or said while no stream was there, between the first stream and the last. */
  readonly missing: readonly TimeRange[];
}

/** Legs are where the table puts them: whether that is right is another question. */
export function heardAudio({ streams, counted, stored }: CallFacts, track: Track): HeardAudio {
  const sending = streams.filter(({ sent }) => (sent[track] ?? []).length > 0);
  const lost = counted[track]?.lost ?? [];
  const shiftOf = shifts(sending, stored.call.legs);
  const placed = sending.map((stream) => {
    const sent = stream.sent[track] ?? [];
    const shifted = (ranges: readonly TimeRange[]): readonly TimeRange[] =>
      ranges.map(({ fromMs, toMs }) => ({ fromMs: fromMs + shiftOf(stream), toMs: toMs + shiftOf(stream) }));
    return { heard: shifted(uncovered(sent, lost)), silent: shifted(holesIn(sent)), sent: shifted(sent) };
  });
  const heard = unionOf(placed.flatMap((each) => each.heard));
  const silent = placed.flatMap((each) => each.silent);
  const sent = placed.flatMap((each) => each.sent);
  return { heard, missing: uncovered(uncovered([...sent, ...holesIn(sent)], heard), silent) };
}

/** @returns what has to be added to a place in the call's audio */
function shifts(
  streams: readonly StreamFacts[],
  legs: CallFacts['stored']['call']['legs'],
): (stream: StreamFacts) => number {
  const heardAt = ({ streamSid }: StreamFacts): number => Date.parse(legs[streamSid]?.firstAudioAt ?? '');
  const [first] = streams.toSorted((one, other) => one.startMs - other.startMs);
  const originMs = first === undefined ? 0 : first.startMs;
  const originAt = first === undefined ? NaN : heardAt(first);
  return (stream) => {
    const toldMs = heardAt(stream) - originAt;
    return Number.isNaN(toldMs) ? -originMs : toldMs - stream.startMs;
  };
}
