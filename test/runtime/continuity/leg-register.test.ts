import { LegRegister } from '../../../runtime/continuity/leg-register';
import { Metrics } from '../../../runtime/observability/metrics';
import { recordLog } from '../../support/recorded-log';

const LEASE_MS = 12_000;
const TIME_OUT_MS = 2_000;

let renewed: number[];
let register: LegRegister;

/** @param failing numbers of the renewals that time out, from 1 */
function start(failing: readonly number[]): void {
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
    saveLegs: async () => [],
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
  });
}

const gaps = (): number[] => renewed.slice(1).map((atMs, at) => atMs - (renewed[at] ?? 0));

beforeEach(() => {
  jest.useFakeTimers();
  renewed = [];
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
