import type { RecognisedUtterance } from './recogniser';

export interface GladiaWord {
  readonly word: string;
  readonly start: number;
  readonly end: number;
  readonly confidence: number;
}

/** An utterance as on the wire: seconds of session audio, text and words with a leading space (gladia-live.md, 3.4). */
export interface GladiaUtterance {
  readonly text: string;
  readonly start: number;
  readonly end: number;
  readonly language: string;
  readonly confidence: number;
  readonly channel: number;
  readonly words: readonly GladiaWord[];
}

/** Data of a `transcript` message. */
export interface TranscriptData {
  readonly id: string;
  readonly is_final: boolean;
  readonly utterance: GladiaUtterance;
}

export interface Transcription {
  readonly full_transcript: string;
  readonly languages: readonly string[];
  readonly utterances: readonly GladiaUtterance[];
}

/** Whole milliseconds, in seconds. */
export function toSeconds(ms: number): number {
  return Math.round(ms) / 1000;
}

export function toGladiaUtterance(utterance: RecognisedUtterance, channel: number): GladiaUtterance {
  return {
    text: ` ${utterance.text}`,
    start: toSeconds(utterance.startMs),
    end: toSeconds(utterance.endMs),
    language: utterance.language,
    confidence: round(utterance.confidence),
    channel,
    words: utterance.words.map((word) => ({
      word: ` ${word.text}`,
      start: toSeconds(word.startMs),
      end: toSeconds(word.endMs),
      confidence: round(word.confidence),
    })),
  };
}

/** `00_00000003`; unique within a session only. */
export function utteranceId(channel: number, number: number): string {
  return `${String(channel).padStart(2, '0')}_${String(number).padStart(8, '0')}`;
}

/** Everything said so far, by start time. */
export function toTranscription(finals: readonly GladiaUtterance[]): Transcription {
  const utterances = [...finals].sort((a, b) => a.start - b.start || a.channel - b.channel);
  return {
    full_transcript: utterances.map((utterance) => utterance.text.trim()).join(' '),
    languages: [...new Set(utterances.map((utterance) => utterance.language))],
    utterances,
  };
}

function round(confidence: number): number {
  return Math.round(confidence * 100) / 100;
}
