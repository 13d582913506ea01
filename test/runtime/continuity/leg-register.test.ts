import type { LegCheckpoint } from '../../../runtime/call/call-session';
import { LegRegister, type LegRegisterOptions } from '../../../runtime/continuity/leg-register';
import type { LegRecord } from '../../../runtime/store/live-leg';
import { Metrics } from '../../../runtime/observability/metrics';
import { recordLog } from '../../support/recorded-log';

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
  };
  register = new LegRegister({
    store,
    taskId: 'task-1',
    checkpoints: () => [],
    isFlushed: () => true,
    onReplaced: () => undefined,
    renewEveryMs: 5_000,
    renewRetryMs: 500,
    leaseMs: LEASE_MS,
    saveSoonMs: 100,
    now: Date.now,
    wallNow: Date.now,
    logger: recordLog().logger,
    metrics: new Metrics(),
    ...more,
  });
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
  const legStart = { callSid: 'CA1', streamSid: 'MZ1', accountSid: 'AC1', parameters: {} };
  const leg = { start: { ...legStart, type: 'started', tracks: ['inbound'] }, ledger: { tracks: {} } };
  notTaken = [1];
  start([], { checkpoints: () => [leg as unknown as LegCheckpoint] });
  let isSaved = false;
  void register.saved().then(() => (isSaved = true));
  await jest.advanceTimersByTimeAsync(130);
  expect([notTaken.length, isSaved]).toEqual([0, false]);
  await jest.advanceTimersByTimeAsync(1_000);
  expect(isSaved).toBe(true);
});
