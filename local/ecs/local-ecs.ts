import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { LOCAL_REGION } from '../embedded-dynamodb';
import { Facts, type WaitOptions } from '../facts';

/** A task as ECS sees it. Its states may be changed at any time. */
export interface EcsTask {
  readonly taskArn: string;
  /** For ECS_CONTAINER_METADATA_URI_V4. */
  readonly metadataUri: string;
  desiredStatus: 'RUNNING' | 'STOPPED';
  /** `DEACTIVATING`: it is being taken out of its target group. */
  lastStatus: 'RUNNING' | 'DEACTIVATING' | 'STOPPING' | 'STOPPED';
}

/** What `DescribeTasks` answers instead: an AWS error by name, or nothing for ever. */
export type EcsFault = 'silence' | { readonly error: string; readonly status: number };

export interface LocalEcs {
  /** For AWS_ENDPOINT_URL_ECS. */
  readonly endpoint: string;
  readonly clusterArn: string;
  readonly tasks: readonly EcsTask[];
  /** For every `DescribeTasks` as long as it is set. */
  fault: EcsFault | undefined;
  /** Whether the metadata endpoint tells of the stop as well; the real one's answer is not verified. Default false. */
  metadataTellsOfStop: boolean;
  /** ARNs that `DescribeTasks` was asked about, in order. */
  readonly described: readonly string[];
  addTask(): EcsTask;
  /** Resolves with the first value of `fact` that is something; asked now and after every request. */
  waitFor<T>(fact: () => T | undefined | null | false, options?: WaitOptions): Promise<T>;
  /** Safe to call twice. */
  close(): Promise<void>;
}

const ACCOUNT = '123456789012';
const TARGET = 'AmazonEC2ContainerServiceV20141113.DescribeTasks';

/** A stand-in for what a task may ask of itself: `ecs:DescribeTasks`, and the task metadata endpoint, version 4. */
export async function startEcs(): Promise<LocalEcs> {
  const ecs = new FakeEcs();
  await ecs.listen();
  return ecs;
}

class FakeEcs implements LocalEcs {
  readonly clusterArn = `arn:aws:ecs:${LOCAL_REGION}:${ACCOUNT}:cluster/callscript`;
  readonly tasks: EcsTask[] = [];
  readonly described: string[] = [];
  fault: EcsFault | undefined;
  metadataTellsOfStop = false;
  readonly #facts = new Facts();
  readonly #server = createServer((request, response) => {
    // A client that goes away in mid-request is no fault of this server's.
    this.#serve(request, response)
      .catch(() => response.destroy())
      .finally(() => this.#facts.changed());
  });
  #closed: Promise<unknown> | undefined;

  get endpoint(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async listen(): Promise<void> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  addTask(): EcsTask {
    const id = randomBytes(16).toString('hex');
    const task: EcsTask = {
      taskArn: `arn:aws:ecs:${LOCAL_REGION}:${ACCOUNT}:task/callscript/${id}`,
      metadataUri: `${this.endpoint}/v4/${id}`,
      desiredStatus: 'RUNNING',
      lastStatus: 'RUNNING',
    };
    this.tasks.push(task);
    return task;
  }

  waitFor<T>(fact: () => T | undefined | null | false, options?: WaitOptions): Promise<T> {
    return this.#facts.waitFor(fact, options);
  }

  async close(): Promise<void> {
    this.#closed ??= once(this.#server.close(), 'close');
    this.#server.closeAllConnections();
    await this.#closed;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.method === 'GET') this.#tellMetadata(request, response);
    else if (request.headers['x-amz-target'] === TARGET) this.#describe(await json(request), response);
    else fail(response, { error: 'UnknownOperationException', status: 400 });
  }

  #tellMetadata({ url = '' }: IncomingMessage, response: ServerResponse): void {
    const task = this.tasks.find(({ metadataUri }) => `${metadataUri}/task` === this.endpoint + url);
    if (task === undefined) {
      response.writeHead(404).end();
      return;
    }
    const { desiredStatus, lastStatus } = this.metadataTellsOfStop
      ? task
      : ({ desiredStatus: 'RUNNING', lastStatus: 'RUNNING' } as const);
    send(response, 200, {
      Cluster: this.clusterArn,
      TaskARN: task.taskArn,
      Family: 'callscript',
      Revision: '1',
      DesiredStatus: desiredStatus,
      KnownStatus: lastStatus,
      Containers: [],
      LaunchType: 'FARGATE',
    });
  }

  #describe(body: unknown, response: ServerResponse): void {
    const { cluster, tasks: arns = [] } = body as { cluster?: string; tasks?: readonly string[] };
    this.described.push(...arns);
    if (this.fault === 'silence') return;
    if (this.fault !== undefined) fail(response, this.fault);
    else if (cluster !== this.clusterArn && cluster !== 'callscript')
      fail(response, { error: 'ClusterNotFoundException', status: 400 });
    else {
      const known = this.tasks.filter(({ taskArn }) => arns.includes(taskArn));
      const missing = arns.filter((arn) => !known.some(({ taskArn }) => taskArn === arn));
      send(response, 200, {
        tasks: known.map(({ taskArn, desiredStatus, lastStatus }) => ({
          ...{ taskArn, clusterArn: this.clusterArn, desiredStatus, lastStatus },
        })),
        failures: missing.map((arn) => ({ arn, reason: 'MISSING' })),
      });
    }
  }
}

function fail(response: ServerResponse, { error, status }: Exclude<EcsFault, 'silence'>): void {
  send(response, status, { __type: error, message: 'made to fail' });
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' }).end(JSON.stringify(body));
}
