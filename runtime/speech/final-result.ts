import type { Clock } from '../model/clock';
import type { Logger } from '../observability/logger';
import { withDeadline } from './deadline';
import { backOffMs } from './reconnect-policy';
import type { RecognitionTiming } from './recognition-timing';
import { SpeechError, type SessionResult, type SpeechProvider } from './speech-provider';

export interface FinalResultOptions {
  readonly provider: SpeechProvider;
  readonly timing: Pick<RecognitionTiming, 'resultBackOff' | 'resultForMs' | 'requestTimeoutMs'>;
  readonly now: Clock;
  readonly random: () => number;
  readonly logger: Logger;
  /** No longer wanted. */
  readonly signal: AbortSignal;
}

/**
 * Asks for a session's final result until it is there: a service may still be working on it when the socket has closed.
 *
 * @returns `undefined` when it cannot be had: refused, not there in time, or no longer wanted. Never rejects.
 */
export async function awaitFinalResult(
  sessionId: string,
  options: FinalResultOptions,
): Promise<SessionResult | undefined> {
  const { provider, timing, now, random, logger, signal } = options;
  const isWanted = (): boolean => !signal.aborted;
  let lastError: unknown;
  const until = now() + timing.resultForMs;
  for (let attempt = 0; isWanted() && now() < until; attempt += 1) {
    try {
      const result = await withDeadline({ signal, timeoutMs: timing.requestTimeoutMs }, (oneRequest) =>
        provider.fetchResult(sessionId, oneRequest),
      );
      if (result !== undefined) return result;
      lastError = undefined;
    } catch (error) {
      lastError = error;
      if (!(error instanceof SpeechError) || !error.retryable) break;
    }
    await pause(backOffMs(attempt, timing.resultBackOff, random), signal);
  }
  const code = lastError instanceof SpeechError ? lastError.code : 'not-there-in-time';
  if (isWanted()) logger.warn({ code }, 'The final result of a speech session could not be had');
  return undefined;
}

/** Waits, or returns at once when the signal aborts. Never rejects. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    if (signal.aborted) done();
    else signal.addEventListener('abort', done, { once: true });
  });
}
