import { GetCommand } from '@aws-sdk/lib-dynamodb';
import type { FaultyRequest } from '../../local/gladia/faults';
import { createDocumentClient } from '../../runtime/store/dynamodb-client';
import { PARTITION_KEY, sessionKey, SORT_KEY } from '../../runtime/contract/transcripts-table';
import type { Call } from '../../local/twilio/twilio-caller';
import { patternedAudio } from '../support/audio';
import { ledgerOf, testWorld, type TestWorld } from '../support/test-world';
import { WsPeer } from '../support/ws-peer';

const AUDIO = patternedAudio(1_600, 71);
const SCRIPT = {
  channels: [
    [
      { startMs: 200, endMs: 600, text: 'Stay on the line.' },
      { startMs: 1_200, endMs: 1_590, text: 'I am just looking.' },
    ],
  ],
};
const LIVE = { behaviour: { end: 'never' } } as const;

/** A call that has said everything it says and stays on the line. */
async function liveCall(world: TestWorld): Promise<Call> {
  const call = world.callOneTrack(AUDIO, LIVE);
  await world.gladia.waitFor(() =>
    world.sessionsOf(call.callSid).find(({ acceptedBytes }) => acceptedBytes >= AUDIO.length),
  );
  return call;
}

async function storedSession(
  world: TestWorld,
  { callSid, streamSid }: Call,
): Promise<Record<string, unknown>> {
  const client = createDocumentClient({ region: 'us-east-1', endpoint: world.store.endpoint });
  const Key = { [PARTITION_KEY]: callSid, [SORT_KEY]: sessionKey(streamSid, 1) };
  const { Item } = await client.send(new GetCommand({ TableName: world.config.store.table, Key }));
  client.destroy();
  return Item ?? {};
}

test('a drain finishes the transcripts of live calls, stores their last words and closes the streams', async () => {
  const world = await testWorld({ script: () => SCRIPT });
  const calls = await Promise.all([1, 2, 3].map(() => liveCall(world)));
  await world.relay.drain();

  for (const call of calls) {
    const [session] = world.sessionsOf(call.callSid);
    expect(session).toMatchObject({ stopReceived: true, closeCodes: [1000] });
    const summary = await world.sink.summary(call.callSid);
    expect(summary).toMatchObject({ endReason: 'drained', segments: 2, reconciled: true });
    expect(ledgerOf(summary)).toMatchObject({ acceptedMs: 1_600, lostMs: {} });
    const stored = (await world.read(call.callSid))!;
    expect(stored.segments.map(({ text }) => text)).toEqual(['Stay on the line.', 'I am just looking.']);
    expect(stored.call).toMatchObject({ status: 'completed', endReason: 'drained' });
    const item = await storedSession(world, call);
    expect(item).toMatchObject({ status: 'closed', reconciled: true });
    expect(item).not.toHaveProperty('url');
    expect(await call.events.waitFor('closed')).toMatchObject({ code: 1001 });
  }
});

test('the url of a session is stored while the session lives', async () => {
  const world = await testWorld({ script: () => SCRIPT });
  const call = await liveCall(world);
  let item: Record<string, unknown> = {};
  // The write is queued; asking again is the only way to know that it is done.
  while (item['status'] === undefined) item = await storedSession(world, call);
  const { id } = world.sessionsOf(call.callSid)[0]!;
  expect(item).toMatchObject({ status: 'open', sessionId: id, url: expect.stringMatching(/^ws:/) });
});

test('a drain that meets a silent Gladia ends at its limit and says what is not confirmed', async () => {
  const world = await testWorld({ script: () => SCRIPT, settings: { DRAIN_TIMEOUT_MS: '2000' } });
  world.gladia.faults.sessions = { stallAfterBytes: 1_000 * 8 };
  const call = world.callOneTrack(AUDIO, LIVE);
  await world.gladia.waitFor(({ sessions }) => (sessions[0]?.receivedBytes ?? 0) >= 1_000 * 8);
  await world.relay.drain();
  const summary = await world.sink.summary(call.callSid);
  expect(summary).toMatchObject({ endReason: 'drained', reconciled: false });
  const { acceptedMs, unconfirmedMs, receivedMs, lostMs } = ledgerOf(summary);
  expect(acceptedMs).toBe(0);
  expect(unconfirmedMs + (lostMs['relay-stopped'] ?? 0)).toBe(receivedMs);
  expect((await world.read(call.callSid))!.segments.map(({ text }) => text)).toEqual(['Stay on the line.']);
  // Another task ends the session: nobody here has.
  const session = await storedSession(world, call);
  expect(session).toMatchObject({ reconciled: false, url: expect.stringMatching(/^ws:/) });
});

test('audio that no session was there for is lost to the drain, and its gap is stored', async () => {
  const world = await testWorld({ settings: { DRAIN_TIMEOUT_MS: '2000' } });
  world.gladia.faults.http.push({ times: Infinity, answer: { status: 503 } });
  const call = world.callOneTrack(AUDIO);
  await call.done;
  await world.relay.drain();
  const summary = await world.sink.summary(call.callSid);
  expect(ledgerOf(summary).lostMs).toEqual({ 'relay-stopped': 1_600 });
  expect(world.relay.metrics.value('audioLost', 'relay-stopped')).toBe(1_600);
  const { gaps, call: stored } = (await world.read(call.callSid))!;
  expect(gaps).toMatchObject([{ startMs: 0, endMs: 1_600, cause: 'relay-stopped' }]);
  expect(stored.status).toBe('completed');
});

test('a drain does not wait for a final result beyond its limit', async () => {
  const world = await testWorld({
    script: () => SCRIPT,
    settings: { DRAIN_TIMEOUT_MS: '1000' },
    recognition: { resultForMs: 600_000 },
  });
  const when = ({ method }: FaultyRequest): boolean => method === 'GET';
  world.gladia.faults.http.push({ when, times: Infinity, answer: 'hang' });
  const call = await liveCall(world);
  await world.relay.drain();
  const summary = await world.sink.summary(call.callSid);
  expect(summary).toMatchObject({ endReason: 'drained', reconciled: false, segments: 2 });
});

test('while it drains, the relay refuses streams with 503, is not ready and is healthy', async () => {
  const world = await testWorld({ script: () => SCRIPT, settings: { DRAIN_TIMEOUT_MS: '2000' } });
  world.gladia.faults.sessions = { loseStop: true };
  const live = await liveCall(world);
  const drained = world.relay.drain();

  const late = world.callOneTrack(AUDIO);
  expect(await late.done).toMatchObject({ end: 'refused' });
  expect(late.events.seen).toContainEqual({ type: 'refused', code: 31920, status: 503 });
  expect(world.relay.metrics.value('requestsRefused', 'draining')).toBe(1);
  const ready = await fetch(`http://127.0.0.1:${world.relay.adminPort}/ready`);
  expect(ready.status).toBe(503);
  expect(await ready.json()).toMatchObject({ ready: false, reasons: [{ reason: 'draining' }] });
  expect((await fetch(`http://127.0.0.1:${world.relay.port}/health`)).status).toBe(200);
  expect(world.sink.of('leg-ended', live.callSid)).toHaveLength(0);

  await drained;
  expect(world.sink.of('leg-ended', live.callSid)).toHaveLength(1);
  await expect(fetch(`http://127.0.0.1:${world.relay.port}/health`)).rejects.toThrow();
});

test('a drain is one drain, however often it is asked for', async () => {
  const world = await testWorld({ script: () => SCRIPT });
  await liveCall(world);
  const [one, two] = [world.relay.drain(), world.relay.drain()];
  expect(one).toBe(two);
  await one;
  expect(world.sink.of('leg-ended')).toHaveLength(1);
  expect(world.sink.of('call-ended')).toHaveLength(1);
});

test('a stream that never said which call it is does not hold the drain up', async () => {
  const world = await testWorld({ settings: { ALLOW_UNSIGNED_STREAMS: 'true' } });
  const peer = await WsPeer.connect(`ws://127.0.0.1:${world.relay.port}/media`);
  await world.relay.drain();
  expect(await peer.closed()).toMatchObject({ code: 1001 });
});
