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

  async describe(callSid: string): Promise<CallParties | undefined> {
    const call = await this.#fetch(callSid);
    if (call === undefined) return undefined;
    const { from, to, direction } = call;
    return { ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }), direction };
  }

  /** A call that Twilio does not know (any more) is over. */
  async isOver(callSid: string): Promise<boolean | undefined> {
    const call = await this.#fetch(callSid);
    return call === undefined ? undefined : OVER.has(call.status);
  }

  async #fetch(callSid: string): Promise<TwilioCall | undefined> {
    try {
      return await this.#rest?.fetchCall(callSid);
    } catch (error) {
      const code = error instanceof TwilioRestError ? error.code : 'unexpected';
      this.#logger.warn({ callSid, code }, 'Twilio could not be asked about a call');
      return undefined;
    }
  }
}
