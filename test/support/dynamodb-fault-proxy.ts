import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface StoreRequest {
  /** Such as `BatchWriteItem`. */
  readonly operation: string;
  readonly body: string;
  /** From 1. */
  readonly number: number;
  readonly headers: Readonly<Record<string, string>>;
}

/** What to do to one request instead of passing it on. */
export type Fault =
  | { readonly type: 'throttle' }
  | { readonly type: 'validation' }
  | { readonly type: 'error'; readonly name: string; readonly status: number }
  | { readonly type: 'status'; readonly status: number }
  /** The socket closes before the request reaches the store. */
  | { readonly type: 'hang-up' }
  /** The store does it, but the answer is lost. */
  | { readonly type: 'lost-answer' }
  /** Never answers. */
  | { readonly type: 'stall' }
  /** Only the first `take` puts of a batch reach the store; the others come back unprocessed. */
  | { readonly type: 'unprocessed'; readonly take: number };

export interface FaultProxy {
  readonly endpoint: string;
  readonly requests: readonly StoreRequest[];
  /** Decides what happens to each request from now on. */
  setFault(decide: (request: StoreRequest) => Fault | undefined): void;
  /** Delivers a request to the store once more, past the faults, as a network may that was thought to have lost it. */
  repeat(request: StoreRequest): Promise<void>;
  /** Resolves when a request (one that came already, too) fulfils `test`. */
  seen(test: (request: StoreRequest) => boolean): Promise<StoreRequest>;
  close(): Promise<void>;
}

/** Stands between a client and a DynamoDB endpoint and makes it fail. */
export async function startDynamoDbFaultProxy(target: string): Promise<FaultProxy> {
  let decide: (request: StoreRequest) => Fault | undefined = () => undefined;
  const requests: StoreRequest[] = [];
  const watchers = new Set<() => void>();

  const server = createServer((message, response) => {
    void answer(message, response).catch(() => response.destroy());
  });

  async function answer(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await readBody(message);
    const operation = String(message.headers['x-amz-target']).split('.')[1] ?? '';
    const request = { operation, body, number: requests.length + 1, headers: headersOf(message) };
    requests.push(request);
    watchers.forEach((watch) => watch());
    const fault = decide(request);
    switch (fault?.type) {
      case undefined:
        return copy(await pass(request), response);
      case 'throttle':
        return fail(response, 400, 'ProvisionedThroughputExceededException');
      case 'validation':
        return fail(response, 400, 'ValidationException');
      case 'error':
        return fail(response, fault.status, fault.name);
      case 'status':
        return fail(response, fault.status, 'InternalServerError');
      case 'hang-up':
        return void response.destroy();
      case 'lost-answer':
        await pass(request);
        return void response.destroy();
      case 'stall':
        return undefined;
      case 'unprocessed':
        return copy(await passSome(request, fault.take), response);
    }
  }

  async function pass({ headers, body }: Pick<StoreRequest, 'headers' | 'body'>): Promise<Answer> {
    const result = await fetch(target, { method: 'POST', headers, body });
    return { status: result.status, body: await result.text() };
  }

  async function passSome({ headers, body }: StoreRequest, take: number): Promise<Answer> {
    const batch = JSON.parse(body) as { RequestItems: Record<string, unknown[]> };
    const [[table, puts]] = Object.entries(batch.RequestItems) as [[string, unknown[]]];
    if (take > 0) {
      await pass({ headers, body: JSON.stringify({ RequestItems: { [table]: puts.slice(0, take) } }) });
    }
    return { status: 200, body: JSON.stringify({ UnprocessedItems: { [table]: puts.slice(take) } }) };
  }

  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    setFault: (next) => (decide = next),
    repeat: async (request) => void (await pass(request)),
    seen: (test) =>
      new Promise((resolve) => {
        const watch = (): void => {
          const found = requests.find(test);
          if (found === undefined) return;
          watchers.delete(watch);
          resolve(found);
        };
        watchers.add(watch);
        watch();
      }),
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

interface Answer {
  readonly status: number;
  readonly body: string;
}

function headersOf({ headers }: IncomingMessage): Readonly<Record<string, string>> {
  return {
    'content-type': 'application/x-amz-json-1.0',
    'x-amz-target': String(headers['x-amz-target']),
    authorization: String(headers['authorization']),
    'x-amz-date': String(headers['x-amz-date']),
  };
}

async function readBody(message: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of message as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

function copy({ status, body }: Answer, response: ServerResponse): void {
  response.writeHead(status, { 'content-type': 'application/x-amz-json-1.0' }).end(body);
}

function fail(response: ServerResponse, status: number, name: string): void {
  const body = JSON.stringify({
    __type: `com.amazonaws.dynamodb.v20120810#${name}`,
    message: 'made by a test',
  });
  copy({ status, body }, response);
}
