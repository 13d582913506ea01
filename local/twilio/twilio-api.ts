import { timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import type { ObservedStream } from './call-stream';
import { notAuthenticated, notFound, RestRefusal } from './rest-refusal';
import { REST_RULES } from './rest-rules';
import { takeRestFault, type RestFault, type RestFaultKind, type RestRequest } from './rest-faults';
import { parseStreamForm } from './rest-stream-form';
import { readRestRequest, type RestTarget } from './rest-target';
import type { Call, CallStatus } from './twilio-caller';
import type { CallFacts } from './voice-webhook';

/** A call as the API sees it; without the last two it has no streams. */
export interface ApiCall extends CallFacts, Partial<Pick<Call, 'createStream' | 'stopStream'>> {
  readonly status: CallStatus;
}

/** User name and password of Basic auth: account sid and token, or the sid and secret of an API key. */
export interface RestCredentials {
  readonly username: string;
  readonly password: string;
}

export interface TwilioApiOptions extends RestCredentials {
  /** Others that are let in. */
  readonly more?: readonly RestCredentials[];
  /** Calls that the API knows, looked up anew for each request. */
  readonly calls: () => Iterable<ApiCall>;
  /** Read at each request; counted down. */
  readonly faults?: RestFault[];
  /** Told of each request that was let in, before anything is done. */
  readonly onRequest?: (request: RestRequest) => void;
  readonly createdStatus?: 200 | 201;
  /** 0, the default, takes a free port. */
  readonly port?: number;
}

export interface TwilioApi {
  /** For the setting TWILIO_API_URL; on loopback. */
  readonly url: string;
  /** Safe to call twice. */
  close(): Promise<void>;
}

interface Answer {
  readonly status: number;
  readonly body: object;
}

/** What the relay uses of Twilio's REST API: a call, and its streams (twilio-media-streams.md, 5). */
export async function startTwilioApi(options: TwilioApiOptions): Promise<TwilioApi> {
  const server = createServer((request, response) => {
    // A client that goes away is no fault of this server's.
    serve(request, response, options).catch(() => response.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> =>
    (closing ??= new Promise((resolve) => {
      server.close(() => {
        resolve();
      });
      server.closeAllConnections();
    }));
  return { url: `http://127.0.0.1:${port}`, close };
}

async function serve(
  message: IncomingMessage,
  response: ServerResponse,
  options: TwilioApiOptions,
): Promise<void> {
  const form = new URLSearchParams(await text(message));
  if (!isAuthenticated(message, options)) return send(response, refusal(notAuthenticated()));
  const { request, accountSid } = readRestRequest(message, form);
  options.onRequest?.(request);
  const fault = takeRestFault(options.faults ?? [], request);
  if (fault?.latencyMs !== undefined) await delay(fault.latencyMs);
  const done = (): Answer => answer({ request, accountSid }, form, options);
  applyFault(fault?.answer, { message, response, done });
}

function applyFault(
  fault: RestFaultKind | undefined,
  exchange: { message: IncomingMessage; response: ServerResponse; done: () => Answer },
): void {
  const { message, response, done } = exchange;
  if (fault === undefined) send(response, done());
  else if (fault === 'cut') message.socket.resetAndDestroy();
  else if (fault === 'lost') done();
  else if (fault !== 'silence') {
    const { status, code = status === 429 ? 20429 : 20500 } = fault;
    send(response, refusal(new RestRefusal(status, code, 'made to fail')));
  }
}

function answer(target: RestTarget, form: URLSearchParams, options: TwilioApiOptions): Answer {
  try {
    return perform(target, form, options);
  } catch (error) {
    if (!(error instanceof RestRefusal)) throw error;
    return refusal(error);
  }
}

function perform(
  { request, accountSid }: RestTarget,
  form: URLSearchParams,
  options: TwilioApiOptions,
): Answer {
  const { operation, callSid, stream = '' } = request;
  const call = [...options.calls()].find(
    (each) => each.callSid === callSid && each.accountSid === accountSid,
  );
  if (call === undefined) throw notFound();
  if (operation === 'read call') return { status: 200, body: callBody(call) };
  if (operation === 'create stream' && call.createStream !== undefined) {
    const made = call.createStream(parseStreamForm(form));
    return {
      status: options.createdStatus ?? REST_RULES.createdStatus,
      body: streamBody(call, made, 'in-progress'),
    };
  }
  if (operation === 'stop stream' && call.stopStream !== undefined && form.get('Status') === 'stopped') {
    return { status: 200, body: streamBody(call, call.stopStream(stream), 'stopped') };
  }
  throw notFound();
}

function callBody({ callSid, accountSid, from, to, direction, status }: ApiCall): object {
  return { sid: callSid, account_sid: accountSid, from, to, direction, status };
}

function streamBody(
  { callSid, accountSid }: ApiCall,
  { streamSid, request }: ObservedStream,
  status: string,
): object {
  const path = `/2010-04-01/Accounts/${accountSid}/Calls/${callSid}/Streams/${streamSid}.json`;
  return {
    account_sid: accountSid,
    call_sid: callSid,
    sid: streamSid,
    name: request.name ?? null,
    status,
    date_updated: new Date().toUTCString().replace('GMT', '+0000'),
    uri: path,
  };
}

function isAuthenticated(message: IncomingMessage, options: TwilioApiOptions): boolean {
  const given = Buffer.from(message.headers.authorization ?? '');
  return [options, ...(options.more ?? [])].some(({ username, password }) => {
    const expected = Buffer.from(`Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`);
    return given.length === expected.length && timingSafeEqual(given, expected);
  });
}

function refusal({ status, code, message }: RestRefusal): Answer {
  const moreInfo = `https://www.twilio.com/docs/errors/${code}`;
  return { status, body: { code, message, more_info: moreInfo, status } };
}

function send(response: ServerResponse, { status, body }: Answer): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
