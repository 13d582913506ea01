import type { DialAddress } from './dial-address';
import { type FormAnswer, sendForm } from './signed-request';
import { TwilioError } from './twilio-error';

export type CallDirection = 'inbound' | 'outbound-api' | 'outbound-dial';

/** What Twilio knows of a call before any audio. */
export interface CallFacts {
  readonly callSid: string;
  readonly accountSid: string;
  readonly from: string;
  readonly to: string;
  readonly direction: CallDirection;
}

export interface VoiceWebhook {
  readonly url: string;
  readonly facts: CallFacts;
  readonly authToken?: string;
  readonly dial?: DialAddress;
}

const XML_TYPES = ['text/xml', 'application/xml', 'text/html'];

/**
 * Asks the application what to do with the call: the signed POST of twilio-media-streams.md, 6.
 * @throws TwilioError 11200 when there is no good answer, 12300 when it is not XML.
 */
export async function postVoiceWebhook({ url, facts, authToken, dial }: VoiceWebhook): Promise<FormAnswer> {
  const request = { url, method: 'POST' as const, fields: voiceWebhookFields(facts) };
  const answer = await sendForm({
    ...request,
    ...(authToken !== undefined && { authToken }),
    ...(dial && { dial }),
  }).catch((error: unknown) => {
    throw new TwilioError(11200, 'HTTP retrieval failure: no answer to the voice webhook', { cause: error });
  });
  if (answer.status !== 200) throw new TwilioError(11200, `HTTP retrieval failure: status ${answer.status}`);
  const type = answer.contentType.split(';')[0]?.trim() ?? '';
  if (!XML_TYPES.includes(type)) throw new TwilioError(12300, `Invalid Content-Type: ${type || 'none'}`);
  return answer;
}

/** The form of the first request of a call; an incoming call rings, one made by the API has been answered. */
export function voiceWebhookFields({
  callSid,
  accountSid,
  from,
  to,
  direction,
}: CallFacts): Record<string, string> {
  return {
    AccountSid: accountSid,
    ApiVersion: '2010-04-01',
    CallSid: callSid,
    CallStatus: direction === 'inbound' ? 'ringing' : 'in-progress',
    ...partyFields('Called', to),
    ...partyFields('Caller', from),
    Direction: direction,
    ...partyFields('From', from),
    ...partyFields('To', to),
  };
}

/** Twilio sends empty strings for what it does not know of a number. */
function partyFields(party: string, number: string): Record<string, string> {
  return {
    [party]: number,
    [`${party}City`]: '',
    [`${party}Country`]: 'US',
    [`${party}State`]: '',
    [`${party}Zip`]: '',
  };
}
