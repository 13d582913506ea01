import { Facts, type WaitOptions } from '../facts';
import type { DialAddress } from './dial-address';
import { randomSid } from './random-sids';
import type { RestFault, RestRequest } from './rest-faults';
import type { RestRules } from './rest-rules';
import { startTwilioApi } from './twilio-api';
import { placeCall, type Call, type CallOptions } from './twilio-caller';

export interface LocalTwilioOptions {
  /** Default: made up. */
  readonly accountSid?: string;
  readonly authToken: string;
  /** Lets these in too. */
  readonly apiKey?: { readonly sid: string; readonly secret: string };
  /** Where the public URLs really are; asked for at each call when it is a function. Default: where they say. */
  readonly dial?: DialAddress | (() => DialAddress);
  /** Of calls that bring none of their own. */
  readonly paceFactor?: number;
  readonly restRules?: Partial<RestRules>;
}

/** A Twilio account on this machine: calls come in, and REST knows and forks them. */
export interface LocalTwilio {
  /** For the setting TWILIO_API_URL. */
  readonly apiUrl: string;
  readonly accountSid: string;
  readonly authToken: string;
  /** Every call so far. */
  readonly calls: readonly Call[];
  /** REST requests that were let in, in order. */
  readonly requests: readonly RestRequest[];
  /** May be changed at any time. */
  readonly restFaults: RestFault[];
  /** A call comes in. It is over when its audio is, unless its behaviour says `end: 'never'`. */
  call(options: CallOptions): Call;
  /** Resolves with the first value of `fact` that is something; asked now and after whatever happens to a call. */
  waitFor<T>(fact: () => T | undefined | null | false, options?: WaitOptions): Promise<T>;
  /** Every call is over. */
  hangUp(): void;
  /** Hangs up every call, waits until they are over, and closes. Safe to call twice. */
  close(): Promise<void>;
}

/** Starts it; the REST API listens on a free port of loopback. */
export async function startTwilio(options: LocalTwilioOptions): Promise<LocalTwilio> {
  const twilio = new Account(options);
  await twilio.listen();
  return twilio;
}

class Account implements LocalTwilio {
  readonly accountSid: string;
  readonly authToken: string;
  readonly calls: Call[] = [];
  readonly requests: RestRequest[] = [];
  readonly restFaults: RestFault[] = [];
  readonly #options: LocalTwilioOptions;
  readonly #facts = new Facts();
  #api: Awaited<ReturnType<typeof startTwilioApi>> | undefined;

  constructor(options: LocalTwilioOptions) {
    this.#options = options;
    this.accountSid = options.accountSid ?? randomSid('AC');
    this.authToken = options.authToken;
  }

  get apiUrl(): string {
    return this.#api?.url ?? '';
  }

  async listen(): Promise<void> {
    const { apiKey, restRules } = this.#options;
    this.#api = await startTwilioApi({
      username: this.accountSid,
      password: this.authToken,
      ...(apiKey && { more: [{ username: apiKey.sid, password: apiKey.secret }] }),
      ...(restRules?.createdStatus && { createdStatus: restRules.createdStatus }),
      calls: () => this.calls,
      faults: this.restFaults,
      onRequest: (request) => {
        this.requests.push(request);
        this.#facts.changed();
      },
    });
  }

  call(options: CallOptions): Call {
    const { dial, paceFactor, restRules } = this.#options;
    const dialled = typeof dial === 'function' ? dial() : dial;
    const call = placeCall({
      ...(dialled && { dial: dialled }),
      ...(paceFactor !== undefined && { paceFactor }),
      ...(restRules && { restRules }),
      accountSid: this.accountSid,
      authToken: this.authToken,
      endsWithAudio: true,
      ...options,
      onChange: () => {
        options.onChange?.();
        this.#facts.changed();
      },
    });
    this.calls.push(call);
    return call;
  }

  waitFor<T>(fact: () => T | undefined | null | false, options?: WaitOptions): Promise<T> {
    return this.#facts.waitFor(fact, options);
  }

  hangUp(): void {
    for (const call of this.calls) call.hangUp();
  }

  async close(): Promise<void> {
    this.hangUp();
    await Promise.all(this.calls.map(({ over }) => over));
    await this.#api?.close();
  }
}
