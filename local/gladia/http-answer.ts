import { randomBytes } from 'node:crypto';
import type { ServerResponse } from 'node:http';

/** What a request is answered with. */
export interface HttpAnswer {
  readonly status: number;
  /** JSON, bytes for `application/octet-stream`, or nothing. */
  readonly body?: object | Buffer;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A refusal; thrown by the routes, turned into Gladia's envelope (gladia-live.md, 1.6). */
export class HttpRefusal extends Error {
  readonly status: number;
  readonly validationErrors: readonly string[] | undefined;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    message: string,
    {
      validationErrors,
      headers = {},
    }: { validationErrors?: readonly string[]; headers?: Readonly<Record<string, string>> } = {},
  ) {
    super(message);
    this.name = 'HttpRefusal';
    this.status = status;
    this.validationErrors = validationErrors;
    this.headers = headers;
  }
}

export function toEnvelope(
  { status, message, validationErrors, headers }: HttpRefusal,
  path: string,
): HttpAnswer {
  return {
    status,
    headers,
    body: {
      timestamp: new Date().toISOString(),
      path,
      request_id: `G-${randomBytes(4).toString('hex')}`,
      statusCode: status,
      message,
      ...(validationErrors && { validation_errors: validationErrors }),
    },
  };
}

export function sendAnswer(response: ServerResponse, { status, body, headers }: HttpAnswer): void {
  const isBytes = Buffer.isBuffer(body);
  const type = isBytes ? 'application/octet-stream' : 'application/json; charset=utf-8';
  response.writeHead(status, { ...(body && { 'content-type': type }), ...headers });
  response.end(isBytes || body === undefined ? body : JSON.stringify(body));
}
