import { Template } from 'aws-cdk-lib/assertions';
import { ALARMS } from '../../lib/monitoring/alarms';
import { RELAY_ALARMS } from '../../local/alarms/alarms-off';
import type { FaultyAnswer } from '../../local/gladia/faults';
import { cloudWatchDimension, cloudWatchName, METRICS } from '../../runtime/contract/metrics';
import { patternedAudio } from '../support/audio';
import { ALARMED, EMITTED, FORMAT_FAULTS, meteredWorld, type MeteredWorld } from '../support/metered-world';
import { makeStacks } from '../support/stacks';
import { storeBehindFaults } from '../support/store-behind-faults';
import type { TestWorldOptions } from '../support/test-world';

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

function refuseStreams(world: MeteredWorld, status: number): void {
  const when = ({ operation }: { readonly operation: string }): boolean => operation === 'create stream';
  world.twilio!.restFaults.push({ when, times: Infinity, answer: { status } });
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

async function forge(world: MeteredWorld): Promise<void> {
  const { done } = world.callOneTrack(AUDIO, { behaviour: { signature: 'wrong token' } });
  expect(await done).toMatchObject({ end: 'refused' });
}

test('a wrong auth token pages; a forger beside calls, and a stranger without a signature, are tickets', async () => {
  const world = await meteredWorld();
  for (let i = 0; i < 3; i += 1) await forge(world);
  expect(await world.alarms()).toEqual(['signatures-refused', 'some-signatures-refused']);
  const forged = await meteredWorld({ script });
  // All at once: none of them may be older than a quarter of an hour when somebody forges.
  const calls = Array.from({ length: 4 }, () => forged.callOneTrack(AUDIO));
  for (const { callSid } of calls) await forged.sink.summary(callSid);
  for (let i = 0; i < 3; i += 1) await forge(forged);
  expect(await forged.alarms()).toEqual(['some-signatures-refused']);
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

test('a call that lost its stream and gets no new one sets off what is about that', async () => {
  const world = await meteredWorld({ script, twilioRest: true });
  refuseStreams(world, 401);
  const call = world.call({ audio: { inbound: patternedAudio(20_000, 65) } });
  await world.sink.next('audio-started', call.callSid);
  call.streams[0]!.lose('reset');
  await shows(world, {
    sample: /^callscript_reattachments_failed_total\{error="[\w-]+"\} 1$/m,
    line: ({ ReattachmentsFailed }) => ReattachmentsFailed === 1,
  });
  call.hangUp();
  expect(await world.alarms()).toEqual(['calls-not-reattached']);
});

test('a task that must go and finds nobody to take its call sets off what is about hand-overs', async () => {
  const world = await meteredWorld({
    script,
    twilioRest: true,
    // Five attempts must fall into five minutes, on a busy machine, too.
    timing: { metricsIntervalMs: 400, continuity: { backOffMs: 20 } },
  });
  const call = world.call({ audio: { inbound: patternedAudio(20_000, 66) } });
  await world.sink.next('audio-started', call.callSid);
  refuseStreams(world, 500);
  const alarms = world.alarms();
  await shows(world, {
    sample: /^callscript_hand_overs_failed_total ([5-9]|\d\d)/m,
    line: ({ HandOversFailed }) => Number(HandOversFailed) > 0,
  });
  call.hangUp();
  expect(await alarms).toEqual(['hand-overs-failing']);
});

test('a sink that throws is a fault of the relay, and sets off what is about those', async () => {
  const world = await meteredWorld({ script });
  jest.spyOn(world.sink, 'write').mockImplementationOnce(() => {
    throw new Error('a sink never throws');
  });
  const call = world.callOneTrack(AUDIO);
  await shows(world, {
    sample: /^callscript_sink_errors_total 1$/m,
    line: ({ Faults }) => Faults === 1,
  });
  await world.sink.summary(call.callSid);
  expect(await world.alarms()).toEqual(['relay-faults']);
});

describe('the store', () => {
  const table = storeBehindFaults();
  const storeWorld = (options: TestWorldOptions = {}): Promise<MeteredWorld> =>
    meteredWorld({
      script,
      ...options,
      settings: { AWS_ENDPOINT_URL_DYNAMODB: table.faults.endpoint },
      timing: { callEndPollMs: 100, ...options.timing },
    });
  const storeRetries = {
    sample: /^callscript_store_retries_total [1-9]/m,
    line: ({ StoreRetries }: Line): boolean => Number(StoreRetries) > 0,
  };
  // The lease that runs out is a short one here.
  const shortLease = { renewEveryMs: 100, renewRetryMs: 50, leaseMs: 500, lookEveryMs: 60_000 };

  test('that throttles shows, and sets off no alarm, because all is tried again', async () => {
    const world = await storeWorld();
    // Few requests, as the looks at the table's readiness are some of them; but half of what a batch has.
    Object.assign(table.faults.switches, { throttledShare: 0.05, unprocessedShare: 0.5 });
    const calls = Array.from({ length: 10 }, () => world.callOneTrack(AUDIO));
    await shows(world, storeRetries);
    await world.minute(world.minutes + 12);
    Object.assign(table.faults.switches, { throttledShare: 0, unprocessedShare: 0 });
    for (const { callSid } of calls) await world.sink.next('call-ended', callSid);
    expect(await world.alarms()).toEqual([]);
  });

  test('that is down for minutes shows, and sets off what is about the table', async () => {
    const world = await storeWorld({ timing: { continuity: shortLease } });
    table.faults.switches.mode = 'down';
    const call = world.callOneTrack(AUDIO);
    await shows(world, storeRetries);
    await world.minute(world.minutes + 12);
    table.faults.switches.mode = 'up';
    await world.sink.next('call-ended', call.callSid);
    expect(await world.alarms()).toEqual(['store-unreachable', 'leases-failing']);
  });

  test('that goes away before a task has written all sets off what is about lost writes', async () => {
    // Too soon for anybody to see that the table is away.
    const world = await storeWorld({ timing: { flushTimeoutMs: 100, readinessIntervalMs: 60_000 } });
    const call = world.callOneTrack(AUDIO);
    await world.sink.next('final', call.callSid);
    table.faults.switches.mode = 'down';
    expect(await world.alarms()).toEqual(['store-write-failures']);
  });

  test('that is slower than the calls sets off what is about writes that wait', async () => {
    const words = Array.from({ length: 1_600 }, (_, n) => ({
      startMs: n * 7,
      endMs: n * 7 + 5,
      text: 'Word.',
    }));
    const world = await storeWorld({ script: () => ({ channels: [words] }) });
    const call = world.callOneTrack(patternedAudio(11_500, 67));
    await world.sink.next('audio-started', call.callSid);
    table.faults.switches.latencyMs = 300;
    await shows(world, {
      sample: /^callscript_store_queue [1-9]\d{3}$/m,
      line: ({ StoreQueue }) => Number(StoreQueue) >= 1_000,
    });
    await world.minute(world.minutes + 4);
    table.faults.switches.latencyMs = 0;
    expect(await world.alarms()).toEqual(['store-writes-waiting']);
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

/** Proven by lines made for it (test/local/alarms/alarms-off.test.ts) and, where a task dies, by `npm run chaos`. */
const NEVER_OFF_HERE = ['nothing-emitted', 'tickets-unchecked', 'task-died', 'finals-late'];

test('every alarm of the relay was set off by its fault, but for those named', () => {
  const ids = RELAY_ALARMS.map(({ id }) => id);
  expect(ids.filter((id) => !ALARMED.has(id))).toEqual(NEVER_OFF_HERE);
});

/** None of these relays has to have this: they emit it as 0. */
const MAY_BE_ZERO = ['TicketFaults', 'LegsTakenOver', 'AudioFilled', 'AudioResent', 'AudioLate'];

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
  expect(MAY_BE_ZERO).toEqual(expect.arrayContaining(wanted.filter((name) => !EMITTED.has(name))));
  expect([plain.length > 20, searched.length > 2, scaling.includes('CallsLive')]).toEqual([true, true, true]);
  expect(RELAY_ALARMS.length).toBeGreaterThan(ALARMS.length / 2);
});
