import type { LegCheckpoint } from '../../../runtime/call/call-session';
import type { LegRegister, LegRegisterOptions } from '../../../runtime/continuity/leg-register';
import type { LegRecord } from '../../../runtime/store/live-leg';
import { legRecord } from '../../support/leg-record';
import { legRegister } from '../../support/leg-register';

const LEASE_MS = 12_000;
const TIME_OUT_MS = 2_000;

let renewed: number[];
let register: LegRegister;
/** How many of the legs the table does not take, for each time that they are saved. */
let notTaken: number[];

/** @param failing numbers of the renewals that time out, from 1 */
function start(failing: readonly number[], more: Partial<LegRegisterOptions> = {}): void {
  let count = 0;
  const after = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
  const store = {
    async renew() {
      const [sentAtMs, number] = [Date.now(), (count += 1)];
      if (failing.includes(number)) {
        await after(TIME_OUT_MS);
        throw new Error('no answer in time');
      }
      await after(20);
      renewed.push(sentAtMs);
    },
    saveLegs: async (records: readonly LegRecord[]) => records.slice(0, notTaken.shift() ?? 0),
    release: async () => undefined,
    deleteLegs: async () => undefined,
    findLeg: async () => undefined,
    keepLeg: async () => true,
  };
  register = legRegister(store, { leaseMs: LEASE_MS, ...more });
}

function checkpointOf(streamSid: string): LegCheckpoint {
  const legStart = { callSid: 'CA1', streamSid, accountSid: 'AC1', parameters: {} };
  const leg = { start: { ...legStart, type: 'started', tracks: ['inbound'] }, ledger: { tracks: {} } };
  return leg as unknown as LegCheckpoint;
}

const gaps = (): number[] => renewed.slice(1).map((atMs, at) => atMs - (renewed[at] ?? 0));

beforeEach(() => {
  jest.useFakeTimers();
  renewed = [];
  notTaken = [];
});
afterEach(async () => {
  const closed = register.close();
  await jest.advanceTimersByTimeAsync(TIME_OUT_MS);
  await closed;
  jest.useRealTimers();
});

test('A lease is renewed as often as it says, however long a renewal takes', async () => {
  start([]);
  await jest.advanceTimersByTimeAsync(20_000);
  expect(gaps()).toEqual([5_000, 5_000, 5_000]);
});

test.each([
  ['one renewal', [3]],
  ['two renewals in a row', [3, 4]],
])('A lease outlives the loss of %s', async (_, failing) => {
  start(failing);
  await jest.advanceTimersByTimeAsync(30_000);
  expect(renewed.length).toBeGreaterThan(3);
  expect(Math.max(...gaps())).toBeLessThanOrEqual(LEASE_MS - TIME_OUT_MS);
});

test('Legs are saved once they are in the table, and not before', async () => {
  notTaken = [1];
  start([], { checkpoints: () => [checkpointOf('MZ1')] });
  let isSaved = false;
  void register.saved().then(() => (isSaved = true));
  await jest.advanceTimersByTimeAsync(130);
  expect([notTaken.length, isSaved]).toEqual([0, false]);
  await jest.advanceTimersByTimeAsync(1_000);
  expect(isSaved).toBe(true);
});

describe('A task whose lease had run out', () => {
  /** By streamSid, whose each leg is. The task cannot reach it while it is away. */
  let table: Map<string, string>;
  let isAway: boolean;
  let replaced: string[];
  let writes: string[];

  function startWith(legs: string[], faults: Partial<LegRegisterOptions['store']> = {}): void {
    [table, isAway, replaced, writes] = [new Map(), false, [], []];
    const reached = async (): Promise<void> => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      if (isAway) throw new Error('away');
    };
    const store: LegRegisterOptions['store'] = {
      renew: reached,
      release: reached,
      async saveLegs(records) {
        await reached();
        for (const { streamSid, taskId } of records) {
          table.set(streamSid, taskId);
          writes.push(streamSid);
        }
        return [];
      },
      async deleteLegs(ended) {
        await reached();
        for (const { streamSid } of ended) table.delete(streamSid);
      },
      async keepLeg({ streamSid }, taskId) {
        await reached();
        return table.get(streamSid) === taskId;
      },
      async findLeg(_callSid, streamSid) {
        await reached();
        const taskId = table.get(streamSid);
        return taskId === undefined ? undefined : legRecord({ streamSid, taskId });
      },
      ...faults,
    };
    const onReplaced = (streamSid: string) => void replaced.push(streamSid);
    start([], { store, onReplaced, checkpoints: () => legs.map(checkpointOf) });
  }

  async function awayFor(ms: number, meanwhile: () => void): Promise<void> {
    await jest.advanceTimersByTimeAsync(1_000);
    isAway = true;
    await jest.advanceTimersByTimeAsync(ms / 2);
    meanwhile();
    await jest.advanceTimersByTimeAsync(ms / 2);
    isAway = false;
    writes = [];
    await jest.advanceTimersByTimeAsync(10_000);
  }

  test('lets go of the legs that another task took, and writes no more of them', async () => {
    startWith(['MZ1', 'MZ2']);
    await awayFor(60_000, () => table.set('MZ1', 'task-2'));
    expect(replaced).toEqual(['MZ1']);
    expect(new Set(writes)).toEqual(new Set(['MZ2']));
    expect(table.get('MZ1')).toBe('task-2');
  });

  test('lets go of a leg whose books another task has closed', async () => {
    startWith(['MZ1']);
    await awayFor(60_000, () => table.delete('MZ1'));
    expect([replaced, writes]).toEqual([['MZ1'], []]);
  });

  test('keeps a leg that began while the table was away', async () => {
    const legs = ['MZ1'];
    startWith(legs);
    await awayFor(60_000, () => legs.push('MZ2'));
    expect(replaced).toEqual([]);
    expect([...table.keys()]).toEqual(['MZ1', 'MZ2']);
  });

  test('leaves a leg that ended meanwhile to whoever took it', async () => {
    const legs = ['MZ1'];
    startWith(legs);
    await awayFor(60_000, () => {
      table.set('MZ1', 'task-2');
      register.ended({ callSid: 'CA1', streamSid: legs.pop() ?? '' });
    });
    expect(table.get('MZ1')).toBe('task-2');
  });

  test('counts the lease from when its last renewal was sent, however late the answer came', async () => {
    const beganAtMs = Date.now();
    const keepLeg = jest.fn(async () => true);
    let renewals = 0;
    const renew = async (): Promise<void> => {
      renewals += 1;
      await new Promise((resolve) => setTimeout(resolve, renewals === 2 ? 2_000 : 20));
      if (renewals > 2 && Date.now() - beganAtMs < 5_000 + LEASE_MS) throw new Error('away');
    };
    startWith(['MZ1'], { renew, keepLeg });
    await jest.advanceTimersByTimeAsync(18_000);
    expect(keepLeg).toHaveBeenCalledTimes(1);
  });
});
