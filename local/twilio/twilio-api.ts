import { timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { CallStatus } from './twilio-caller';
import type { CallFacts } from './voice-webhook';

export interface ApiCall extends CallFacts {
  readonly status: CallStatus;
}

export interface TwilioApiOptions {
  /** User name and password of Basic auth: account sid and token, or the sid and secret of an API key. */
  readonly username: string;
  readonly password: string;
  /** Calls that the API knows, looked up anew for each request. */
  readonly calls: () => Iterable<ApiCall>;
  /** 0, the default, takes a free port. */
  readonly port?: number;
}

export interface TwilioApi {
  /** For the setting TWILIO_API_URL; on loopback. */
  readonly url: string;
  /** Safe to call twice. */
  close(): Promise<void>;
}

const CALL_PATH = /^\/2010-04-01\/Accounts\/(AC[0-9a-f]{32})\/Calls\/(CA[0-9a-f]{32})\.json$/i;
const NOT_FOUND = { status: 404, code: 20404, message: 'The requested resource was not found' };
const NOT_AUTHENTICATED = { status: 401, code: 20003, message: 'Authenticate' };

/** The one resource of Twilio's REST API that the relay reads: a call (twilio-media-streams.md, 5.6). */
export async function startTwilioApi(options: TwilioApiOptions): Promise<TwilioApi> {
  const server = createServer((request, response) => {
    answer(request, response, options);
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

function answer(request: IncomingMessage, response: ServerResponse, options: TwilioApiOptions): void {
  if (!isAuthenticated(request, options)) return refuse(response, NOT_AUTHENTICATED);
  const [, accountSid, callSid] = CALL_PATH.exec(request.url ?? '') ?? [];
  const call = [...options.calls()].find(
    (each) => each.callSid === callSid && each.accountSid === accountSid,
  );
  if (request.method !== 'GET' || call === undefined) return refuse(response, NOT_FOUND);
  const { from, to, direction, status } = call;
  sendJson(response, 200, { sid: call.callSid, account_sid: call.accountSid, from, to, direction, status });
}

function isAuthenticated(request: IncomingMessage, { username, password }: TwilioApiOptions): boolean {
  const expected = Buffer.from(`Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`);
  const given = Buffer.from(request.headers.authorization ?? '');
  return given.length === expected.length && timingSafeEqual(given, expected);
}

function refuse(response: ServerResponse, { status, code, message }: typeof NOT_FOUND): void {
  sendJson(response, status, {
    code,
    message,
    more_info: `https://www.twilio.com/docs/errors/${code}`,
    status,
  });
}

function sendJson(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
