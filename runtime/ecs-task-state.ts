import type { ECSClient } from '@aws-sdk/client-ecs';
import type * as Ecs from '@aws-sdk/client-ecs';
import type { Logger } from './observability/logger';
import type { TaskState } from './task-state';

export interface EcsTaskStateOptions {
  /** `ECS_CONTAINER_METADATA_URI_V4`, which ECS sets in every container. */
  readonly metadataUri: string;
  readonly region: string;
  /** Between questions. Default 5 s: the hand-over has at least the deregistration delay from there. */
  readonly pollMs?: number;
  /** For one question. Default 3 s. */
  readonly timeoutMs?: number;
  readonly logger: Logger;
  /** Default: one of the region, with the task's own rights. It is destroyed with the state. */
  readonly client?: ECSClient;
}

interface TaskName {
  readonly cluster: string;
  readonly taskArn: string;
}

/** ECS has decided to stop the task: it deregisters it from the load balancer, waits, and sends SIGTERM then. */
const STOPPING_STATUSES = new Set(['DEACTIVATING', 'STOPPING', 'DEPROVISIONING', 'STOPPED']);

/**
 * Asks ECS whether it is going to stop this task. SIGTERM comes only after the deregistration delay, when the load
 * balancer may have cut the sockets (design 7): the decision can be seen before. That it is seen so early was not
 * tried on AWS; without it the drain begins with SIGTERM. Errors are logged when they begin, and it asks again.
 */
export function ecsTaskState(options: EcsTaskStateOptions): TaskState {
  const { metadataUri, region, pollMs = 5_000, timeoutMs = 3_000, logger } = options;
  const ending = new AbortController();
  let name: TaskName | undefined;
  let client = options.client;
  let fails = false;
  let timer: NodeJS.Timeout | undefined;
  let listener: () => void = () => undefined;

  // Never rejects: a question that fails is asked again.
  const look = async (): Promise<void> => {
    // Loaded when it is needed: a relay elsewhere starts without it.
    const sdk = require('@aws-sdk/client-ecs') as typeof Ecs;
    client ??= new sdk.ECSClient({ region });
    try {
      name ??= await readTaskName(metadataUri, timeoutMs);
      const question = new sdk.DescribeTasksCommand({ cluster: name.cluster, tasks: [name.taskArn] });
      const { tasks } = await client.send(question, { abortSignal: AbortSignal.timeout(timeoutMs) });
      const { desiredStatus = '', lastStatus = '' } = tasks?.[0] ?? {};
      fails = false;
      if (desiredStatus === 'STOPPED' || STOPPING_STATUSES.has(lastStatus)) return stop();
    } catch (error) {
      const reason = error instanceof Error ? error.name : 'unknown';
      if (!fails && !ending.signal.aborted)
        logger.warn({ reason }, 'ECS cannot be asked about this task: a drain begins with SIGTERM');
      fails = true;
    }
    if (!ending.signal.aborted) timer = setTimeout(() => void look(), pollMs);
  };
  const stop = (): void => {
    if (ending.signal.aborted) return;
    close();
    listener();
  };
  const close = (): void => {
    ending.abort();
    clearTimeout(timer);
    client?.destroy();
  };
  return {
    onStopping(given) {
      listener = given;
      void look();
    },
    close,
  };
}

/** The task's own name, from its metadata endpoint (version 4). */
async function readTaskName(metadataUri: string, timeoutMs: number): Promise<TaskName> {
  const response = await fetch(`${metadataUri}/task`, { signal: AbortSignal.timeout(timeoutMs) });
  const { Cluster: cluster, TaskARN: taskArn } = (await response.json()) as Record<string, unknown>;
  if (typeof cluster !== 'string' || typeof taskArn !== 'string')
    throw new TypeError('The task metadata has no Cluster or TaskARN');
  return { cluster, taskArn };
}
