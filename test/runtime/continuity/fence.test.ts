import { HANDOVER_PARAMETER } from '../../../runtime/call/fencing';
import { Fence, type FenceOptions } from '../../../runtime/continuity/fence';
import type { LegStart } from '../../../runtime/model/call-event';
import { Metrics } from '../../../runtime/observability/metrics';
import type { LegRecord } from '../../../runtime/store/live-leg';
import { legRecord } from '../../support/leg-record';
import { recordLog } from '../../support/recorded-log';

const FIRST = legRecord({ streamSid: 'MZ1', taskId: 'task-1', startedAt: '2026-11-21T10:00:00.000Z' });
const SECOND = legRecord({ streamSid: 'MZ2', taskId: 'task-2', startedAt: '2026-11-21T10:00:00.060Z' });

let table: LegRecord[];
/** Streams that their tasks were told to close, or closed by themselves. */
let closed: Set<string>;
let forgone: string[];

beforeEach(() => {
  table = [];
  closed = new Set();
  forgone = [];
});

/** As its task does, when the leg's stream begins. */
function fence(record: LegRecord, more: Partial<FenceOptions> = {}): Promise<void> {
  const fence = new Fence({
    store: { legsOfCall: async () => [...table] },
    mail: { tellReplaced: async (_taskId, { streamSid }) => void closed.add(streamSid) },
    taskId: record.taskId,
    saved: async () => void table.push(record),
    forgo: async ({ streamSid }) => void forgone.push(streamSid),
    replace: (streamSid) => void closed.add(streamSid),
    renewRetryMs: 1,
    leaseMs: 12_000,
    signal: new AbortController().signal,
    now: Date.now,
    wallNow: Date.now,
    logger: recordLog().logger,
    metrics: new Metrics(),
    ...more,
  });
  return fence.fence({ ...record, type: 'started' } as unknown as LegStart);
}

test('A stream replaces an older one of another task, for which nobody shall make a new one', async () => {
  await fence(FIRST);
  await fence(SECOND);
  expect([...closed]).toEqual(['MZ1']);
  expect(forgone).toEqual(['MZ1']);
});

test('Of two streams that come at once the newer one stays', async () => {
  await Promise.all([fence(FIRST), fence(SECOND)]);
  expect([...closed]).toEqual(['MZ1']);
});

test('Of two streams that begin in the same millisecond one stays', async () => {
  await Promise.all([fence(FIRST), fence({ ...SECOND, startedAt: FIRST.startedAt })]);
  expect([...closed]).toEqual(['MZ1']);
});

test('An older stream that comes into the table late closes by itself', async () => {
  await fence(SECOND);
  expect([...closed]).toEqual([]);
  await fence(FIRST);
  expect([...closed]).toEqual(['MZ1']);
});

test('A stream that takes a call over closes no other one before it has proved itself', async () => {
  table.push({ ...SECOND, parameters: { [HANDOVER_PARAMETER]: 'nonce' } });
  await fence(FIRST);
  expect([...closed]).toEqual([]);
});

test('A leg that is over, or stops, closes none', async () => {
  table.push(FIRST);
  await fence(SECOND, { saved: async () => undefined });
  await fence({ ...SECOND, isStopping: true });
  expect([...closed]).toEqual([]);
});

test('A store that is away is asked until it answers', async () => {
  table.push(FIRST);
  let looks = 0;
  const legsOfCall = async (): Promise<readonly LegRecord[]> => {
    looks += 1;
    if (looks < 4) throw new Error('away');
    return table;
  };
  await fence(SECOND, { store: { legsOfCall } });
  expect([...closed]).toEqual(['MZ1']);
});
