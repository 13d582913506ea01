import { isSid } from './sid';

const EVENTS = ['stream-started', 'stream-stopped', 'stream-error'] as const;

/**
 * What Twilio says of a stream over HTTP (twilio-media-streams.md, 4). Its order relative to the stream's own messages,
 * and whether `stream-stopped` follows `stream-error`, are UNKNOWN.
 */
export interface StreamStatusEvent {
  readonly callSid: string;
  readonly streamSid: string;
  readonly streamEvent: (typeof EVENTS)[number];
  readonly accountSid?: string;
  /** The name the stream was given, or its sid. */
  readonly streamName?: string;
  /** Words for people; their form is UNKNOWN. */
  readonly streamError?: string;
}

/** @returns nothing when the form is no stream status */
export function parseStreamStatus(form: URLSearchParams): StreamStatusEvent | undefined {
  const callSid = form.get('CallSid') ?? '';
  const streamSid = form.get('StreamSid') ?? '';
  const streamEvent = EVENTS.find((event) => event === form.get('StreamEvent'));
  if (!isSid(callSid) || !isSid(streamSid) || streamEvent === undefined) return undefined;
  return {
    callSid,
    streamSid,
    streamEvent,
    ...optional('accountSid', form.get('AccountSid')),
    ...optional('streamName', form.get('StreamName')),
    ...optional('streamError', form.get('StreamError')),
  };
}

function optional<Name extends string>(name: Name, value: string | null): { readonly [N in Name]?: string } {
  return value === null || value === '' ? {} : ({ [name]: value } as { [N in Name]: string });
}
