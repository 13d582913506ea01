import type { Clock } from '../model/clock';
import type { Logger } from '../observability/logger';
import type { Metrics } from '../observability/metrics';
import { withDeadline } from './deadline';
import { pause } from './final-result';
import type { RecognitionTiming } from './recognition-timing';
import { backOffMs, type Attempts } from './reconnect-policy';
import type { SessionSlot, SessionSlots } from './session-slots';
import { SpeechError, type SessionGrant, type SessionRequest, type SpeechProvider } from './speech-provider';

/** A new session, with the slot it holds. */
export interface MintedSession {
  readonly grant: SessionGrant;
  readonly slot: SessionSlot;
  readonly atMs: number;
}

export interface MintOptions {
  readonly provider: SpeechProvider;
  readonly request: SessionRequest;
  readonly slots: SessionSlots;
  /** Kept from a session that is over. */
  readonly slot?: SessionSlot;
  /** Before those whose call begins. */
  readonly first: boolean;
  readonly attempts: Attempts;
  readonly timing: Pick<RecognitionTiming, 'backOff' | 'requestTimeoutMs'>;
  readonly now: Clock;
  readonly random: () => number;
  /** Nobody wants it any more: no further attempt is made. */
  readonly unwanted: AbortSignal;
  /** Everything ends now, also an attempt. */
  readonly abort: AbortSignal;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** The service will not give a session; `code` says why. */
export interface MintRefused {
  readonly refusedAs: string;
}

/**
 * Asks for a session until there is one: waits for its turn, and between attempts (gladia-live.md, 1.6). What will not
 * heal is not asked again. A session that comes when nobody wants it any more is given all the same: its taker must end
 * it, because it holds one of the account's places.
 * @returns `undefined` when nobody wants it any more. Never rejects.
 */
export async function mintSession(options: MintOptions): Promise<MintedSession | MintRefused | undefined> {
  const { attempts, timing, unwanted, random, now } = options;
  const isWanted = (): boolean => !unwanted.aborted;
  let slot = options.slot ?? (await takeSlot(options));
  while (slot !== undefined && isWanted()) {
    const answer = await ask(options);
    if (!(answer instanceof SpeechError)) {
      slot.answered();
      return { grant: answer, slot, atMs: now() };
    }
    if (!isWanted()) break;
    note(answer, options);
    if (answer.code === 'http-429') {
      slot.refused((attempt) => backOffMs(attempt, timing.backOff, random));
      slot = await takeSlot(options, slot.ticket);
    } else if (answer.retryable) {
      slot.answered();
      await pause(attempts.next(timing.backOff), unwanted);
    } else {
      slot.release();
      return { refusedAs: answer.code };
    }
  }
  slot?.release();
  return undefined;
}

function takeSlot(options: MintOptions, ticket?: number): Promise<SessionSlot | undefined> {
  const { slots, first, unwanted } = options;
  const place = { first, ...(ticket === undefined ? {} : { ticket }) };
  // It rejects for one reason only.
  return slots.take(unwanted, place).catch(() => undefined);
}

/** One attempt. Not ended when merely nobody wants it any more: a session whose id is lost could not be ended. */
async function ask({ provider, request, timing, abort }: MintOptions): Promise<SessionGrant | SpeechError> {
  try {
    return await withDeadline({ signal: abort, timeoutMs: timing.requestTimeoutMs }, (signal) =>
      provider.createSession(request, signal),
    );
  } catch (error) {
    if (error instanceof SpeechError) return error;
    return new SpeechError('The request for a session failed', {
      code: 'unexpected',
      retryable: false,
      cause: error,
    });
  }
}

function note({ code, message }: SpeechError, { metrics, logger, attempts }: MintOptions): void {
  metrics.count('sessionRequestsFailed', 1, code);
  logger.warn({ code, advice: message, attempt: attempts.count }, 'The speech service gave no session');
}
