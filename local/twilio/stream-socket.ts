import type { ClientRequest } from 'node:http';
import { WebSocket } from 'ws';
import { type DialAddress, dialTargetOf } from './dial-address';

export interface StreamSocketOptions {
  /** The stream's wss URL. */
  readonly url: string;
  /** 28 characters, or nothing to leave the header out. */
  readonly signature?: string;
  readonly dial?: DialAddress;
  /** For connection and answer together. Twilio's own limits are UNKNOWN; 5 s is our choice. */
  readonly connectTimeoutMs?: number;
}

const CONNECT_TIMEOUT_MS = 5000;

/**
 * Opens the socket of a stream with exactly the headers that Twilio sends, in their order: no Origin, no
 * subprotocol, no extensions (twilio-media-streams.md, 2.1). The query is left off, as Twilio does (1.4).
 */
export function openStreamSocket(options: StreamSocketOptions): WebSocket {
  const { headers, host, port, isTls, path } = dialTargetOf(
    options.url.replace(/[?#].*$/s, ''),
    options.dial,
  );
  const address = `${isTls ? 'wss' : 'ws'}://${host}:${port}${path}`;
  return new WebSocket(address, {
    perMessageDeflate: false,
    followRedirects: false,
    handshakeTimeout: options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS,
    finishRequest: (request) => {
      sendTwiliosHeaders(request, headers, options.signature);
    },
  });
}

function sendTwiliosHeaders(
  request: ClientRequest,
  hostHeaders: Readonly<Record<string, string>>,
  signature: string | undefined,
): void {
  const key = request.getHeader('sec-websocket-key') ?? '';
  for (const name of request.getHeaderNames()) request.removeHeader(name);
  const { host = '', ...forwarded } = hostHeaders;
  const headers = {
    host,
    'user-agent': 'Twilio.TmeWs/1.0',
    connection: 'Upgrade',
    upgrade: 'websocket',
    'sec-websocket-version': '13',
    'sec-websocket-key': key,
    ...(signature !== undefined && { 'x-twilio-signature': signature }),
    ...forwarded,
  };
  for (const [name, value] of Object.entries(headers)) request.setHeader(name, value);
  request.end();
}
