import type { TranscriptEvent } from '../model/transcript-event';

/** Where transcript events go. A sink owns its queue and its pace: a slow one never delays the call or another sink. */
export interface TranscriptSink {
  readonly name: string;
  /** Takes one event, at once. Never throws, never waits; what cannot be kept is a metric. */
  write(event: TranscriptEvent): void;
  /** Writes out what is queued, within `timeoutMs`, and ends the sink. Safe to call twice. @returns events that could not be written. */
  close(timeoutMs: number): Promise<number>;
}
