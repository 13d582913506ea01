import { Metrics } from '../../runtime/observability/metrics';
import type { UnreadyReason } from '../../runtime/readiness';
import { watchReadiness } from '../../runtime/readiness-watch';
import { recordLog } from '../support/recorded-log';

const NO_KEY: UnreadyReason = { reason: 'no-gladia-key', fix: 'set GLADIA_API_KEY' };
const NO_STORE: UnreadyReason = { reason: 'store-unreachable', fix: 'npm run store' };
const DRAINING: UnreadyReason = { reason: 'draining', fix: 'none' };

let close: (() => void) | undefined;
afterEach(() => close?.());

/** Watches with these answers, one a look, and after the last one no more. */
async function watched(...looks: UnreadyReason[][]) {
  const metrics = new Metrics();
  const { logger, lines } = recordLog();
  const gauges: number[][] = [];
  const left = [...looks];
  await new Promise<void>((resolve) => {
    const unreadyReasons = async (): Promise<UnreadyReason[]> => {
      if (left.length < looks.length)
        gauges.push([
          metrics.value('unready', 'no-gladia-key'),
          metrics.value('unready', 'store-unreachable'),
        ]);
      const look = left.shift();
      if (look !== undefined) return look;
      resolve();
      return new Promise(() => undefined);
    };
    ({ close } = watchReadiness({ readiness: { unreadyReasons }, intervalMs: 1, metrics, logger }));
  });
  return { metrics, gauges, lines };
}

test('a reason is a gauge of 1 while it holds and of 0 when not', async () => {
  const { gauges } = await watched([NO_KEY, NO_STORE], [NO_KEY], [], [NO_STORE]);
  expect(gauges).toEqual([
    [1, 1],
    [1, 0],
    [0, 0],
    [0, 1],
  ]);
});

test('every reason has a series from the first look on, so that an alarm has data', async () => {
  const { metrics } = await watched([]);
  const series = [...metrics.series()].filter(([name]) => name === 'unready');
  expect(series).toEqual([
    ['unready', 'no-gladia-key', 0],
    ['unready', 'no-twilio-token', 0],
    ['unready', 'no-public-url', 0],
    ['unready', 'store-unreachable', 0],
  ]);
});

test('a reason is logged when it begins and when it ends, once each, and again when it comes back', async () => {
  const { lines } = await watched([NO_KEY], [NO_KEY], [], [], [NO_KEY]);
  expect(lines).toMatchObject([
    { level: 40, msg: 'The next call would not be transcribed', ...NO_KEY },
    { level: 30, msg: 'This is mended', reason: 'no-gladia-key' },
    { level: 40, msg: 'The next call would not be transcribed', ...NO_KEY },
  ]);
  expect(lines.length).toBe(3);
});

test('draining is no fault', async () => {
  const { metrics, lines } = await watched([DRAINING]);
  expect(metrics.value('unready')).toBe(0);
  expect(lines).toEqual([]);
});

test('after close nothing is looked at, and a look under way changes nothing', async () => {
  const metrics = new Metrics();
  const { logger, lines } = recordLog();
  let answer: (reasons: UnreadyReason[]) => void = () => undefined;
  let looks = 0;
  const unreadyReasons = (): Promise<UnreadyReason[]> => {
    looks += 1;
    return new Promise((resolve) => (answer = resolve));
  };
  const watch = watchReadiness({ readiness: { unreadyReasons }, intervalMs: 0, metrics, logger });
  watch.close();
  watch.close();
  answer([NO_KEY]);
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect([looks, metrics.value('unready'), lines]).toEqual([1, 0, []]);
});
