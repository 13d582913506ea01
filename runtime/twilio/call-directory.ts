import type { CallParties } from '../model/transcript-event';
import type { Logger } from '../observability/logger';
import { TwilioRestError, type TwilioCall, type TwilioRest } from './twilio-rest';

/** Statuses after which nothing comes (twilio-media-streams.md, 5.6). */
const OVER = new Set(['completed', 'busy', 'failed', 'no-answer', 'canceled']);

/** What Twilio says of a call, for those who can do without: it never rejects, and a question it cannot ask has no answer. */
export class CallDirectory {
  readonly #rest: TwilioRest | undefined;
  readonly #logger: Logger;

  /** @param options.rest absent: Twilio is not asked */
  constructor(options: { readonly rest: TwilioRest | undefined; readonly logger: Logger }) {
    this.#rest = options.rest;
    this.#logger = options.logger;
  }

  /** @param accountSid of the call, for credentials that name none */
  async describe(callSid: string, accountSid: string): Promise<CallParties | undefined> {
    const answer = await this.#ask(callSid, accountSid);
    if (typeof answer === 'string') return undefined;
    const { from, to, direction } = answer;
    return { ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }), direction };
  }

  /**
   * A call that Twilio does not know (any more) is over.
   * @returns `undefined` when Twilio is not asked, or refuses to tell
   */
  async isOver(callSid: string, accountSid: string): Promise<boolean | 'no-answer' | undefined> {
    const answer = await this.#ask(callSid, accountSid);
    if (typeof answer !== 'string') return OVER.has(answer.status);
    if (answer === 'not-found') return true;
    return answer === 'no-answer' ? answer : undefined;
  }

  async #ask(
    callSid: string,
    accountSid: string,
  ): Promise<TwilioCall | 'not-asked' | 'not-found' | 'no-answer' | 'refused'> {
    if (this.#rest === undefined) return 'not-asked';
    try {
      return await this.#rest.fetchCall(callSid, accountSid);
    } catch (error) {
      const known = error instanceof TwilioRestError ? error : undefined;
      if (known?.code === 'not-found') return 'not-found';
      this.#logger.warn(
        { callSid, code: known?.code ?? 'unexpected' },
        'Twilio could not be asked about a call',
      );
      return known?.retryable === true ? 'no-answer' : 'refused';
    }
  }
}
