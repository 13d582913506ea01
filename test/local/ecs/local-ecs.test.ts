import { startEcs, type LocalEcs } from '../../../local/ecs/local-ecs';

let ecs: LocalEcs;
beforeEach(async () => {
  ecs = await startEcs();
});
afterEach(async () => {
  await ecs.close();
  await ecs.close();
});

const DESCRIBE = 'AmazonEC2ContainerServiceV20141113.DescribeTasks';

async function ask(body: object, target = DESCRIBE, signal?: AbortSignal) {
  const response = await fetch(ecs.endpoint, {
    method: 'POST',
    headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': target },
    body: JSON.stringify(body),
    ...(signal && { signal }),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

async function metadata(uri: string): Promise<Record<string, unknown>> {
  return (await (await fetch(`${uri}/task`)).json()) as Record<string, unknown>;
}

it('tells a task who it is, and DescribeTasks what is wanted of it', async () => {
  const [one, two] = [ecs.addTask(), ecs.addTask()];
  const { TaskARN, Cluster, DesiredStatus } = await metadata(two.metadataUri);
  expect([TaskARN, Cluster, DesiredStatus]).toEqual([two.taskArn, ecs.clusterArn, 'RUNNING']);
  two.desiredStatus = 'STOPPED';
  two.lastStatus = 'DEACTIVATING';
  expect(await ask({ cluster: Cluster, tasks: [TaskARN] })).toEqual({
    status: 200,
    body: {
      tasks: [
        {
          taskArn: two.taskArn,
          clusterArn: ecs.clusterArn,
          desiredStatus: 'STOPPED',
          lastStatus: 'DEACTIVATING',
        },
      ],
      failures: [],
    },
  });
  expect((await ask({ cluster: 'callscript', tasks: [one.taskArn] })).body['tasks']).toMatchObject([
    { desiredStatus: 'RUNNING', lastStatus: 'RUNNING' },
  ]);
  expect(ecs.described).toEqual([two.taskArn, one.taskArn]);
});

it('keeps the stop out of the metadata unless it is told to', async () => {
  const task = ecs.addTask();
  Object.assign(task, { desiredStatus: 'STOPPED', lastStatus: 'DEACTIVATING' });
  expect(await metadata(task.metadataUri)).toMatchObject({
    DesiredStatus: 'RUNNING',
    KnownStatus: 'RUNNING',
  });
  ecs.metadataTellsOfStop = true;
  expect(await metadata(task.metadataUri)).toMatchObject({
    DesiredStatus: 'STOPPED',
    KnownStatus: 'DEACTIVATING',
  });
});

it('knows neither foreign tasks, nor other clusters, nor anything else', async () => {
  expect((await ask({ cluster: 'callscript', tasks: ['arn:none'] })).body).toEqual({
    tasks: [],
    failures: [{ arn: 'arn:none', reason: 'MISSING' }],
  });
  expect(await ask({ cluster: 'other', tasks: [] })).toMatchObject({
    status: 400,
    body: { __type: 'ClusterNotFoundException' },
  });
  expect((await ask({}, 'AmazonEC2ContainerServiceV20141113.StopTask')).status).toBe(400);
  expect((await fetch(`${ecs.endpoint}/v4/none/task`)).status).toBe(404);
});

it('fails or keeps silent as it is told', async () => {
  const { taskArn } = ecs.addTask();
  ecs.fault = { error: 'AccessDeniedException', status: 400 };
  expect(await ask({ cluster: 'callscript', tasks: [taskArn] })).toMatchObject({
    status: 400,
    body: { __type: 'AccessDeniedException' },
  });
  ecs.fault = 'silence';
  const gaveUp = new AbortController();
  const failed = expect(ask({ tasks: [taskArn] }, DESCRIBE, gaveUp.signal)).rejects.toThrow();
  await ecs.waitFor(() => ecs.described.length === 2);
  gaveUp.abort();
  await failed;
});
