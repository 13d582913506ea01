import { toTranscription, type GladiaUtterance } from './live-messages';

export interface SessionResultFacts {
  readonly durationS: number;
  readonly channels: number;
  readonly transcriptionMs: number;
  readonly utterances: readonly GladiaUtterance[];
  /** undefined when none was asked for, empty when the script has none. */
  readonly summary: string | undefined;
}

/** Data of `post_final_transcript`, and `result` of the job (gladia-live.md, 3.6). */
export function toSessionResult(facts: SessionResultFacts): Record<string, unknown> {
  const { durationS, channels, transcriptionMs, utterances, summary } = facts;
  return {
    metadata: {
      audio_duration: durationS,
      number_of_distinct_channels: channels,
      billing_time: durationS * channels,
      transcription_time: transcriptionMs / 1000,
    },
    transcription: toTranscription(utterances),
    ...(summary !== undefined && { summarization: toSummarization(summary) }),
  };
}

function toSummarization(summary: string): Record<string, unknown> {
  const isEmpty = summary === '';
  return { success: !isEmpty, is_empty: isEmpty, exec_time: 0, error: null, results: summary };
}
