import type { LegId, TranscriptEvent } from '../model/transcript-event';
import type { Logger } from '../observability/logger';
import type { Metrics } from '../observability/metrics';

/** Where transcript events go. A sink owns its queue and its pace: a slow one never delays the call or another sink. */
export interface TranscriptSink {
  readonly name: string;
  /** It has no use for partials: where no sink has, none are made. */
  readonly ignoresPartials?: true;
  /** Takes one event, at once. Never throws, never waits; what cannot be kept is a metric. */
  write(event: TranscriptEvent): void;
  /** Whether everything that was told of the call has come to where it is kept. A sink that keeps nothing does not say. */
  isFlushed?(callSid: string): boolean;
  /** Whether all sessions of a leg that is over were compared with their final results, as far as this sink knows. */
  isReconciled?(leg: LegId): boolean;
  /** Writes out what is queued, within `timeoutMs`, and ends the sink. Safe to call twice. @returns events that could not be written. */
  close(timeoutMs: number): Promise<number>;
}

/** Tells every sink, and keeps a sink that breaks its promise from harming the call or another sink. */
export function tellSinks(
  {
    sinks,
    metrics,
    logger,
  }: { readonly sinks: readonly TranscriptSink[]; readonly metrics: Metrics; readonly logger: Logger },
  event: TranscriptEvent,
): void {
  for (const sink of sinks) {
    try {
      sink.write(event);
    } catch (error) {
      metrics.count('sinkErrors');
      logger.error(
        { err: error, sink: sink.name, event: event.type, callSid: event.callSid },
        'A sink failed',
      );
    }
  }
}
