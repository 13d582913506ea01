import { Template } from 'aws-cdk-lib/assertions';
import { ALARMS } from '../../lib/monitoring/alarms';
import { RELAY_ALARMS } from '../../local/alarms/alarms-off';
import { startEmbeddedDynamoDb } from '../../local/embedded-dynamodb';
import type { FaultyAnswer } from '../../local/gladia/faults';
import { startStoreFaults } from '../../local/store-faults/store-faults';
import { cloudWatchDimension, cloudWatchName, METRICS } from '../../runtime/contract/metrics';
import { patternedAudio } from '../support/audio';
import { EMITTED, FORMAT_FAULTS, meteredWorld, type MeteredWorld } from '../support/metered-world';
import { makeStacks } from '../support/stacks';

const AUDIO = patternedAudio(2_000, 61);
const SCRIPT = { channels: [[{ startMs: 100, endMs: 400, text: 'First words.' }]] };

const script = (): typeof SCRIPT => SCRIPT;

/** Resolves when Prometheus sees the metric move, and the next embedded line says so, too. */
async function shows(
  world: MeteredWorld,
  { sample, line }: { readonly sample: RegExp; readonly line: (line: Line) => boolean },
): Promise<void> {
  const untilMs = performance.now() + 10_000;
  while (!sample.test(await world.scrape())) {
    if (performance.now() > untilMs) throw new Error(`${String(sample)} is not at /metrics within 10 s`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const { minutes } = world;
  // That minute may just be being told.
  await world.minute(minutes + 2);
  expect(world.lines.some(line)).toBe(true);
}
type Line = Readonly<Record<string, unknown>>;

function refuseSessions(world: MeteredWorld, answer: FaultyAnswer): { times: number } {
  const fault = {
    when: ({ method }: { readonly method: string }) => method === 'POST',
    times: Infinity,
    answer,
  };
  world.gladia.faults.http.push(fault);
  return fault;
}

test('an hour of quiet traffic sets off no alarm', async () => {
  const world = await meteredWorld({ script });
  for (let minute = 5; minute <= 50; minute += 5) {
    const call = world.call({ audio: { inbound: AUDIO, outbound: AUDIO }, paceFactor: 8 });
    await world.sink.summary(call.callSid);
    await world.minute(minute);
  }
  await world.minute(60);
  expect(await world.alarms()).toEqual([]);
  expect(world.relay.metrics.value('legsEnded', 'stopped')).toBe(10);
});

test('a cut of Gladia shows, and sets off no alarm, because nothing is lost', async () => {
  const world = await meteredWorld({ script });
  const call = world.callOneTrack(patternedAudio(8_000, 62), { paceFactor: 4 });
  await world.gladia.waitFor(() => (world.sessionsOf(call.callSid)[0]?.acceptedBytes ?? 0) > 8_000);
  world.sessionsOf(call.callSid)[0]!.cut('reset');
  await shows(world, {
    sample: /^callscript_session_sockets_lost_total 1$/m,
    line: ({ SessionSocketsLost }) => SessionSocketsLost === 1,
  });
  await world.sink.summary(call.callSid);
  expect(await world.alarms()).toEqual([]);
});

test('401 of Gladia shows, and sets off what is about calls that failed', async () => {
  const world = await meteredWorld({ script });
  refuseSessions(world, { status: 401 });
  const call = world.callOneTrack(AUDIO);
  await shows(world, {
    sample: /^callscript_calls_failed_total\{reason="http-401"\} 1$/m,
    line: ({ CallsFailed, Reason }) => CallsFailed === 1 && Reason === 'http-401',
  });
  await world.sink.summary(call.callSid);
  expect(await world.alarms()).toEqual(['calls-failed']);
});

test('503 of Gladia, again and again, sets off what is about Gladia', async () => {
  const world = await meteredWorld({ script });
  const fault = refuseSessions(world, { status: 503 });
  const call = world.callOneTrack(AUDIO);
  await world.gladia.waitFor(() => world.relay.metrics.value('sessionRequestsFailed') >= 24);
  fault.times = 0;
  await world.sink.summary(call.callSid);
  expect(await world.alarms()).toEqual(['gladia-errors']);
});

test('a limit of Gladia sets off a ticket and no page', async () => {
  const world = await meteredWorld({ script });
  const fault = refuseSessions(world, { status: 429 });
  const call = world.callOneTrack(AUDIO);
  await world.gladia.waitFor(() => world.relay.metrics.value('sessionRequestsFailed', 'http-429') >= 2);
  fault.times = 0;
  await world.sink.summary(call.callSid);
  expect(await world.alarms()).toEqual(['gladia-limit']);
});

test('a stream that is refused shows, and sets off what is about refused calls', async () => {
  const world = await meteredWorld({ script, settings: { MAX_CALLS: '1' } });
  const first = world.callOneTrack(patternedAudio(8_000, 63));
  await world.sink.next('leg-started', first.callSid);
  const second = world.callOneTrack(AUDIO);
  expect(await second.done).toMatchObject({ end: 'refused' });
  await shows(world, {
    sample: /^callscript_requests_refused_total\{reason="full"\} 1$/m,
    line: ({ RequestsRefused, Reason }) => RequestsRefused === 1 && Reason === 'full',
  });
  await world.sink.summary(first.callSid);
  expect(await world.alarms()).toEqual(['calls-refused']);
});

test('a wrong auth token pages, and a stranger without a signature is a ticket', async () => {
  const forged = await meteredWorld();
  for (let i = 0; i < 3; i += 1) {
    const call = forged.callOneTrack(AUDIO, { behaviour: { signature: 'wrong token' } });
    await call.done;
  }
  expect(await forged.alarms()).toEqual(['signatures-refused']);
  const unsigned = await meteredWorld();
  for (let i = 0; i < 10; i += 1) {
    const call = unsigned.callOneTrack(AUDIO, { behaviour: { signature: 'none' } });
    await call.done;
  }
  expect(await unsigned.alarms()).toEqual(['unsigned-requests']);
});

test('a backlog that overflows sets off what is about dropped audio', async () => {
  const world = await meteredWorld({ script, settings: { BACKLOG_CALL_MS: '4000' } });
  const fault = refuseSessions(world, { status: 503 });
  const call = world.callOneTrack(patternedAudio(16_000, 64));
  await world.gladia.waitFor(() => world.relay.metrics.value('audioDropped') >= 10_000);
  fault.times = 0;
  await world.sink.summary(call.callSid);
  expect((await world.alarms()).toSorted()).toEqual(['audio-lost', 'backlog-dropped', 'gladia-errors']);
});

test('a silent leg by itself is no alarm, and two of two are one', async () => {
  const world = await meteredWorld({ script: () => ({ channels: [[]] }) });
  const calls = [1, 2].map((seed) => world.callOneTrack(patternedAudio(10_500, seed)));
  for (const { callSid } of calls) await world.sink.summary(callSid);
  expect(await world.alarms()).toEqual(['calls-untranscribed']);
});

describe('the store', () => {
  const throttled = { throttledShare: 0.2, unprocessedShare: 0.5 };
  // Retried within a lease: no alarm. The lease that runs out is a short one here.
  const shortLease = { renewEveryMs: 100, renewRetryMs: 50, leaseMs: 500, lookEveryMs: 60_000 };
  test.each([
    ['throttles', 'no alarm', throttled, {}, []],
    [
      'is down for minutes',
      'what is about the table',
      { mode: 'down' },
      shortLease,
      ['store-unreachable', 'leases-failing'],
    ],
  ] as const)('that %s shows, and sets off %s', async (_what, _alarm, switches, continuity, expected) => {
    const store = await startEmbeddedDynamoDb();
    const faults = await startStoreFaults({ target: store.endpoint });
    try {
      const world = await meteredWorld({
        script,
        settings: { AWS_ENDPOINT_URL_DYNAMODB: faults.endpoint },
        timing: { callEndPollMs: 100, continuity },
      });
      Object.assign(faults.switches, switches);
      const call = world.callOneTrack(AUDIO);
      await shows(world, {
        sample: /^callscript_store_retries_total [1-9]/m,
        line: ({ StoreRetries }) => Number(StoreRetries) > 0,
      });
      await world.minute(world.minutes + 12);
      Object.assign(faults.switches, { mode: 'up', throttledShare: 0, unprocessedShare: 0 });
      await world.sink.next('call-ended', call.callSid);
      expect(await world.alarms()).toEqual(expected);
    } finally {
      await faults.close();
      await store.close();
    }
  });
});

test.each([
  ['the key of Gladia', { GLADIA_API_KEY: '' }, 'no-gladia-key'],
  ['the token of Twilio', { TWILIO_AUTH_TOKEN: '' }, 'no-twilio-token'],
])('a relay without %s says so, and that sets off its alarm', async (_what, settings, alarm) => {
  const world = await meteredWorld({ settings });
  await world.minute(8);
  expect(await world.alarms()).toEqual([alarm]);
});

test('every line of these relays is as CloudWatch publishes its format', () => {
  expect(EMITTED.size).toBeGreaterThan(50);
  expect(FORMAT_FAULTS).toEqual([]);
});

test('every alarm, scaling rule and widget looks at what these relays really emitted', () => {
  const named = ({ name, label }: { name: keyof typeof METRICS; label?: string }): string =>
    label === undefined
      ? cloudWatchName(name)
      : `${cloudWatchName(name)} by ${cloudWatchDimension(METRICS[name].label ?? '')}`;
  const alarmed = RELAY_ALARMS.flatMap(({ metric }) => {
    if (metric.from === 'relay') return [named(metric as Parameters<typeof named>[0])];
    return metric.from === 'relay-share' ? [metric.count, metric.among].map(cloudWatchName) : [];
  });
  const template = JSON.stringify(Template.fromStack(makeStacks().relay).toJSON());
  const plain = [...template.matchAll(/\\"Callscript\\",\\"(\w+)\\"/g)].map(([, name = '']) => name);
  const searched = [...template.matchAll(/\{Callscript,(\w+)\} MetricName=\\+"(\w+)\\+"/g)].map(
    ([, dimension = '', name = '']) => `${name} by ${dimension}`,
  );
  const scaling = [...template.matchAll(/"MetricName":"(\w+)","Namespace":"Callscript"/g)].map(
    ([, name = '']) => name,
  );
  const wanted = [...new Set([...alarmed, ...plain, ...searched, ...scaling])];
  expect(wanted.filter((name) => !EMITTED.has(name))).toEqual([]);
  expect([plain.length > 20, searched.length > 2, scaling.includes('CallsLive')]).toEqual([true, true, true]);
  expect(RELAY_ALARMS.length).toBeGreaterThan(ALARMS.length / 2);
});
