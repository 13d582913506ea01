import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { patternedAudio } from '../support/audio';
import { startOtlpReceiver } from '../support/otlp-receiver';
import { testWorld } from '../support/test-world';

const SCRIPT = {
  channels: [
    [
      { startMs: 200, endMs: 900, text: 'The password is swordfish.' },
      { startMs: 3_000, endMs: 3_600, text: 'Good bye.' },
    ],
  ],
};

let collector: Awaited<ReturnType<typeof startOtlpReceiver>>;
beforeEach(async () => void (collector = await startOtlpReceiver()));
afterEach(() => collector.close());

test('one call is one connected trace, with a span for each part of its way, and no word or number in it', async () => {
  const world = await testWorld({
    script: () => SCRIPT,
    settings: { OTLP_TRACES_URL: collector.url, TRACKS: 'inbound' },
    timing: { callEndGraceMs: 300 },
  });
  // By the audio itself: a busy machine must not cut when all is heard, or the words come with the final result alone.
  world.gladia.faults.rules.push({
    when: () => true,
    faults: { cuts: [{ afterBytes: 8_000, how: 'reset', ackLast: true }] },
  });
  const call = world.call({
    audio: { inbound: patternedAudio(5_000, 71) },
    paceFactor: 4,
    from: '+15005550101',
  });
  await world.sink.next('call-ended', call.callSid);
  await world.relay.drain();

  const { spans } = collector;
  expect(spans.map(({ name }) => name).toSorted()).toEqual([
    'call',
    'first final',
    'first partial',
    'handshake',
    'resume',
    'session start',
    'stop',
    'store',
    'webhook',
  ]);
  expect(new Set(spans.map(({ traceId }) => traceId)).size).toBe(1);
  const root = spans.find(({ name }) => name === 'call')!;
  expect(root.parentSpanId ?? '').toBe('');
  for (const span of spans) {
    if (span !== root) expect([span.name, span.parentSpanId]).toEqual([span.name, root.spanId]);
    expect(BigInt(span.startTimeUnixNano)).toBeGreaterThanOrEqual(BigInt(root.startTimeUnixNano));
    expect(BigInt(span.endTimeUnixNano)).toBeGreaterThanOrEqual(BigInt(span.startTimeUnixNano));
  }
  expect(new Set(spans.map(({ spanId }) => spanId)).size).toBe(spans.length);
  const [session] = world.sessionsOf(call.callSid);
  for (const secret of ['swordfish', '15005550', session!.id, world.authToken])
    expect(collector.bodies.join('')).not.toContain(secret);
});

test('words that come to the table only while the relay drains have their span', async () => {
  const world = await testWorld({ script: () => SCRIPT, settings: { OTLP_TRACES_URL: collector.url } });
  const call = world.callOneTrack(patternedAudio(1_500, 74));
  await world.sink.next('final', call.callSid);
  await world.relay.drain();
  expect(collector.spans.map(({ name }) => name)).toEqual(expect.arrayContaining(['store', 'call']));
});

test('a call whose transcription failed says so in its trace', async () => {
  const world = await testWorld({ settings: { OTLP_TRACES_URL: collector.url } });
  world.gladia.faults.http.push({
    when: ({ method }) => method === 'POST',
    times: 9,
    answer: { status: 402 },
  });
  const call = world.callOneTrack(patternedAudio(1_000, 72));
  await world.sink.next('call-ended', call.callSid);
  await world.relay.drain();
  expect(collector.spans.map(({ name }) => name).toSorted()).toEqual(['call', 'handshake', 'stop']);
  expect(collector.bodies.join('')).toContain('http-402');
});

test('a collector that is not there costs a call nothing', async () => {
  const { url } = collector;
  await collector.close();
  const world = await testWorld({ script: () => SCRIPT, settings: { OTLP_TRACES_URL: url } });
  const call = world.callOneTrack(patternedAudio(4_500, 73));
  const { segments } = await world.sink.summary(call.callSid);
  expect(segments).toBe(2);
  await world.relay.drain();
  collector = await startOtlpReceiver();
});

test('where tracing is off nothing of it is loaded', async () => {
  const program = `
    require(${JSON.stringify(join(__dirname, '../../runtime/relay.ts'))});
    const loaded = Object.keys(require.cache).filter((file) => file.includes('@opentelemetry'));
    process.stdout.write(String(loaded.length));
    const { createOtlpExporter } = require(${JSON.stringify(join(__dirname, '../../runtime/tracing/otlp-exporter.ts'))});
    createOtlpExporter({ url: 'http://127.0.0.1:1/v1/traces' });
    const after = Object.keys(require.cache).filter((file) => file.includes('@opentelemetry'));
    process.stdout.write(after.length > 0 ? ' then some' : ' then none');
    process.exit(0);
  `;
  const args = ['--require', 'tsx/cjs', '--eval', program];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: join(__dirname, '../..') });
  expect(stdout).toBe('0 then some');
});
