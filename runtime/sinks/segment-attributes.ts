import type { Segment } from '../model/transcript-event';
import type { Attributes } from '../store/store-write';

/** A final as attributes of its item; times are whole milliseconds. */
export function segmentAttributes(segment: Segment, storeWords: boolean): Attributes {
  return {
    text: segment.text,
    startMs: Math.round(segment.startMs),
    endMs: Math.round(segment.endMs),
    at: segment.at,
    channel: segment.channel,
    track: segment.track,
    speaker: segment.speaker,
    language: segment.language,
    confidence: segment.confidence,
    sessionId: segment.sessionId,
    sessionNumber: segment.sessionNumber,
    utteranceId: segment.utteranceId,
    sessionStartMs: Math.round(segment.sessionStartMs),
    sessionEndMs: Math.round(segment.sessionEndMs),
    latencyMs: segment.latencyMs === undefined ? undefined : Math.round(segment.latencyMs),
    relayMs: segment.relayMs === undefined ? undefined : Math.round(segment.relayMs),
    source: segment.source,
    overlap: segment.overlap,
    words: storeWords && segment.words.length > 0 ? segment.words : undefined,
  };
}
