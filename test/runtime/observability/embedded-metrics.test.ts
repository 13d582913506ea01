import { METRICS, type MetricName } from '../../../runtime/contract/metrics';
import { EmbeddedMetrics, startEmbeddedMetrics } from '../../../runtime/observability/embedded-metrics';
import { Metrics } from '../../../runtime/observability/metrics';

interface Line {
  readonly _aws: {
    readonly Timestamp: number;
    readonly CloudWatchMetrics: readonly {
      readonly Namespace: string;
      readonly Dimensions: readonly (readonly string[])[];
      readonly Metrics: readonly { readonly Name: string; readonly Unit: string }[];
    }[];
  };
  readonly [name: string]: unknown;
}

const read = (lines: readonly string[]): Line[] => lines.map((line) => JSON.parse(line) as Line);

let metrics: Metrics;
let embedded: EmbeddedMetrics;
const lines = (): Line[] => read(embedded.lines(1_764_000_000_000));

beforeEach(() => {
  metrics = new Metrics();
  embedded = new EmbeddedMetrics(metrics);
});

it('gives every metric without a dimension, zeros included', () => {
  const [total, ...rest] = lines();
  const names = (Object.keys(METRICS) as MetricName[]).map((name) => name[0]!.toUpperCase() + name.slice(1));
  expect(rest).toEqual([]);
  expect(total!._aws.Timestamp).toBe(1_764_000_000_000);
  expect(total!._aws.CloudWatchMetrics[0]).toMatchObject({ Namespace: 'Callscript', Dimensions: [[]] });
  expect(total!._aws.CloudWatchMetrics[0]!.Metrics.map(({ Name }) => Name)).toEqual(names);
  for (const name of names) expect(total![name]).toBe(0);
});

it('stays within what CloudWatch takes in one line: a hundred metrics', () => {
  expect(Object.keys(METRICS).length).toBeLessThanOrEqual(100);
});

it('names the unit of each metric', () => {
  expect(lines()[0]!._aws.CloudWatchMetrics[0]!.Metrics).toEqual(
    expect.arrayContaining([
      { Name: 'AudioReceived', Unit: 'Milliseconds' },
      { Name: 'Backlog', Unit: 'Bytes' },
      { Name: 'CallsLive', Unit: 'Count' },
    ]),
  );
});

it('gives counters as what was added since the line before, and gauges as they are', () => {
  metrics.count('audioReceived', 1_000);
  metrics.gauge('callsLive', 2);
  expect(lines()[0]).toMatchObject({ AudioReceived: 1_000, CallsLive: 2 });
  metrics.count('audioReceived', 20);
  expect(lines()[0]).toMatchObject({ AudioReceived: 20, CallsLive: 2 });
  expect(lines()[0]).toMatchObject({ AudioReceived: 0, CallsLive: 2 });
});

it('gives what has a label as a sum, and by label in lines of their own', () => {
  metrics.count('requestsRefused', 2, 'full');
  metrics.count('requestsRefused', 1, 'draining');
  metrics.count('twilioMessagesIgnored', 5, 'full');
  const [total, ...rest] = lines();
  expect(total).toMatchObject({ RequestsRefused: 3, TwilioMessagesIgnored: 5 });
  expect(rest.map(({ _aws, ...values }) => [_aws.CloudWatchMetrics[0]!.Dimensions, values])).toEqual([
    [[['Reason']], { Reason: 'full', RequestsRefused: 2, TwilioMessagesIgnored: 5 }],
    [[['Reason']], { Reason: 'draining', RequestsRefused: 1 }],
  ]);
});

it('writes a label only when its value changed', () => {
  metrics.count('requestsRefused', 2, 'full');
  metrics.count('audioLost', 40, 'session-ended');
  expect(lines().length).toBe(3);
  metrics.count('requestsRefused', 1, 'full');
  expect(lines()[1]).toMatchObject({ Reason: 'full', RequestsRefused: 1 });
  expect(lines().length).toBe(1);
});

it('writes a gauge by label while it is not zero, and once when it is zero again', () => {
  metrics.gauge('unready', 0, 'no-twilio-token');
  expect(lines().length).toBe(1);
  metrics.gauge('unready', 1, 'no-gladia-key');
  for (const [total, byReason] of [lines(), lines()]) {
    expect(total).toMatchObject({ Unready: 1 });
    expect(byReason).toMatchObject({ Reason: 'no-gladia-key', Unready: 1 });
  }
  metrics.gauge('unready', 0, 'no-gladia-key');
  expect(lines()).toMatchObject([{ Unready: 0 }, { Reason: 'no-gladia-key', Unready: 0 }]);
  expect(lines().length).toBe(1);
});

it('writes again and again, and a last time at close, and then no more', async () => {
  const written: string[] = [];
  let wake: () => void = () => undefined;
  const twice = new Promise<void>((resolve) => (wake = resolve));
  metrics.count('segments', 7);
  const running = startEmbeddedMetrics({
    metrics,
    intervalMs: 5,
    writeLine: (line) => {
      written.push(line);
      if (written.length === 2) wake();
    },
  });
  await twice;
  const before = written.length;
  metrics.count('segments', 3);
  running.close();
  running.close();
  expect(written.length).toBe(before + 1);
  expect(read(written).map((line) => line['Segments'])).toEqual([7, ...Array<number>(before - 1).fill(0), 3]);
  expect(written.join('')).not.toContain('\n');
  await linesOfAnother(3);
  expect(written.length).toBe(before + 1);
});

/** Waits until another writer of the same pace has written this often. */
async function linesOfAnother(count: number): Promise<void> {
  let left = count;
  let other: { close(): void } | undefined;
  await new Promise<void>((resolve) => {
    other = startEmbeddedMetrics({ metrics, intervalMs: 5, writeLine: () => (left -= 1) === 0 && resolve() });
  });
  other?.close();
}
