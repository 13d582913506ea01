import type { DialAddress } from './dial-address';
import { sendForm } from './signed-request';
import type { StreamIdentity } from './stream-messages';

export type StreamEvent = 'stream-started' | 'stream-stopped' | 'stream-error';

export interface StatusCallback extends StreamIdentity {
  readonly url: string;
  readonly method: 'GET' | 'POST';
  readonly streamEvent: StreamEvent;
  /** The stream's name; its sid when it has none. */
  readonly streamName: string;
  /** Only for stream-error. */
  readonly streamError?: string;
  readonly authToken?: string;
  readonly dial?: DialAddress;
}

/** Tells the application about its stream (twilio-media-streams.md, 4). Gives the status of the answer; rejects without one. */
export async function sendStatusCallback(callback: StatusCallback): Promise<number> {
  const { url, method, authToken, dial } = callback;
  const signing = { ...(authToken !== undefined && { authToken }), ...(dial && { dial }) };
  const answer = await sendForm({ url, method, fields: statusCallbackFields(callback), ...signing });
  return answer.status;
}

function statusCallbackFields(callback: StatusCallback): Record<string, string> {
  const { accountSid, callSid, streamSid, streamName, streamEvent, streamError } = callback;
  return {
    AccountSid: accountSid,
    CallSid: callSid,
    StreamSid: streamSid,
    StreamName: streamName,
    StreamEvent: streamEvent,
    ...(streamError !== undefined && { StreamError: streamError }),
    Timestamp: nanosecondTimestamp(),
  };
}

/** ISO 8601 with nanoseconds, as captured; a clock gives milliseconds, the rest is made up. */
function nanosecondTimestamp(): string {
  const madeUp = String(Math.floor(Math.random() * 1_000_000)).padStart(6, '0');
  return new Date().toISOString().replace('Z', `${madeUp}Z`);
}
