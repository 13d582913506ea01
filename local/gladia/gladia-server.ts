import { createServer, STATUS_CODES, type IncomingMessage, type Server } from 'node:http';
import { Socket, type AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import { createFaults, faultsOf, type GladiaFaults } from './faults';
import { createHttpDoor, type ServedRequest } from './http-door';
import type { SessionRegistry } from './http-routes';
import { LiveSession, type SessionLimits } from './live-session';
import type { ObservedSession } from './observed-session';
import type { Recogniser } from './recogniser';
import { serveSocket } from './session-socket';

/** Gladia's limit for a WebSocket message (gladia-live.md, 2.2). */
const MOST_MESSAGE_BYTES = 1024 * 1024;

export interface GladiaServerOptions {
  /** Owned by the caller, who closes it after the server. */
  readonly recogniser: Recogniser;
  /** Default 0: a free one. Always on 127.0.0.1. */
  readonly port?: number;
  /** Keys that are let in. Default: `local-gladia-key`. */
  readonly apiKeys?: readonly string[];
  /** Further sessions get 429. Default: no limit. */
  readonly maxConcurrentSessions?: number;
  /** Default `everything`; `digest` keeps length and SHA-256 of the audio, and no partials. */
  readonly keep?: 'everything' | 'digest';
  /** Defaults: 30 s, off, 3 h, 4403 (the real code is UNKNOWN), 200 ms. */
  readonly limits?: Partial<SessionLimits>;
  /** Upgrade answer for a token that is not known. The real one is UNKNOWN. Default 403. */
  readonly unknownTokenStatus?: number;
  /** After so many messages over 1 MiB a session's upgrades are refused with 403. Default 3. */
  readonly oversizedUntilRefused?: number;
}

export interface WaitOptions {
  /** Default 10 s. */
  readonly timeoutMs?: number;
  /** For the error message. */
  readonly what?: string;
}

export interface GladiaServer {
  /** `http://127.0.0.1:PORT`, for GLADIA_API_URL. */
  readonly url: string;
  readonly port: number;
  /** Which recogniser is used; the caller prints it. */
  readonly recogniserName: string;
  /** May be changed at any time. */
  readonly faults: GladiaFaults;
  /** Every session since the start, in order of creation. */
  readonly sessions: readonly ObservedSession[];
  /** Every HTTP request that was answered, or withheld (status 0); upgrades are not among them. */
  readonly requests: readonly ServedRequest[];
  /** HTTP status of every upgrade, 101 for the ones let in. */
  readonly upgrades: readonly number[];
  /** Sessions that hold a slot: their job is neither done nor in error. */
  readonly openSessions: number;
  readonly maxOpenSessions: number;
  /** Called after everything that happens, once a turn of the event loop; gives the way to stop that. */
  onChange(listener: () => void): () => void;
  /**
   * Resolves with the first value of `fact` that is neither undefined, null nor false; asked now and after everything
   * that happens. Rejects after the time-out.
   */
  waitFor<T>(fact: (server: GladiaServer) => T | undefined | null | false, options?: WaitOptions): Promise<T>;
  /** Cuts every socket and frees everything but the recogniser. Idempotent. */
  close(): Promise<void>;
}

const DEFAULT_LIMITS: SessionLimits = {
  noAudioMs: 30_000,
  noTextMs: null,
  lifetimeMs: 3 * 60 * 60 * 1000,
  lifetimeCloseCode: 4403,
  processingMs: 200,
};

/** Starts a local Gladia: the live API over HTTP and WebSocket (gladia-live.md, 9). Rejects when the port is taken. */
export async function startGladiaServer(options: GladiaServerOptions): Promise<GladiaServer> {
  const server = new LocalGladia(options);
  await server.listen(options.port ?? 0);
  return server;
}

class LocalGladia implements GladiaServer, SessionRegistry {
  readonly faults = createFaults();
  readonly sessions: LiveSession[] = [];
  readonly requests: ServedRequest[] = [];
  readonly upgrades: number[] = [];
  maxOpenSessions = 0;
  readonly #options: GladiaServerOptions;
  readonly #limits: SessionLimits;
  readonly #http: Server;
  readonly #sockets = new WebSocketServer({
    noServer: true,
    maxPayload: MOST_MESSAGE_BYTES,
    perMessageDeflate: false,
  });
  readonly #byToken = new Map<string, LiveSession>();
  readonly #removed = new Set<LiveSession>();
  readonly #listeners = new Set<() => void>();
  #changePending = false;
  #closed: Promise<void> | undefined;

  constructor(options: GladiaServerOptions) {
    this.#options = options;
    this.#limits = { ...DEFAULT_LIMITS, ...options.limits };
    const onServed = (request: ServedRequest): void => {
      this.requests.push(request);
      this.#changed();
    };
    this.#http = createServer(createHttpDoor({ registry: this, faults: this.faults, onServed }));
    this.#http.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head));
  }

  get recogniser(): Recogniser {
    return this.#options.recogniser;
  }

  get recogniserName(): string {
    return this.recogniser.name;
  }

  get apiKeys(): readonly string[] {
    return this.#options.apiKeys ?? ['local-gladia-key'];
  }

  get maxConcurrentSessions(): number {
    return this.#options.maxConcurrentSessions ?? Infinity;
  }

  get port(): number {
    return (this.#http.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get openSessions(): number {
    return this.slotsInUse();
  }

  listen(port: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#http.once('error', reject);
      this.#http.listen(port, '127.0.0.1', () => {
        this.#http.off('error', reject);
        resolve();
      });
    });
  }

  slotsInUse(): number {
    return this.sessions.filter(({ jobStatus }) => jobStatus === 'queued' || jobStatus === 'processing')
      .length;
  }

  create(
    body: LiveSession['body'],
    request: ConstructorParameters<typeof LiveSession>[0]['request'],
  ): LiveSession {
    const session = new LiveSession({
      number: this.sessions.length,
      body,
      request,
      recogniser: this.recogniser,
      faults: this.faults,
      limits: this.#limits,
      keep: this.#options.keep ?? 'everything',
      onChange: () => this.#changed(),
    });
    this.sessions.push(session);
    this.#byToken.set(session.token, session);
    this.maxOpenSessions = Math.max(this.maxOpenSessions, this.slotsInUse());
    return session;
  }

  find(id: string): LiveSession | undefined {
    return this.list().find((session) => session.id === id);
  }

  list(): readonly LiveSession[] {
    return this.sessions.filter((session) => !this.#removed.has(session));
  }

  remove(session: LiveSession): void {
    this.#removed.add(session);
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  waitFor<T>(
    fact: (server: GladiaServer) => T | undefined | null | false,
    options: WaitOptions = {},
  ): Promise<T> {
    const { timeoutMs = 10_000, what = 'a fact about the Gladia server' } = options;
    return new Promise((resolve, reject) => {
      const finish = (): void => {
        stopListening();
        clearTimeout(timer);
      };
      const check = (): void => {
        try {
          const value = fact(this);
          if (value === undefined || value === null || value === false) return;
          finish();
          resolve(value);
        } catch (error) {
          finish();
          reject(error instanceof Error ? error : new Error(String(error)));
        }
      };
      const timer = setTimeout(() => {
        finish();
        reject(new Error(`waited ${timeoutMs} ms for ${what}; sessions: ${this.#describe()}`));
      }, timeoutMs);
      const stopListening = this.onChange(check);
      check();
    });
  }

  close(): Promise<void> {
    this.#closed ??= new Promise((resolve) => {
      for (const session of this.sessions) session.dispose();
      for (const client of this.#sockets.clients) client.terminate();
      this.#http.close(() => resolve());
      this.#http.closeAllConnections();
    });
    return this.#closed;
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => socket.destroy());
    const session = this.#sessionOf(request);
    const refusal = this.#refusalOf(session);
    this.upgrades.push(refusal ?? 101);
    if (session === undefined || refusal !== undefined || !(socket instanceof Socket))
      refuseUpgrade(socket, refusal ?? 400);
    else {
      this.#sockets.handleUpgrade(request, socket, head, (ws) => {
        if (session.state !== 'ended') serveSocket(ws, socket, session);
        // Seen at the real API: the handshake succeeds, then 4403 (gladia-live.md, 2.5).
        else ws.close(4403, 'Session already ended');
      });
    }
    this.#changed();
  }

  #sessionOf(request: IncomingMessage): LiveSession | undefined {
    const url = new URL(request.url ?? '/', 'http://127.0.0.1');
    return url.pathname === '/v2/live' ? this.#byToken.get(url.searchParams.get('token') ?? '') : undefined;
  }

  #refusalOf(session: LiveSession | undefined): number | undefined {
    if (session === undefined) return this.#options.unknownTokenStatus ?? 403;
    if (session.oversizedMessages >= (this.#options.oversizedUntilRefused ?? 3)) return 403;
    return faultsOf(this.faults, session).upgradeStatus ?? undefined;
  }

  /** Listeners hear of a burst once: thousands of frames a second must not cost a check each. */
  #changed(): void {
    if (this.#changePending || this.#listeners.size === 0) return;
    this.#changePending = true;
    setImmediate(() => {
      this.#changePending = false;
      for (const listener of [...this.#listeners]) listener();
    });
  }

  #describe(): string {
    const facts = this.sessions.map(
      ({ state, connected, connections, acceptedBytes, finals }) =>
        `${state}, ${connected ? 'connected' : 'not connected'}, ${connections} connections, ${acceptedBytes} bytes, ${finals.length} finals`,
    );
    return facts.join(' | ') || 'none';
  }
}

function refuseUpgrade(socket: Duplex, status: number): void {
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`,
  );
}
