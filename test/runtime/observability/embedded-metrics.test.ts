import {
  cloudWatchName,
  METRIC_SUMS,
  METRICS,
  type MetricName,
  type SumName,
} from '../../../runtime/contract/metrics';
import { EmbeddedMetrics, startEmbeddedMetrics } from '../../../runtime/observability/embedded-metrics';
import { Metrics } from '../../../runtime/observability/metrics';
import { drivenMetrics } from '../../support/driven-metrics';
import { embeddedFormatFaults } from '../../support/embedded-metric-format';

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

const PLAIN_NAMES = (Object.keys(METRICS) as MetricName[])
  .filter((name) => METRICS[name].kind !== 'distribution')
  .map(cloudWatchName);
const SUM_NAMES = (Object.keys(METRIC_SUMS) as SumName[]).map(cloudWatchName);

it('gives every counter, gauge and sum without a dimension, zeros included', () => {
  const [total, ...rest] = lines();
  const names = [...PLAIN_NAMES, ...SUM_NAMES];
  expect(rest).toEqual([]);
  expect(total!._aws.Timestamp).toBe(1_764_000_000_000);
  expect(total!._aws.CloudWatchMetrics[0]).toMatchObject({ Namespace: 'Callscript', Dimensions: [[]] });
  expect(total!._aws.CloudWatchMetrics[0]!.Metrics.map(({ Name }) => Name)).toEqual(names);
  for (const name of names) expect(total![name]).toBe(0);
});

it('is what CloudWatch takes, whatever has happened and however often', () => {
  const driven = drivenMetrics('some-value');
  for (let i = 0; i < 50_000; i += 1) driven.observe('relayLatency', i / 7);
  const written = new EmbeddedMetrics(driven).lines(1_764_000_000_000);
  expect(written.length).toBeGreaterThan(20);
  expect(written.flatMap(embeddedFormatFaults)).toEqual([]);
});

it.each([
  ['NaN in place of a number', { '"CallsLive":0': '"CallsLive":null' }],
  ['a number without its member', { '"CallsLive":0,': '' }],
  ['counted values', { '"CallsLive":0': '"CallsLive":{"Values":[1],"Counts":[2]}' }],
  ['more than a hundred values', { '"CallsLive":0': `"CallsLive":[${'1,'.repeat(100)}1]` }],
  ['a unit of its own', { '"Unit":"Count"': '"Unit":"Calls"' }],
  ['another member', { '"Namespace"': '"Version":1,"Namespace"' }],
  [
    'an empty dimension',
    { '"Dimensions":[[]]': '"Dimensions":[["Reason"]]', '"CallsLive":0': '"Reason":"","CallsLive":0' },
  ],
])('would not be taken with %s', (_what, changes: Record<string, string>) => {
  const [total = ''] = embedded.lines(0);
  const changed = Object.entries(changes).reduce((text, [from, to]) => text.replace(from, to), total);
  expect([changed === total, embeddedFormatFaults(total)]).toEqual([false, []]);
  expect(embeddedFormatFaults(changed)).toHaveLength(1);
});

it('leaves out what is no number: a line with one would be lost with all that alarms need', () => {
  for (const wrong of [NaN, Infinity, -Infinity]) {
    metrics.count('audioLost', wrong, 'session-ended');
    metrics.gauge('backlog', wrong);
    metrics.observe('finalLatency', wrong);
  }
  metrics.count('audioLost', 40, 'session-ended');
  const written = embedded.lines(0);
  expect(written.flatMap(embeddedFormatFaults)).toEqual([]);
  expect(read(written)[0]).toMatchObject({ AudioLost: 40, Backlog: 0 });
});

it('adds up for alarms what they are about, and nothing else', () => {
  metrics.count('requestsRefused', 2, 'full');
  metrics.count('requestsRefused', 4, 'draining');
  metrics.count('requestsRefused', 8, 'not-found');
  metrics.count('requestsRefused', 16, 'bad-signature');
  metrics.count('requestsRefused', 32, 'bad-form');
  metrics.count('sessionRequestsFailed', 1, 'http-429');
  metrics.count('sessionRequestsFailed', 2, 'http-500');
  metrics.count('sessionRequestsFailed', 4, 'no-key');
  metrics.count('callsFailed', 1, 'fault');
  metrics.count('callsFailed', 2, 'http-401');
  metrics.count('sinkErrors', 4);
  const expected = { CallsRefused: 2, SignaturesRefused: 16, SpeechLimited: 1, SpeechErrors: 2, Faults: 5 };
  expect(lines()[0]).toMatchObject(expected);
  expect(lines()[0]).toMatchObject({ CallsRefused: 0, SignaturesRefused: 0, SpeechErrors: 0, Faults: 0 });
});

it('writes a distribution in a line of its own, only what came since the line before', () => {
  expect(lines().length).toBe(1);
  metrics.observe('finalLatency', 612);
  metrics.observe('finalLatency', 618);
  metrics.observe('partialLatency', 250);
  const [, ...rest] = lines();
  expect(rest.map(({ _aws, ...values }) => [_aws.CloudWatchMetrics[0], values])).toEqual([
    [definition('PartialLatency'), { PartialLatency: [245] }],
    [definition('FinalLatency'), { FinalLatency: [615, 615] }],
  ]);
  metrics.observe('finalLatency', 612);
  expect(lines()[1]).toMatchObject({ FinalLatency: [615] });
  expect(lines().length).toBe(1);
});

const definition = (name: string): object => ({
  Namespace: 'Callscript',
  Dimensions: [[]],
  Metrics: [{ Name: name, Unit: 'Milliseconds' }],
});

it('names the unit of each metric', () => {
  expect(lines()[0]!._aws.CloudWatchMetrics[0]!.Metrics).toEqual(
    expect.arrayContaining([
      { Name: 'AudioReceived', Unit: 'Milliseconds' },
      { Name: 'AudioHeld', Unit: 'Bytes' },
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
