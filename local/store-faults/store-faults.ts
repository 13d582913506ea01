import { once } from 'node:events';
import { Agent, createServer, request as httpRequest } from 'node:http';
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { Facts, type WaitOptions } from '../facts';
import { seededRandom } from './seeded-random';
import { splitBatch } from './split-batch';

/** What goes wrong, read at each request: it may be changed at any time. Shares are from 0 to 1. */
export interface StoreFaultSwitches {
  /** down: every connection is reset. silent: requests are read and never answered. */
  mode: 'up' | 'down' | 'silent';
  /** Requests that are refused with ProvisionedThroughputExceededException. */
  throttledShare: number;
  /** Puts and deletes of a batch that come back unprocessed; at least one of a batch is done. */
  unprocessedShare: number;
  /** Requests that are done while their answer is lost. */
  lostAnswerShare: number;
  latencyMs: number;
}

export interface StoreFaultCounts {
  readonly passed: number;
  readonly throttled: number;
  /** Connections that were reset because the store is down. */
  readonly reset: number;
  readonly silenced: number;
  readonly lostAnswers: number;
  /** Items, not requests. */
  readonly unprocessed: number;
  /** Requests by operation, such as `BatchWriteItem`, whatever became of them. */
  readonly byOperation: Readonly<Record<string, number>>;
}

export interface StoreFaults {
  /** For AWS_ENDPOINT_URL_DYNAMODB. */
  readonly endpoint: string;
  readonly switches: StoreFaultSwitches;
  readonly counts: StoreFaultCounts;
  /** Resolves with the first value of `fact` that is something; asked now and after every request. */
  waitFor<T>(fact: () => T | undefined | null | false, options?: WaitOptions): Promise<T>;
  /** Cuts every connection. Safe to call twice. */
  close(): Promise<void>;
}

export interface StoreFaultsOptions {
  /** The real endpoint, over http. */
  readonly target: string;
  /** The same seed and the same requests give the same faults. Default 1. */
  readonly seed?: number;
}

/** Stands between the relays and their table and makes it fail. */
export async function startStoreFaults(options: StoreFaultsOptions): Promise<StoreFaults> {
  const proxy = new FaultProxy(options);
  await proxy.listen();
  return proxy;
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

class FaultProxy implements StoreFaults {
  readonly switches: StoreFaultSwitches = {
    mode: 'up',
    throttledShare: 0,
    unprocessedShare: 0,
    lostAnswerShare: 0,
    latencyMs: 0,
  };
  readonly counts = {
    ...{ passed: 0, throttled: 0, reset: 0, silenced: 0, lostAnswers: 0, unprocessed: 0 },
    byOperation: {} as Record<string, number>,
  };
  readonly #target: URL;
  readonly #random: () => number;
  readonly #agent = new Agent({ keepAlive: true });
  readonly #facts = new Facts();
  readonly #server = createServer((request, response) => {
    this.#serve(request, response)
      .catch(() => request.socket.resetAndDestroy())
      .finally(() => this.#facts.changed());
  });
  #closed: Promise<unknown> | undefined;

  constructor({ target, seed = 1 }: StoreFaultsOptions) {
    this.#target = new URL(target);
    this.#random = seededRandom(seed);
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async listen(): Promise<void> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  waitFor<T>(fact: () => T | undefined | null | false, options?: WaitOptions): Promise<T> {
    return this.#facts.waitFor(fact, options);
  }

  async close(): Promise<void> {
    this.#closed ??= once(this.#server.close(), 'close');
    this.#server.closeAllConnections();
    this.#agent.destroy();
    await this.#closed;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const operation = String(request.headers['x-amz-target'] ?? request.method)
      .split('.')
      .at(-1);
    const { byOperation } = this.counts;
    byOperation[operation ?? ''] = (byOperation[operation ?? ''] ?? 0) + 1;
    const body = await buffer(request);
    const { mode, throttledShare, lostAnswerShare, latencyMs } = this.switches;
    if (mode === 'silent') {
      this.counts.silenced += 1;
      return;
    }
    if (mode === 'down') {
      this.counts.reset += 1;
      request.socket.resetAndDestroy();
      return;
    }
    if (latencyMs > 0) await delay(latencyMs);
    if (this.#happens(throttledShare)) {
      this.counts.throttled += 1;
      send(response, throttling());
      return;
    }
    const isAnswerLost = this.#happens(lostAnswerShare);
    const answer =
      operation === 'BatchWriteItem' ? await this.#passSome(request, body) : await this.#pass(request, body);
    if (isAnswerLost) {
      this.counts.lostAnswers += 1;
      request.socket.resetAndDestroy();
      return;
    }
    this.counts.passed += 1;
    send(response, answer);
  }

  async #passSome(request: IncomingMessage, body: Buffer): Promise<Answer> {
    if (this.switches.unprocessedShare === 0) return this.#pass(request, body);
    const { taken, left, leftCount } = splitBatch(body.toString(), () =>
      this.#happens(this.switches.unprocessedShare),
    );
    this.counts.unprocessed += leftCount;
    const answer = await this.#pass(request, Buffer.from(taken));
    if (answer.status !== 200 || leftCount === 0) return answer;
    return { ...answer, headers: {}, body: Buffer.from(JSON.stringify({ UnprocessedItems: left })) };
  }

  #pass({ method, headers }: IncomingMessage, body: Buffer): Promise<Answer> {
    const { hostname, port } = this.#target;
    return new Promise((resolve, reject) => {
      const passed = httpRequest(
        {
          ...{ host: hostname, port, method, agent: this.#agent, path: '/' },
          headers: {
            ...headers,
            host: this.#target.host,
            'content-length': body.length,
            connection: 'keep-alive',
          },
        },
        (answer) => {
          buffer(answer).then(
            (answered) =>
              resolve({ status: answer.statusCode ?? 500, headers: answer.headers, body: answered }),
            reject,
          );
        },
      );
      passed.on('error', reject);
      passed.end(body);
    });
  }

  #happens(share: number): boolean {
    return share > 0 && this.#random() < share;
  }
}

/** DynamoDB's way to say that the table is too busy. */
function throttling(): Answer {
  const type = 'com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException';
  const body = Buffer.from(JSON.stringify({ __type: type, message: 'made to fail' }));
  return { status: 400, headers: {}, body };
}

/** Headers that belong to the connection, or to a body that was changed, stay behind. */
const PASSED_HEADERS = ['x-amz-crc32', 'x-amzn-requestid'];

function send(response: ServerResponse, { status, headers, body }: Answer): void {
  const passed = PASSED_HEADERS.flatMap((name) => {
    const value = headers[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  response
    .writeHead(status, { 'content-type': 'application/x-amz-json-1.0', ...Object.fromEntries(passed) })
    .end(body);
}
