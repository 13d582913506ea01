import type { Secret } from '../model/secret';

/** What the relay knows of a Twilio account. Any of it may be missing. */
export interface TwilioCredentials {
  readonly accountSid?: string;
  /** Any of them may have signed a request. Empty: no signature can be checked. */
  readonly authTokens: readonly Secret[];
  /** For the REST API; it signs nothing (twilio-media-streams.md, 3.3). */
  readonly apiKey?: { readonly sid: string; readonly secret: Secret };
}
