import { METRICS, type MetricName } from '../../../runtime/contract/metrics';
import { Metrics } from '../../../runtime/observability/metrics';
import { prometheusName, prometheusText } from '../../../runtime/observability/prometheus-text';

const NAMES = Object.keys(METRICS) as MetricName[];
const lines = (metrics: Metrics): string[] => prometheusText(metrics).split('\n');

it('counts in base units and says so in the name', () => {
  const metrics = new Metrics();
  metrics.count('audioReceived', 1_540);
  metrics.gauge('audioHeld', 268_435_456);
  metrics.gauge('callsLive', 3);
  metrics.count('sessionsOpened');
  expect(lines(metrics)).toEqual(
    expect.arrayContaining([
      '# HELP callscript_audio_received_seconds_total Audio received from Twilio, all tracks',
      '# TYPE callscript_audio_received_seconds_total counter',
      'callscript_audio_received_seconds_total 1.54',
      '# TYPE callscript_audio_held_bytes gauge',
      'callscript_audio_held_bytes 268435456',
      'callscript_calls_live 3',
      'callscript_sessions_opened_total 1',
    ]),
  );
});

it('gives a sample for each value of a label', () => {
  const metrics = new Metrics();
  metrics.count('requestsRefused', 2, 'full');
  metrics.count('requestsRefused', 1, 'not-found');
  metrics.count('audioLost', 250, 'backlog-overflow');
  expect(lines(metrics)).toEqual(
    expect.arrayContaining([
      'callscript_requests_refused_total{reason="full"} 2',
      'callscript_requests_refused_total{reason="not-found"} 1',
      'callscript_audio_lost_seconds_total{cause="backlog-overflow"} 0.25',
    ]),
  );
});

it('gives a gauge for each value of its label, zeros included', () => {
  const metrics = new Metrics();
  metrics.gauge('unready', 1, 'no-gladia-key');
  metrics.gauge('unready', 0, 'no-twilio-token');
  expect(lines(metrics)).toEqual(
    expect.arrayContaining([
      '# TYPE callscript_unready gauge',
      'callscript_unready{reason="no-gladia-key"} 1',
      'callscript_unready{reason="no-twilio-token"} 0',
    ]),
  );
});

it('gives a distribution as a histogram: cumulative buckets, sum and count', () => {
  const metrics = new Metrics();
  [80, 612, 750, 751, 90_000].forEach((value) => metrics.observe('finalLatency', value));
  const name = 'callscript_final_latency_seconds';
  const text = lines(metrics);
  expect(text).toContain(`# TYPE ${name} histogram`);
  const buckets = text.filter((line) => line.startsWith(`${name}_bucket`)).map((line) => line.split(' '));
  const counts = Object.fromEntries(buckets.map(([series, count]) => [series, Number(count)]));
  expect(counts).toMatchObject({
    [`${name}_bucket{le="0.05"}`]: 0,
    [`${name}_bucket{le="0.1"}`]: 1,
    [`${name}_bucket{le="0.75"}`]: 3,
    [`${name}_bucket{le="1"}`]: 4,
    [`${name}_bucket{le="60"}`]: 4,
    [`${name}_bucket{le="+Inf"}`]: 5,
  });
  expect(text.slice(text.indexOf(`${name}_sum 92.193`)).slice(0, 2)).toEqual([
    `${name}_sum 92.193`,
    `${name}_count 5`,
  ]);
});

it('escapes a label value', () => {
  const metrics = new Metrics();
  metrics.count('requestsRefused', 1, 'a"b\\c\nd');
  expect(lines(metrics)).toContain('callscript_requests_refused_total{reason="a\\"b\\\\c\\nd"} 1');
});

it('declares every metric once, with zero where it has no label and was never counted', () => {
  const text = lines(new Metrics());
  for (const name of NAMES) {
    const full = prometheusName(name);
    expect(text.filter((line) => line.startsWith(`# TYPE ${full} `)).length).toBe(1);
    const { kind, label } = METRICS[name];
    const value = kind === 'distribution' ? `${full}_count 0` : `${full} 0`;
    expect(text.includes(value)).toBe(label === undefined);
  }
  expect(new Set(NAMES.map(prometheusName)).size).toBe(NAMES.length);
});

it('is what a scraper can read: declarations first, samples of one metric together, a newline at the end', () => {
  const metrics = new Metrics();
  metrics.count('legsEnded', 1, 'stopped');
  metrics.count('legsEnded', 1, 'drained');
  const text = prometheusText(metrics);
  expect(text.endsWith('\n')).toBe(true);
  let current = '';
  for (const line of text.trimEnd().split('\n')) {
    const declared = /^# (?:HELP|TYPE) (\S+) \S/.exec(line)?.[1];
    if (declared !== undefined) current = declared;
    else
      expect(line).toMatch(
        new RegExp(`^${current}(_bucket|_sum|_count)?(\\{[a-z]+="[^"]*"\\})? \\d+(\\.\\d+)?$`),
      );
  }
});
