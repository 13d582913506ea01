import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { Facts, type WaitOptions } from '../facts';

export interface Balancer {
  /** On loopback. */
  readonly port: number;
  /** Ports that get new connections, in order of registration. */
  readonly backends: readonly number[];
  /** Live connections of a backend, deregistered or not. */
  connections(backendPort: number): number;
  /** Where the connection from this port of the client's goes; undefined when it is over. */
  backendOf(clientPort: number): number | undefined;
  /** New connections may go there from now on. Safe to call twice. */
  register(backendPort: number): void;
  /** It gets no new connection any more. Those it has are cut, or left to end by themselves. Safe to call twice. */
  deregister(backendPort: number, options: { readonly cutSockets: boolean }): void;
  /** Resolves with the first value of `fact` that is something; asked now and after every connection and its end. */
  waitFor<T>(fact: () => T | undefined | null | false, options?: WaitOptions): Promise<T>;
  /** Cuts everything. Safe to call twice. */
  close(): Promise<void>;
}

interface Pair {
  readonly backendPort: number;
  readonly client: Socket;
  readonly backend: Socket;
  /** The backend has said all: the connection is no load any more. */
  isEnding: boolean;
}

/** What an ALB says when nobody is there, and when somebody who should be is not. */
const NOBODY_THERE = 'HTTP/1.1 503 Service Unavailable';
const NO_CONNECTION = 'HTTP/1.1 502 Bad Gateway';

/**
 * Stands for the load balancer: every new connection goes to the backend with the fewest, and among those to the one
 * whose last one is longest ago. Health is registration and nothing else.
 */
export async function startBalancer(): Promise<Balancer> {
  const balancer = new TcpBalancer();
  await balancer.listen();
  return balancer;
}

class TcpBalancer implements Balancer {
  readonly #server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => this.#serve(client));
  readonly #pairs = new Set<Pair>();
  readonly #clients = new Set<Socket>();
  readonly #facts = new Facts();
  /** In order of their last new connection. */
  #backends: number[] = [];
  #closed: Promise<unknown> | undefined;

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get backends(): readonly number[] {
    return this.#backends.toSorted((a, b) => a - b);
  }

  async listen(): Promise<void> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  connections(backendPort: number): number {
    return [...this.#pairs].filter((pair) => pair.backendPort === backendPort).length;
  }

  backendOf(clientPort: number): number | undefined {
    return [...this.#pairs].find(({ client }) => client.remotePort === clientPort)?.backendPort;
  }

  register(backendPort: number): void {
    if (!this.#backends.includes(backendPort)) this.#backends.unshift(backendPort);
  }

  deregister(backendPort: number, { cutSockets }: { readonly cutSockets: boolean }): void {
    this.#backends = this.#backends.filter((port) => port !== backendPort);
    if (!cutSockets) return;
    for (const pair of this.#pairs) {
      if (pair.backendPort === backendPort) cut(pair);
    }
  }

  waitFor<T>(fact: () => T | undefined | null | false, options?: WaitOptions): Promise<T> {
    return this.#facts.waitFor(fact, options);
  }

  async close(): Promise<void> {
    this.#closed ??= once(this.#server.close(), 'close');
    for (const client of this.#clients) client.destroy();
    for (const pair of this.#pairs) cut(pair);
    await this.#closed;
  }

  #serve(client: Socket): void {
    this.#clients.add(client);
    client.on('error', () => client.destroy());
    client.on('close', () => this.#clients.delete(client));
    const backendPort = this.#nextBackend();
    if (backendPort === undefined) {
      refuse(client, NOBODY_THERE);
      return;
    }
    this.#join({
      backendPort,
      client,
      isEnding: false,
      backend: connect({ host: '127.0.0.1', port: backendPort, allowHalfOpen: true, noDelay: true }),
    });
  }

  /** Counts before the connection is up: many that come at once must not all go to the same one. */
  #join(pair: Pair): void {
    const { client, backend } = pair;
    this.#pairs.add(pair);
    this.#facts.changed();
    let isUp = false;
    backend.once('connect', () => {
      isUp = true;
      client.pipe(backend);
      backend.pipe(client);
    });
    backend.on('end', () => (pair.isEnding = true));
    backend.on('error', () => {
      if (isUp) client.resetAndDestroy();
      else refuse(client, NO_CONNECTION);
    });
    client.on('error', () => backend.resetAndDestroy());
    backend.on('close', () => {
      if (isUp) client.destroySoon();
      this.#pairs.delete(pair);
      this.#facts.changed();
    });
    client.on('close', () => backend.destroySoon());
  }

  #nextBackend(): number | undefined {
    const live = [...this.#pairs].filter(({ isEnding }) => !isEnding);
    const load = (port: number): number => live.filter(({ backendPort }) => backendPort === port).length;
    const [port] = this.#backends.toSorted((a, b) => load(a) - load(b));
    if (port === undefined) return undefined;
    this.#backends = [...this.#backends.filter((each) => each !== port), port];
    return port;
  }
}

/** Without a close frame, in both directions, as a load balancer does whose patience is over. */
function cut({ client, backend }: Pair): void {
  client.resetAndDestroy();
  backend.resetAndDestroy();
}

function refuse(client: Socket, statusLine: string): void {
  if (client.destroyed) return;
  // The request is read and thrown away: an answer that comes with a reset would be lost.
  client.resume();
  client.end(`${statusLine}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}
