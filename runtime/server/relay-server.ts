import { once } from 'node:events';
import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerOptions,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { setTimeout } from 'node:timers/promises';
import { KEEP_ALIVE_TIMEOUT_MS } from '../contract/durations';
import type { Logger } from '../observability/logger';
import type { Metrics } from '../observability/metrics';
import { splitTarget, type HttpReply, type Route } from './http-route';
import { readBody } from './request-body';
import { refuseUpgrade, UpgradeGuard, type UpgradeDoor } from './upgrade-door';

export interface HttpServerOptions<Grant> {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** The setting that `port` comes from, for the error when it cannot be had. */
  readonly portSetting: string;
  readonly routes: readonly Route[];
  /** Without one no upgrade is taken. */
  readonly upgrade?: UpgradeDoor<Grant>;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Open ones, WebSockets among them; more are cut at once. Default: no bound. */
  readonly maxConnections?: number;
  /** Default 64 KiB. */
  readonly maxBodyBytes?: number;
  /** Largest WebSocket message. Default 64 KiB; Twilio's are below 1 kB (twilio-media-streams.md, 9). */
  readonly maxMessageBytes?: number;
  /** Default 16 KiB. */
  readonly maxHeaderBytes?: number;
  /** Longest time a client may take to send its request. Default 10 s. */
  readonly requestTimeoutMs?: number;
  /** How long an idle connection is kept. Above a load balancer's idle time-out, or it meets closed ones. Default 130 s. */
  readonly keepAliveTimeoutMs?: number;
  /** Longest wait for the answers under way, at close, and for the peer in a WebSocket's closing handshake. Default 2 s. */
  readonly closeTimeoutMs?: number;
}

export interface HttpServer {
  readonly port: number;
  /** Takes no more connections and waits for the answers under way. Open WebSockets belong to their owners. Safe to call twice. */
  close(): Promise<void>;
}

/** Calls come in bursts: a thousand at once must find a place in the queue. */
const ACCEPT_QUEUE = 4096;
const CLIENT_ERRORS: Readonly<Record<string, { readonly status: number; readonly reason: string }>> = {
  ERR_HTTP_REQUEST_TIMEOUT: { status: 408, reason: 'too-slow' },
  HPE_HEADER_OVERFLOW: { status: 431, reason: 'header-too-large' },
};
const BAD_REQUEST = { status: 400, reason: 'bad-request' };

type LimitOptions = Pick<
  HttpServerOptions<unknown>,
  'requestTimeoutMs' | 'keepAliveTimeoutMs' | 'maxHeaderBytes'
>;

/**
 * An HTTP server that knows nothing of what it serves: routes and the upgrade door are data. Everything else is 404.
 *
 * @throws Error that names the setting, when the port cannot be had
 */
export async function startHttpServer<Grant = never>(options: HttpServerOptions<Grant>): Promise<HttpServer> {
  const server = new RelayServer(options);
  await server.listen();
  return server;
}

class RelayServer<Grant> implements HttpServer {
  readonly #options: HttpServerOptions<Grant>;
  readonly #server: Server;
  readonly #guard: UpgradeGuard<Grant> | undefined;
  readonly #maxBodyBytes: number;
  readonly #closeTimeoutMs: number;
  readonly #underWay = new Map<Socket, ServerResponse>();
  #port = 0;
  #closing: Promise<void> | undefined;

  constructor(options: HttpServerOptions<Grant>) {
    this.#options = options;
    this.#maxBodyBytes = options.maxBodyBytes ?? 64 * 1024;
    this.#closeTimeoutMs = options.closeTimeoutMs ?? 2_000;
    const limits = {
      maxMessageBytes: options.maxMessageBytes ?? 64 * 1024,
      closeTimeoutMs: this.#closeTimeoutMs,
    };
    this.#guard = options.upgrade && new UpgradeGuard(options.upgrade, limits, options.logger);
    this.#server = createServer(serverLimits(options));
    this.#server.on('request', (request, response) => void this.#onRequest(request, response));
    this.#server.on('upgrade', (request, socket, head) => this.#onUpgrade(request, socket, head));
    if (options.maxConnections !== undefined) this.#server.maxConnections = options.maxConnections;
    this.#server.on('drop', () => this.#options.metrics.count('requestsRefused', 1, 'too-many-connections'));
    this.#server.on('clientError', (error, socket) => this.#onClientError(error, socket));
  }

  get port(): number {
    return this.#port;
  }

  async listen(): Promise<void> {
    const { host, port, portSetting, logger } = this.#options;
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', (error: NodeJS.ErrnoException) =>
        reject(new Error(`${portSetting}: ${listenProblem(error, port)}`, { cause: error })),
      );
      this.#server.listen({ host, port, backlog: ACCEPT_QUEUE }, resolve);
    });
    this.#server.removeAllListeners('error');
    // Such as no descriptor left: that connection is lost, the server goes on.
    this.#server.on('error', (error: NodeJS.ErrnoException) =>
      logger.error({ code: error.code }, 'A connection could not be accepted'),
    );
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** Node's server reports its close only when every upgraded socket is gone too: these are not waited for here. */
  async #close(): Promise<void> {
    this.#server.close();
    this.#server.closeIdleConnections();
    const answered = Promise.all([...this.#underWay.values()].map((response) => once(response, 'close')));
    const limit = new AbortController();
    const late = setTimeout(this.#closeTimeoutMs, undefined, { signal: limit.signal }).catch(() => undefined);
    await Promise.race([answered, late]);
    limit.abort();
    this.#server.closeAllConnections();
  }

  /** The boundary of one request: nothing that happens in it leaves it. */
  async #onRequest(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { socket } = request;
    if (this.#underWay.has(socket)) return this.#cutPipeline(socket);
    this.#underWay.set(socket, response);
    response.once('close', () => this.#underWay.delete(socket));
    try {
      send(response, await this.#answer(request));
    } catch (error) {
      if (response.destroyed) return;
      this.#options.logger.error({ err: error }, 'A request could not be processed');
      send(response, this.#refuse(500, 'failed'));
    }
  }

  async #answer(request: IncomingMessage): Promise<HttpReply> {
    const { method = '', headers } = request;
    const { path, query } = splitTarget(request.url ?? '');
    const route = this.#options.routes.find(
      ({ methods, paths }) => methods.includes(method) && paths.includes(path),
    );
    if (route === undefined) return this.#refuse(404, 'not-found');
    const body = await readBody(request, this.#maxBodyBytes);
    if (body === undefined) return this.#refuse(413, 'body-too-large');
    return route.handle({ method, path, query, headers, body });
  }

  #onUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => socket.destroy());
    // The answer under way would be written into the WebSocket.
    if (this.#underWay.has(request.socket)) return this.#cutPipeline(request.socket);
    const { path } = splitTarget(request.url ?? '');
    const isOurs = request.method === 'GET' && this.#options.upgrade?.paths.includes(path) === true;
    if (this.#guard === undefined || !isOurs) {
      refuseUpgrade(socket, this.#refuse(404, 'not-found').status);
    } else if (this.#closing !== undefined) {
      refuseUpgrade(socket, this.#refuse(503, 'draining').status);
    } else {
      void this.#guard.pass(request, socket, head);
    }
  }

  /** Not HTTP, too slow, or too large a header. */
  #onClientError(error: NodeJS.ErrnoException, socket: Duplex): void {
    const { status, reason } = CLIENT_ERRORS[error.code ?? ''] ?? BAD_REQUEST;
    this.#options.metrics.count('requestsRefused', 1, reason);
    if (error.code === 'ECONNRESET') socket.destroy();
    else refuseUpgrade(socket, status);
  }

  /**
   * Neither Twilio nor a load balancer sends a request before the last one is answered. Thousands of them fit into one
   * piece of the network, and Node tells nothing of those whose connection ends before their turn comes.
   */
  #cutPipeline(socket: Socket): void {
    if (socket.destroyed) return;
    this.#options.metrics.count('requestsRefused', 1, 'pipelined');
    socket.destroy();
  }

  /** An answer without a body, after which the connection is cut: what else was to come is not read. */
  #refuse(status: number, reason: string): HttpReply {
    this.#options.metrics.count('requestsRefused', 1, reason);
    return { status, headers: { connection: 'close' } };
  }
}

function serverLimits({
  requestTimeoutMs = 10_000,
  keepAliveTimeoutMs = KEEP_ALIVE_TIMEOUT_MS,
  maxHeaderBytes = 16 * 1024,
}: LimitOptions): ServerOptions {
  return {
    requestTimeout: requestTimeoutMs,
    headersTimeout: requestTimeoutMs,
    connectionsCheckingInterval: Math.min(1_000, requestTimeoutMs),
    keepAliveTimeout: keepAliveTimeoutMs,
    maxHeaderSize: maxHeaderBytes,
  };
}

function send(response: ServerResponse, { status, headers, body = '' }: HttpReply): void {
  if (response.headersSent) return;
  const length = status === 204 ? {} : { 'content-length': Buffer.byteLength(body) };
  response.writeHead(status, { ...headers, ...length });
  response.end(body);
}

function listenProblem(error: NodeJS.ErrnoException, port: number): string {
  if (error.code === 'EADDRINUSE') return `port ${port} is in use; set another one, or 0 for any free port`;
  if (error.code === 'EACCES') return `port ${port} needs privileges; set one above 1023`;
  return `port ${port} cannot be listened on (${error.code ?? error.message})`;
}
