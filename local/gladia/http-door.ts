import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { takeHttpFault, type GladiaFaults, type HttpFault } from './faults';
import { HttpRefusal, sendAnswer, toEnvelope, type HttpAnswer } from './http-answer';
import { route, type SessionRegistry } from './http-routes';

const MOST_BODY_BYTES = 1024 * 1024;

/** What was asked and what was answered; 0 when the answer was withheld. */
export interface ServedRequest {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly status: number;
}

export interface HttpDoorOptions {
  readonly registry: SessionRegistry;
  readonly faults: GladiaFaults;
  readonly onServed: (request: ServedRequest) => void;
}

/** The HTTP side of the server: reads, applies the faults, routes, answers. */
export function createHttpDoor(options: HttpDoorOptions): RequestListener {
  return (request, response) => {
    response.on('error', () => response.destroy());
    void serve(options, request, response).catch((error: unknown) => {
      // The client went away while its body was read; there is nobody to answer.
      response.destroy(error instanceof Error ? error : undefined);
    });
  };
}

async function serve(
  options: HttpDoorOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const method = request.method ?? 'GET';
  const url = new URL(request.url ?? '/', `http://${request.headers.host ?? '127.0.0.1'}`);
  const text = await readBody(request);
  const fault = takeHttpFault(options.faults, { method, path: url.pathname, body: tryParse(text) });
  if (fault?.latencyMs !== undefined) await delay(fault.latencyMs, undefined, { ref: false });
  const answer =
    faultyAnswer(fault, url) ?? answerTo(options.registry, { method, url, headers: request.headers, text });
  const withheld = fault?.answer === 'hang' || fault?.answer === 'lost';
  options.onServed({ method, path: url.pathname, query: url.search, status: withheld ? 0 : answer.status });
  if (fault?.answer === 'hang') return;
  if (fault?.answer === 'lost') response.destroy();
  else if (fault?.answer === 'invalid-json') sendBroken(response, answer.status);
  else sendAnswer(response, answer);
}

/** The answer that takes the place of the work; `hang` does nothing, the other faults do the work first. */
function faultyAnswer(fault: HttpFault | undefined, url: URL): HttpAnswer | undefined {
  if (fault?.answer === 'hang') return { status: 0 };
  if (typeof fault?.answer !== 'object') return undefined;
  const { status, message = `Fault: status ${status}`, headers = {} } = fault.answer;
  return toEnvelope(new HttpRefusal(status, message, { headers }), url.pathname);
}

interface TextRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: IncomingMessage['headers'];
  readonly text: string | null;
}

function answerTo(registry: SessionRegistry, { method, url, headers, text }: TextRequest): HttpAnswer {
  try {
    if (text === null) throw new HttpRefusal(413, `the body is over ${MOST_BODY_BYTES} bytes`);
    return route(registry, { method, url, headers, body: parse(text) });
  } catch (error) {
    if (error instanceof HttpRefusal) return toEnvelope(error, url.pathname);
    throw error;
  }
}

/** The body as text, or null when it is too large. */
async function readBody(request: IncomingMessage): Promise<string | null> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request) {
    const bytes = Buffer.from(chunk as Uint8Array);
    length += bytes.length;
    if (length <= MOST_BODY_BYTES) chunks.push(bytes);
  }
  return length > MOST_BODY_BYTES ? null : Buffer.concat(chunks).toString('utf8');
}

function parse(text: string): unknown {
  if (text === '') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    throw new HttpRefusal(400, 'the body is not JSON');
  }
}

function tryParse(text: string | null): unknown {
  try {
    return parse(text ?? '');
  } catch {
    return undefined;
  }
}

function sendBroken(response: ServerResponse, status: number): void {
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8' });
  response.end('{"id":"');
}
