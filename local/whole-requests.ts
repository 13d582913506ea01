import type { IncomingMessage, RequestListener, Server } from 'node:http';
import { Readable } from 'node:stream';

/** Of a request's body; more than DynamoDB takes. */
const MAX_BODY_BYTES = 32 * 1024 * 1024;

/**
 * Puts a guard in front of a server whose listener throws when a client goes away in mid-request: the listener sees
 * whole requests only.
 *
 * @returns a function that waits until every request under way is answered
 */
export function guardRequests(server: Server): () => Promise<void> {
  const [listener] = server.listeners('request') as RequestListener[];
  if (listener === undefined) throw new Error('The server has no request listener to guard');
  const underWay = new Set<Promise<void>>();
  server.removeAllListeners('request');
  server.on('request', (request, response) => {
    const answered = new Promise<void>((resolve) => response.once('close', resolve));
    underWay.add(answered);
    void answered.then(() => underWay.delete(answered));
    readWhole(request).then(
      (whole) => listener(whole, response),
      () => response.destroy(),
    );
  });
  return async () => {
    await Promise.all(underWay);
  };
}

/** A request that has arrived completely and so cannot fail any more. */
async function readWhole(request: IncomingMessage): Promise<IncomingMessage> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES) throw new RangeError('The request is too large');
    chunks.push(chunk);
  }
  const { method, url, headers } = request;
  const body = Buffer.concat(chunks);
  return Object.assign(Readable.from(body.length === 0 ? [] : [body]), {
    method,
    url,
    headers,
  }) as IncomingMessage;
}
