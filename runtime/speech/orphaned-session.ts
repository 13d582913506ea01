import type { SessionFacts } from '../model/transcript-event';
import type { Secret } from '../model/secret';
import { awaitFinalResult, pause, type FinalResultOptions } from './final-result';
import { backOffMs, type BackOff } from './reconnect-policy';
import {
  DURATION_SOURCES,
  type DurationSource,
  type SocketEnd,
  type SpeechEvent,
  type SpeechProvider,
  type SpeechSocket,
  type SpokenUtterance,
} from './speech-provider';

export interface OrphanTiming {
  /** Tries to end it, all together. */
  readonly endForMs: number;
  /** Without any message for this long after `stop`, its socket is closed. */
  readonly silenceMs: number;
  /** Between attempts to reach it. */
  readonly backOff: BackOff;
}

export const ORPHAN_TIMING: OrphanTiming = {
  endForMs: 30_000,
  silenceMs: 10_000,
  backOff: { baseMs: 250, capMs: 5_000 },
};

export interface OrphanedSession {
  readonly sessionId: string;
  /** Absent when its socket was closed for good: then only its result is fetched. */
  readonly url?: Secret;
}

export interface OrphanOptions extends Omit<FinalResultOptions, 'provider'> {
  readonly session: OrphanedSession;
  readonly orphan?: OrphanTiming;
}

/** What a session had that its process did not live to write down. */
export interface RecoveredSession {
  /**
   * In milliseconds of session audio, by start: the final result's, or, where that cannot be had, the finals that came
   * while the session was being ended.
   */
  readonly utterances: readonly SpokenUtterance[];
  /** Audio that the service has, in ms, as it says itself. */
  readonly durationMs?: number;
  /** Of the final result; absent when that cannot be had: the session is not reconciled then. */
  readonly facts?: SessionFacts;
  readonly summary?: string;
  /** The session is over at the service and holds none of the account's places. */
  readonly isEnded: boolean;
}

/**
 * Ends a session whose process is gone, because it holds one of the account's places until Gladia's three hours are over
 * (gladia-live.md, 2.6), and fetches what it came to. Sends no audio. Takes at most `endForMs` and `resultForMs`.
 * Never rejects; an empty answer with `isEnded: false` means that it may be tried again.
 */
export async function recoverSession(
  provider: SpeechProvider,
  options: OrphanOptions,
): Promise<RecoveredSession> {
  const heard = new HeardAtTheEnd();
  const { sessionId, url } = options.session;
  const isEnded = url === undefined || (await endSession(provider, { ...options, url, heard }));
  const result = await awaitFinalResult(sessionId, { ...options, provider });
  if (result?.facts.audioSeconds !== undefined)
    heard.durationsMs.set('metadata.audio_duration', result.facts.audioSeconds * 1000);
  const { durationMs } = heard;
  const summary = result?.summary ?? heard.summary;
  const utterances = result?.utterances ?? [...heard.finals.values()];
  return {
    utterances: utterances.toSorted((one, other) => one.startMs - other.startMs),
    // A result is there only when the service has done with the session.
    isEnded: isEnded || result !== undefined,
    ...(durationMs === undefined ? {} : { durationMs }),
    ...(result === undefined ? {} : { facts: result.facts }),
    ...(summary === undefined ? {} : { summary }),
  };
}

/** What the service says while a session is being ended. */
class HeardAtTheEnd {
  readonly finals = new Map<string, SpokenUtterance>();
  readonly durationsMs = new Map<DurationSource, number>();
  summary: string | undefined;

  take(event: SpeechEvent): void {
    if (event.type === 'transcript' && event.isFinal) this.finals.set(event.utteranceId, event.utterance);
    else if (event.type === 'duration') this.durationsMs.set(event.source, event.durationMs);
    else if (event.type === 'summary') this.summary = event.text;
  }

  get durationMs(): number | undefined {
    return DURATION_SOURCES.map((source) => this.durationsMs.get(source)).findLast((ms) => ms !== undefined);
  }
}

type EndOptions = OrphanOptions & { readonly url: Secret; readonly heard: HeardAtTheEnd };

/** @returns whether the session is over at the service */
async function endSession(provider: SpeechProvider, options: EndOptions): Promise<boolean> {
  const { orphan = ORPHAN_TIMING, now, random, signal } = options;
  const until = now() + orphan.endForMs;
  for (let attempt = 0; !signal.aborted && now() < until; attempt += 1) {
    const end = await stopOnOneSocket(provider, { ...options, untilMs: until });
    // Beyond help is over, too: its place is free.
    if (end !== undefined && end.decision !== 'resume') return true;
    await pause(backOffMs(attempt, orphan.backOff, random), signal);
  }
  return false;
}

/** @returns how the socket ended; `undefined` when the service did not end it in time */
function stopOnOneSocket(
  provider: SpeechProvider,
  options: EndOptions & { readonly untilMs: number },
): Promise<SocketEnd | undefined> {
  const { orphan = ORPHAN_TIMING, session, url, heard, signal, now, untilMs } = options;
  return new Promise((resolve) => {
    let timer: NodeJS.Timeout | undefined;
    const finish = (end: SocketEnd | undefined): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', giveUp);
      // Also what does not answer `stop` is asked to end.
      socket.close('end');
      resolve(end);
    };
    const giveUp = (): void => finish(undefined);
    const isAlive = (): void => {
      clearTimeout(timer);
      timer = setTimeout(giveUp, Math.min(orphan.silenceMs, untilMs - now()));
    };
    const grant = { sessionId: session.sessionId, url };
    const socket: SpeechSocket = provider.connect(grant, {
      opened: () => {
        isAlive();
        socket.stop();
      },
      acknowledged: isAlive,
      heard: (event) => {
        isAlive();
        heard.take(event);
      },
      closed: finish,
    });
    isAlive();
    signal.addEventListener('abort', giveUp, { once: true });
    if (signal.aborted) giveUp();
  });
}
