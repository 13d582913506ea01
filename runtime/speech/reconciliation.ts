import type { Clock } from '../model/clock';
import type { SessionFacts } from '../model/transcript-event';
import type { Logger } from '../observability/logger';
import type { AudioAccount, SessionVerdict } from './audio-account';
import { awaitFinalResult } from './final-result';
import type { RecognitionTiming } from './recognition-timing';
import type { SessionResult, SpeechProvider, SpokenUtterance } from './speech-provider';
import type { SpeechSession } from './speech-session';

export interface ReconciliationOptions {
  readonly provider: SpeechProvider;
  readonly timing: RecognitionTiming;
  readonly now: Clock;
  readonly random: () => number;
  readonly logger: Logger;
  /** Results are no longer wanted: what is known then decides. */
  readonly signal: AbortSignal;
  readonly account: AudioAccount;
  /** An utterance of the result, in the session's part of the leg: was it heard live? If not, it is told. */
  readonly recover: (session: SpeechSession, utterance: SpokenUtterance, index: number) => void;
  readonly summary: (session: SpeechSession, text: string) => void;
  readonly closed: (session: SpeechSession, facts: SessionFacts | undefined) => void;
  readonly onFault: (error: unknown) => void;
}

/** Compares what came live with each session's final result, and writes down in the books what became of its audio. */
export class Reconciliation {
  readonly #options: ReconciliationOptions;
  readonly #underWay = new Set<Promise<void>>();

  constructor(options: ReconciliationOptions) {
    this.#options = options;
  }

  /** Resolves when every session that is over has been compared. */
  async settled(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.allSettled([...this.#underWay]);
  }

  /**
   * A session is over. Its result is compared once it is known which part of the leg is its own: the session that takes
   * over says where it begins.
   */
  begin(session: SpeechSession, verdict: SessionVerdict): void {
    session.isOver = true;
    const done = Promise.all([this.finalResult(session), session.extent])
      .then(([result]) => this.#compare(session, verdict, result))
      .catch(this.#options.onFault)
      .finally(() => this.#underWay.delete(done));
    this.#underWay.add(done);
  }

  /** A session that never answered has no result to wait for. */
  finalResult(session: SpeechSession): Promise<SessionResult | undefined> {
    return session.hasAnswered
      ? awaitFinalResult(session.grant.sessionId, this.#options)
      : Promise.resolve(undefined);
  }

  #compare(session: SpeechSession, verdict: SessionVerdict, result: SessionResult | undefined): void {
    const { account, recover, summary, closed } = this.#options;
    session.noteResult(result);
    result?.utterances.forEach((utterance, index) => recover(session, utterance, index));
    if (result?.summary !== undefined && !session.hasSummary) summary(session, result.summary);
    const after = verdictAfter(verdict, session.isWholeByDuration, result !== undefined);
    account.closeSession(session.number, after, session.heldToByte);
    closed(session, result?.facts);
  }
}

/** A session's audio is accepted when it ended well and reports all of it; a result with less of it means loss of the rest. */
function verdictAfter(
  verdict: SessionVerdict,
  isWhole: boolean | undefined,
  hasResult: boolean,
): SessionVerdict {
  if (isWhole === true && (verdict === 'accepted' || hasResult)) return 'accepted';
  return isWhole === false && hasResult ? 'lost' : 'unconfirmed';
}
