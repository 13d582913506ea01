import { randomBytes } from 'node:crypto';
import { STREAM_STATUS_PATH } from '../contract/endpoints';
import type { Track } from '../model/audio';
import { streamUrl, webhookUrl } from '../twilio/public-url';
import type { StreamTickets } from '../twilio/stream-tickets';
import type { TwilioRest } from '../twilio/twilio-rest';
import { AtMost } from './at-most';

/** A call, as far as its next stream must be like its last one. */
export interface StreamOfCall {
  readonly callSid: string;
  readonly accountSid: string;
  readonly tracks: readonly Track[];
  readonly parameters: Readonly<Record<string, string>>;
}

export interface StreamStarterOptions {
  readonly rest: Pick<TwilioRest, 'createStream' | 'stopStream'>;
  readonly tickets: Pick<StreamTickets, 'issue'>;
  /** The setting `PUBLIC_URL`: some task behind it takes the stream. */
  readonly publicUrl: string;
  readonly mediaPath: string;
}

/** At once, of each kind: a hundred calls of a dying task would be refused by Twilio (design 4). */
const MOST_REQUESTS = 10;

/** Makes streams on live calls, for whichever task the load balancer gives them to, and stops streams. */
export class StreamStarter {
  readonly #options: StreamStarterOptions;
  readonly #starts = new AtMost(MOST_REQUESTS);
  /** Not behind hundreds of starts: until its old stream stops, a call has two. */
  readonly #stops = new AtMost(MOST_REQUESTS);

  constructor(options: StreamStarterOptions) {
    this.#options = options;
  }

  /**
   * @param isWanted asked when its turn has come, which may take as long as there are calls
   * @returns the new stream's sid; nothing when it is not wanted any more @throws TwilioRestError
   */
  start(
    { callSid, accountSid, tracks, parameters }: StreamOfCall,
    isWanted: () => boolean,
  ): Promise<string | undefined> {
    const { rest, tickets, publicUrl, mediaPath } = this.#options;
    const stream = {
      url: streamUrl(publicUrl, mediaPath),
      name: `callscript-${randomBytes(8).toString('hex')}`,
      tracks,
      statusCallback: webhookUrl(publicUrl, STREAM_STATUS_PATH),
    };
    return this.#starts.run(async () => {
      if (!isWanted()) return undefined;
      // When its turn has come, because a ticket does not last. First, because Twilio takes so many parameters.
      const ticket = await tickets.issue({ callSid, accountSid });
      return rest.createStream(callSid, accountSid, {
        ...stream,
        parameters: { ...ticket, ...parameters, ...ticket },
      });
    });
  }

  /** @throws TwilioRestError */
  stop(call: Pick<StreamOfCall, 'callSid' | 'accountSid'>, streamSid: string): Promise<void> {
    return this.#stops.run(() => this.#options.rest.stopStream(call.callSid, call.accountSid, streamSid));
  }
}
