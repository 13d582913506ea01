import { ECSClient } from '@aws-sdk/client-ecs';
import { startEcs, type EcsTask, type LocalEcs } from '../../local/ecs/local-ecs';
import { ecsTaskState } from '../../runtime/ecs-task-state';
import type { TaskState } from '../../runtime/task-state';
import { recordLog } from '../support/recorded-log';

let ecs: LocalEcs;
let task: EcsTask;
const states: TaskState[] = [];

beforeEach(async () => {
  ecs = await startEcs();
  task = ecs.addTask();
});
afterEach(async () => {
  for (const state of states.splice(0)) state.close();
  await ecs.close();
});

function watch(metadataUri = task.metadataUri) {
  const { logger, lines } = recordLog();
  const region = 'us-east-1';
  const client = new ECSClient({
    region,
    endpoint: ecs.endpoint,
    credentials: { accessKeyId: 'x', secretAccessKey: 'x' },
  });
  const state = ecsTaskState({ metadataUri, region, pollMs: 10, timeoutMs: 200, logger, client });
  states.push(state);
  let told = 0;
  const stopping = new Promise<void>((resolve) =>
    state.onStopping(() => {
      told += 1;
      resolve();
    }),
  );
  return { state, stopping, lines, told: () => told };
}

test.each([
  { desiredStatus: 'STOPPED' },
  { lastStatus: 'DEACTIVATING' },
  { lastStatus: 'STOPPING' },
] as const)('a task that ECS is going to stop (%j) learns of it, once', async (change) => {
  const { stopping, told } = watch();
  await ecs.waitFor(() => ecs.described.length >= 2);
  expect(told()).toBe(0);
  Object.assign(task, change);
  await stopping;
  const asked = ecs.described.length;
  expect(told()).toBe(1);
  expect(ecs.described.every((arn) => arn === task.taskArn)).toBe(true);
  await new Promise((resolve) => setImmediate(resolve));
  expect(ecs.described).toHaveLength(asked);
});

test.each(['silence', { error: 'AccessDeniedException', status: 400 }] as const)(
  'an ECS that answers %j is asked again, and the log says it once',
  async (fault) => {
    ecs.fault = fault;
    const { stopping, lines } = watch();
    await ecs.waitFor(() => ecs.described.length >= 3);
    ecs.fault = undefined;
    task.desiredStatus = 'STOPPED';
    await stopping;
    expect(lines.filter(({ msg }) => String(msg).startsWith('ECS cannot be asked'))).toHaveLength(1);
  },
);

test('a metadata endpoint that answers nonsense is no end of the task', async () => {
  const { told, lines, state } = watch(`${ecs.endpoint}/v4/another`);
  await ecs.waitFor(() => lines.length > 0);
  state.close();
  expect(told()).toBe(0);
  expect(ecs.described).toEqual([]);
});

test('after its close it asks no more and tells nothing', async () => {
  const { state, told } = watch();
  await ecs.waitFor(() => ecs.described.length >= 1);
  state.close();
  state.close();
  task.desiredStatus = 'STOPPED';
  await new Promise((resolve) => setImmediate(resolve));
  expect(told()).toBe(0);
});
