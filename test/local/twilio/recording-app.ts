import { createServer, type IncomingMessage, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';

export interface ReceivedForm {
  readonly method: string;
  readonly path: string;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly fields: Record<string, string>;
}

/** Whatever a message may hold; which of it is there is what tests ask. */
export interface TwilioMessage {
  readonly event: string;
  readonly version: string;
  readonly sequenceNumber: string;
  readonly streamSid: string;
  readonly start: {
    readonly callSid: string;
    readonly tracks: readonly string[];
    readonly mediaFormat: object;
    readonly customParameters: object;
  };
  readonly media: { readonly track: string; readonly payload: string };
  readonly dtmf: { readonly digit: string };
}

export interface MediaSocket {
  readonly request: IncomingMessage;
  readonly socket: WebSocket;
  /** Text messages as they came. */
  readonly texts: string[];
  readonly binaries: Buffer[];
  readonly messages: TwilioMessage[];
  readonly closed: Promise<number>;
}

export interface AppOptions {
  /** Answer of the voice webhook. */
  readonly twiml?: string;
  readonly status?: number;
  readonly contentType?: string;
  /** Refuses the upgrade with this status. */
  readonly refuseWith?: number;
  readonly onSocket?: (media: MediaSocket) => void;
}

/** What the simulated Twilio talks to: answers webhooks with TwiML, takes streams, keeps all that comes. */
export class RecordingApp {
  readonly forms: ReceivedForm[] = [];
  readonly sockets: MediaSocket[] = [];
  readonly order: string[] = [];
  readonly #server: Server;
  readonly #wss = new WebSocketServer({ noServer: true, maxPayload: 32 * 1024 * 1024 });

  private constructor(options: AppOptions) {
    this.#server = createServer((request, response) => {
      void this.#takeForm(request).then(() => {
        if (request.url !== '/voice') return response.writeHead(204).end();
        return response
          .writeHead(options.status ?? 200, { 'content-type': options.contentType ?? 'text/xml' })
          .end(options.twiml ?? '');
      });
    });
    this.#server.on('upgrade', (request, socket, head) => {
      if (options.refuseWith !== undefined) {
        socket.end(`HTTP/1.1 ${options.refuseWith} No\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
        return;
      }
      this.#wss.handleUpgrade(request, socket, head, (ws) => this.#takeSocket(request, ws, options));
    });
  }

  static async start(options: AppOptions = {}): Promise<RecordingApp> {
    const app = new RecordingApp(options);
    app.#server.listen(0, '127.0.0.1');
    await once(app.#server, 'listening');
    return app;
  }

  get dial(): { host: string; port: number } {
    return { host: '127.0.0.1', port: (this.#server.address() as AddressInfo).port };
  }

  get media(): MediaSocket {
    return this.sockets[0]!;
  }

  async close(): Promise<void> {
    for (const client of this.#wss.clients) client.terminate();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #takeForm(request: IncomingMessage): Promise<void> {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    const query = (request.url ?? '').split('?')[1] ?? '';
    const fields = Object.fromEntries(new URLSearchParams(request.method === 'POST' ? body : query));
    this.forms.push({
      method: request.method ?? '',
      path: request.url ?? '',
      headers: request.headers,
      fields,
    });
    this.order.push(fields['StreamEvent'] ?? 'voice');
  }

  #takeSocket(request: IncomingMessage, socket: WebSocket, options: AppOptions): void {
    const closed = new Promise<number>((resolve) => socket.on('close', resolve));
    const media: MediaSocket = { request, socket, texts: [], binaries: [], messages: [], closed };
    this.sockets.push(media);
    this.order.push('socket');
    socket.on('error', () => undefined);
    socket.on('message', (data: Buffer, isBinary) => {
      if (isBinary) return void media.binaries.push(data);
      media.texts.push(data.toString());
      try {
        media.messages.push(JSON.parse(data.toString()) as TwilioMessage);
      } catch {
        // Broken on purpose.
      }
      if (media.messages.at(-1)?.event === 'stop') this.order.push('stop');
    });
    socket.on('close', () => this.order.push('close'));
    options.onSocket?.(media);
  }
}

/** The audio of a track as the messages hold it. */
export function audioOf(media: MediaSocket, track: string): Buffer {
  const frames = media.messages.filter(
    (message) => message.event === 'media' && message.media.track === track,
  );
  return Buffer.concat(frames.map((frame) => Buffer.from(frame.media.payload, 'base64')));
}
