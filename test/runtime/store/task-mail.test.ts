import { TaskMail, type ReplacedStream } from '../../../runtime/store/task-mail';
import { startStoreWorld, TABLE, type StoreWorld } from '../../support/store-world';

const FROM = '2026-11-21T10:00:00.000Z';
let world: StoreWorld;
let mail: TaskMail;

beforeEach(async () => {
  world = await startStoreWorld(60_000);
  mail = new TaskMail({ client: world.client, tableName: TABLE });
});
afterEach(() => world.close());

/** @returns what is told, also when taking it fails */
async function take(taskId: string): Promise<readonly ReplacedStream[]> {
  const told: ReplacedStream[] = [];
  await mail.takeReplaced(taskId, (replaced) => told.push(replaced)).catch(() => undefined);
  return told;
}

test('A task is told of its replaced streams, and of no others', async () => {
  await mail.tellReplaced('task-1', { streamSid: 'MZ1', from: FROM });
  await mail.tellReplaced('task-2', { streamSid: 'MZ2', from: FROM });
  expect(await take('task-1')).toEqual([{ streamSid: 'MZ1', from: FROM }]);
  expect(await take('task-1')).toEqual([]);
});

test.each(['lost-answer', 'throttle'] as const)(
  'A task is told of its replaced streams when their removal ends with %s',
  async (type) => {
    await mail.tellReplaced('task-1', { streamSid: 'MZ1', from: FROM });
    world.proxy.setFault(({ operation }) => (operation === 'BatchWriteItem' ? { type } : undefined));
    expect(await take('task-1')).toEqual([{ streamSid: 'MZ1', from: FROM }]);
  },
);

test('Sixty replaced streams are told of, and removed', async () => {
  const sids = Array.from({ length: 60 }, (_, n) => `MZ${n + 10}`);
  for (const streamSid of sids) await mail.tellReplaced('task-1', { streamSid, from: FROM });
  expect((await take('task-1')).map(({ streamSid }) => streamSid)).toEqual(sids);
  expect(await take('task-1')).toEqual([]);
});
