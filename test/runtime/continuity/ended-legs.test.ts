import type { LegCheckpoint } from '../../../runtime/call/call-session';
import type { LegRegisterOptions } from '../../../runtime/continuity/leg-register';
import type { LegId } from '../../../runtime/model/transcript-event';
import { NOBODY, type LegRecord } from '../../../runtime/store/live-leg';
import { legRegister } from '../../support/leg-register';

/** Beats whenever it was told to save, and takes off what has ended. */
function create(options: Partial<LegRegisterOptions> = {}) {
  const deleted: string[] = [];
  const saved: LegRecord[] = [];
  const refused: LegRecord[] = [];
  const store = {
    renew: () => Promise.resolve(),
    release: () => Promise.resolve(),
    saveLegs: (records: readonly LegRecord[]) => {
      saved.push(...records);
      return Promise.resolve(refused);
    },
    deleteLegs: (legs: readonly LegId[]) => {
      deleted.push(...legs.map(({ streamSid }) => streamSid));
      return Promise.resolve();
    },
    findLeg: () => Promise.resolve(undefined),
    keepLeg: () => Promise.resolve(true),
  };
  const register = legRegister(store, options);
  return { register, deleted, saved, refused };
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

test("a leg with a session that is not reconciled becomes nobody's, once", async () => {
  const { register, deleted, saved } = create({ isReconciled: ({ streamSid }) => streamSid !== 'MZ1' });
  register.ended({ callSid: 'CA1', streamSid: 'MZ1', tries: 3 });
  register.ended({ callSid: 'CA1', streamSid: 'MZ2' });
  await jest.advanceTimersByTimeAsync(20_000);
  expect(saved).toMatchObject([
    { callSid: 'CA1', streamSid: 'MZ1', taskId: NOBODY, isStopping: true, tries: 3 },
  ]);
  expect(deleted).toEqual(['MZ2']);
  await register.close();
});

test('a table that does not take such a leg gets it again', async () => {
  const { register, saved, refused } = create({ isReconciled: () => false });
  register.ended({ callSid: 'CA1', streamSid: 'MZ1' });
  refused.push({ ...saved[0]! });
  await jest.advanceTimersByTimeAsync(1_000);
  expect(saved).toHaveLength(1);
  refused.length = 0;
  await jest.advanceTimersByTimeAsync(20_000);
  expect(saved).toHaveLength(2);
  await register.close();
});

test('a leg whose call needs a stream is left, and says so, until the call has one', async () => {
  const start = { callSid: 'CA1', streamSid: 'MZ1', accountSid: 'AC1', tracks: ['inbound'], parameters: {} };
  const live = [{ start, isStopped: true, ledger: { tracks: {} } }] as unknown as LegCheckpoint[];
  let needsStream = true;
  const { register, deleted, saved } = create({
    checkpoints: () => live,
    needsStream: () => needsStream,
  });
  await jest.advanceTimersByTimeAsync(100);
  expect(saved).toMatchObject([{ streamSid: 'MZ1', isStopping: false, needsStream: true }]);
  live.pop();
  register.ended({ callSid: 'CA1', streamSid: 'MZ1' });
  await jest.advanceTimersByTimeAsync(10_000);
  expect(deleted).toEqual([]);
  needsStream = false;
  await register.close();
  expect(deleted).toEqual(['MZ1']);
});

test('the last leg of a call is left, as one that needs nobody, until the end of the call is told', async () => {
  const start = { callSid: 'CA1', streamSid: 'MZ1', accountSid: 'AC1', tracks: ['inbound'], parameters: {} };
  const live = [{ start, isStopped: false, ledger: { tracks: {} } }] as unknown as LegCheckpoint[];
  let owesEnd = true;
  const { register, deleted, saved } = create({ checkpoints: () => live, owesEnd: () => owesEnd });
  await jest.advanceTimersByTimeAsync(100);
  live.pop();
  register.ended({ callSid: 'CA1', streamSid: 'MZ1' });
  await jest.advanceTimersByTimeAsync(20_000);
  expect(saved).toMatchObject([
    { streamSid: 'MZ1', isStopping: false },
    { streamSid: 'MZ1', taskId: 'task-1', isStopping: true },
  ]);
  expect(deleted).toEqual([]);
  owesEnd = false;
  await register.close();
  expect(deleted).toEqual(['MZ1']);
});

test('a leg that the table never had is not left there for the end of its call', async () => {
  const { register, deleted, saved } = create({ owesEnd: () => true });
  register.ended({ callSid: 'CA1', streamSid: 'MZ1' });
  await register.close();
  expect([saved, deleted]).toEqual([[], ['MZ1']]);
});
