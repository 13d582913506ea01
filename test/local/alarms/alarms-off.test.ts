import { alarmsOff } from '../../../local/alarms/alarms-off';
import { metricsOfLine } from '../../../local/alarms/embedded-line';
import { EmbeddedMetrics } from '../../../runtime/observability/embedded-metrics';
import { Metrics } from '../../../runtime/observability/metrics';

type Line = Readonly<Record<string, unknown>>;

/** A relay for so many minutes: what happens in each. */
function relayFor(minutes: number, happens: (metrics: Metrics, minute: number) => void): Line[] {
  const metrics = new Metrics();
  const embedded = new EmbeddedMetrics(metrics);
  return Array.from({ length: minutes }, (_, minute) => {
    happens(metrics, minute);
    return embedded.lines(minute * 60_000).map((line) => JSON.parse(line) as Line);
  }).flat();
}

const off = (lines: readonly Line[]): readonly string[] => alarmsOff({ lines, minuteMs: 60_000 });

test('a sum goes off at its threshold within its period, and not below it or spread over more', () => {
  const failing = (each: number) => (metrics: Metrics) =>
    metrics.count('sessionRequestsFailed', each, 'http-500');
  expect(off(relayFor(5, failing(2)))).toEqual(['gladia-errors']);
  expect(off(relayFor(20, failing(1)))).toEqual([]);
});

test('a gauge by label goes off in four of five minutes, and not in three', () => {
  const unready = (minutes: number) => (metrics: Metrics, minute: number) =>
    metrics.gauge('unready', minute < minutes ? 1 : 0, 'no-gladia-key');
  expect(off(relayFor(6, unready(4)))).toEqual(['no-gladia-key']);
  expect(off(relayFor(6, unready(3)))).toEqual([]);
});

test('a share goes off when enough of a whole is over it', () => {
  const ending = (untranscribed: number, ended: number) => (metrics: Metrics, minute: number) => {
    if (minute > 0) return;
    metrics.count('legsEnded', ended, 'stopped');
    metrics.count('legsUntranscribed', untranscribed);
  };
  expect(off(relayFor(3, ending(2, 10)))).toEqual(['calls-untranscribed']);
  expect(off(relayFor(3, ending(2, 11)))).toEqual([]);
  expect(off(relayFor(3, ending(1, 1)))).toEqual([]);
});

test('a percentile goes off when it lasts', () => {
  const late = (minutes: number) => (metrics: Metrics, minute: number) => {
    for (let i = 0; i < 10; i += 1) metrics.observe('finalLatency', minute < minutes ? 8_000 : 500);
  };
  expect(off(relayFor(20, late(15)))).toEqual(['finals-late']);
  expect(off(relayFor(30, late(4)))).toEqual([]);
});

test('tickets that cannot be checked go off when that lasts, and not when the table is away once', () => {
  const failing = (minutes: number) => (metrics: Metrics, minute: number) => {
    if (minute < minutes) metrics.count('ticketFaults', 1, 'no-key');
  };
  expect(off(relayFor(20, failing(15)))).toEqual(['tickets-unchecked']);
  expect(off(relayFor(20, failing(5)))).toEqual([]);
});

test('one leg of a dead task goes off', () => {
  expect(off(relayFor(3, (metrics, minute) => metrics.count('legsTakenOver', minute === 1 ? 1 : 0)))).toEqual(
    ['task-died'],
  );
});

test('silence of all relays goes off after five minutes', () => {
  const lines = relayFor(20, () => undefined);
  const timeOf = ({ _aws }: Line): number => (_aws as { readonly Timestamp: number }).Timestamp / 60_000;
  expect(off(lines.filter((line) => timeOf(line) < 4 || timeOf(line) > 9))).toEqual(['nothing-emitted']);
  expect(off(lines.filter((line) => timeOf(line) < 4 || timeOf(line) > 7))).toEqual([]);
});

test('values of one metric on several lines all count', () => {
  const metrics = new Metrics();
  for (let i = 0; i < 300; i += 1) metrics.observe('finalLatency', i % 3);
  const lines = new EmbeddedMetrics(metrics).lines(0).map((line) => JSON.parse(line) as Line);
  const finals = lines.flatMap(metricsOfLine).filter(({ name }) => name === 'FinalLatency');
  expect(finals.flatMap(({ values }) => values)).toHaveLength(300);
});

test('a line of the log is no metric', () => {
  expect(off([{ level: 30, msg: 'Relay started' }])).toEqual([]);
});
