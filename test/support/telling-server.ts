import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { WebSocketServer, type WebSocket } from 'ws';

export interface TellingAnswer {
  readonly status: number;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface TellingServerOptions {
  readonly answer: (request: {
    readonly method: string;
    readonly path: string;
    readonly body: string;
  }) => TellingAnswer;
  /** Takes the sockets that are opened there. */
  readonly onSocket?: (socket: WebSocket) => void;
}

export interface TellingServer {
  readonly port: number;
  readonly url: string;
  close(): Promise<void>;
}

/** A neighbour of the relay that answers whatever a test wants it to, over HTTP and WebSocket. */
export async function startTellingServer({ answer, onSocket }: TellingServerOptions): Promise<TellingServer> {
  const server = createServer((message, response) => {
    void text(message).then((body) => {
      const { method = '', url: path = '' } = message;
      const told = answer({ method, path, body });
      response.writeHead(told.status, { 'content-type': 'application/json', ...told.headers }).end(told.body);
    });
  });
  const sockets = new WebSocketServer({ noServer: true });
  server.on('upgrade', (request: IncomingMessage, socket, head) =>
    sockets.handleUpgrade(request, socket, head, (webSocket) => onSocket?.(webSocket)),
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    close: async () => {
      for (const client of sockets.clients) client.terminate();
      server.closeAllConnections();
      await once(server.close(), 'close');
    },
  };
}
