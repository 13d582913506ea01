import { randomUUID } from 'node:crypto';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { type DialAddress, dialTargetOf } from './dial-address';
import { twilioSignatureOf, webhookUrlToSign } from './twilio-signature-of';

export interface FormRequest {
  /** Absolute http or https URL. */
  readonly url: string;
  readonly method: 'GET' | 'POST';
  readonly fields: Readonly<Record<string, string>>;
  /** Signs the request; without it no signature is sent. */
  readonly authToken?: string;
  readonly dial?: DialAddress;
  /** For the whole answer. */
  readonly timeoutMs?: number;
}

export interface FormAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

/** Twilio gives a webhook 15 s in total (twilio-media-streams.md, 6). */
const TIMEOUT_MS = 15_000;
/** Largest TwiML plus what shows that it was larger (11750). */
const MAX_BODY_BYTES = 65_537;

/**
 * Sends fields as Twilio sends a webhook: a signed form, or for GET a signed query.
 * Rejects when nobody answers in time; any HTTP status is an answer.
 */
export function sendForm(form: FormRequest): Promise<FormAnswer> {
  const encoded = new URLSearchParams(form.fields).toString();
  const isPost = form.method === 'POST';
  const url = isPost ? form.url : `${form.url}${form.url.includes('?') ? '&' : '?'}${encoded}`;
  const target = dialTargetOf(url, form.dial);
  const headers = {
    ...target.headers,
    ...signatureHeader(form, url),
    'i-twilio-idempotency-token': randomUUID(),
    'user-agent': 'TwilioProxy/1.1',
    accept: '*/*',
    ...(isPost ? bodyHeaders(encoded) : {}),
  };
  const send = target.isTls ? httpsRequest : httpRequest;
  const { host, port, path } = target;
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(form.timeoutMs ?? TIMEOUT_MS);
    const options = { host, port, path, method: form.method, headers, signal, agent: false as const };
    const request = send(options, (response) => {
      readBody(response).then(resolve, reject);
    });
    request.on('error', reject);
    request.end(isPost ? encoded : undefined);
  });
}

function signatureHeader({ authToken, method, fields }: FormRequest, url: string): Record<string, string> {
  if (authToken === undefined) return {};
  const signed = { authToken, url: webhookUrlToSign(url), ...(method === 'POST' ? { fields } : {}) };
  return { 'x-twilio-signature': twilioSignatureOf(signed) };
}

function bodyHeaders(encoded: string): Record<string, string> {
  return {
    'content-type': 'application/x-www-form-urlencoded; charset=UTF-8',
    'content-length': String(Buffer.byteLength(encoded)),
  };
}

async function readBody(response: IncomingMessage): Promise<FormAnswer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    if (bytes < MAX_BODY_BYTES) chunks.push(chunk);
    bytes += chunk.length;
  }
  const body = Buffer.concat(chunks).toString('utf8');
  return { status: response.statusCode ?? 0, contentType: response.headers['content-type'] ?? '', body };
}
