import type { Clock } from '../model/clock';
import type { Logger } from '../observability/logger';
import type { RecognitionTiming } from './recognition-timing';
import { SpeechError, type SessionResult, type SpeechProvider } from './speech-provider';

/**
 * Asks for a session's final result until it is there: a service may still be working on it when the socket has closed.
 *
 * @returns `undefined` when it cannot be had: refused, not there in time, or no longer wanted. Never rejects.
 */
export async function awaitFinalResult(
  sessionId: string,
  options: {
    readonly provider: SpeechProvider;
    readonly timing: Pick<RecognitionTiming, 'resultPollMs' | 'resultForMs' | 'requestTimeoutMs'>;
    readonly now: Clock;
    readonly logger: Logger;
    /** No longer wanted. */
    readonly signal: AbortSignal;
  },
): Promise<SessionResult | undefined> {
  const { provider, timing, now, logger, signal } = options;
  const isWanted = (): boolean => !signal.aborted;
  for (const until = now() + timing.resultForMs; isWanted() && now() < until;) {
    try {
      const oneRequest = AbortSignal.any([signal, AbortSignal.timeout(timing.requestTimeoutMs)]);
      const result = await provider.fetchResult(sessionId, oneRequest);
      if (result !== undefined) return result;
    } catch (error) {
      if (!isWanted()) return undefined;
      logger.warn({ err: error }, 'The final result of a speech session could not be had');
      if (!(error instanceof SpeechError) || !error.retryable) return undefined;
    }
    await pause(timing.resultPollMs, signal);
  }
  return undefined;
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done, { once: true });
  });
}
