import { LegRegister, type LegRegisterOptions } from '../../../runtime/continuity/leg-register';
import type { LegId } from '../../../runtime/model/transcript-event';
import { Metrics } from '../../../runtime/observability/metrics';
import { recordLog } from '../../support/recorded-log';

/** Beats whenever it was told to save, and takes off what has ended. */
function create(options: Partial<LegRegisterOptions> = {}) {
  const deleted: string[] = [];
  const store = {
    renew: () => Promise.resolve(),
    release: () => Promise.resolve(),
    saveLegs: () => Promise.resolve([]),
    deleteLegs: (legs: readonly LegId[]) => {
      deleted.push(...legs.map(({ streamSid }) => streamSid));
      return Promise.resolve();
    },
    findLeg: () => Promise.resolve(undefined),
  };
  const register = new LegRegister({
    store,
    taskId: 'task-1',
    checkpoints: () => [],
    isFlushed: () => true,
    onReplaced: () => undefined,
    renewEveryMs: 5_000,
    leaseMs: 12_000,
    saveSoonMs: 100,
    now: () => Date.now(),
    wallNow: () => Date.now(),
    logger: recordLog().logger,
    metrics: new Metrics(),
    ...options,
  } as LegRegisterOptions);
  return { register, deleted };
}

beforeEach(() => void jest.useFakeTimers());
afterEach(() => jest.useRealTimers());

test('a leg is taken off when the words of its own call are in the table, whatever else waits', async () => {
  const waiting = new Set(['CA1', 'CA2']);
  const { register, deleted } = create({ isFlushed: (callSid) => !waiting.has(callSid) });
  register.ended({ callSid: 'CA1', streamSid: 'MZ1' });
  register.ended({ callSid: 'CA2', streamSid: 'MZ2' });
  await jest.advanceTimersByTimeAsync(5_000);
  expect(deleted).toEqual([]);
  waiting.delete('CA1');
  await jest.advanceTimersByTimeAsync(10_000);
  expect(deleted).toEqual(['MZ1']);
  waiting.clear();
  await register.close();
  expect(deleted).toEqual(['MZ1', 'MZ2']);
});
