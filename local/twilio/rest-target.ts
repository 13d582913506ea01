import type { IncomingMessage } from 'node:http';
import type { RestOperation, RestRequest } from './rest-faults';

export interface RestTarget {
  readonly request: RestRequest;
  /** As the path names it. */
  readonly accountSid: string;
}

const CALL = String.raw`^/2010-04-01/Accounts/(AC[0-9a-f]{32})/Calls/(CA[0-9a-f]{32})`;
const RESOURCES: readonly (readonly [method: string, path: RegExp, operation: RestOperation])[] = [
  ['GET', new RegExp(String.raw`${CALL}\.json$`, 'i'), 'read call'],
  ['POST', new RegExp(String.raw`${CALL}/Streams\.json$`, 'i'), 'create stream'],
  ['POST', new RegExp(String.raw`${CALL}/Streams/([^/]+)\.json$`, 'i'), 'stop stream'],
];

/** Which resource a request is about (twilio-media-streams.md, 5). */
export function readRestRequest({ method, url = '' }: IncomingMessage, form: URLSearchParams): RestTarget {
  const fields = Object.fromEntries(form);
  for (const [verb, path, operation] of RESOURCES) {
    const [, accountSid = '', callSid = '', stream] = (verb === method && path.exec(url)) || [];
    if (callSid === '') continue;
    const named = stream === undefined ? {} : { stream: decodeURIComponent(stream) };
    return { request: { operation, callSid, form: fields, ...named }, accountSid };
  }
  return { request: { operation: 'unknown', callSid: '', form: fields }, accountSid: '' };
}
