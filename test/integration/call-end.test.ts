import type { StreamEnd } from '../../local/twilio/behaviour';
import { startTwilioApi } from '../../local/twilio/twilio-api';
import type { Call } from '../../local/twilio/twilio-caller';
import { patternedAudio } from '../support/audio';
import { ledgerOf, mediaUrl, PACE, testWorld } from '../support/test-world';

const CALL_MS = 1_600;
const SCRIPT = { channels: [[{ startMs: 300, endMs: 700, text: 'Good bye.' }]] };

const ENDS: readonly (readonly [Exclude<StreamEnd, 'never'>, string])[] = [
  ['stop, 1005', 'stopped'],
  ['stop, 1000', 'stopped'],
  ['close without stop', 'stream-lost'],
  ['reset', 'stream-lost'],
];

test.each(ENDS)(
  'a stream that ends by "%s" ends its leg once, as %s, with everything transcribed',
  async (end, endReason) => {
    const world = await testWorld({ script: () => SCRIPT });
    const audio = patternedAudio(CALL_MS, 61);
    const { callSid } = world.callOneTrack(audio, { behaviour: { end } });
    await world.sink.next('call-ended', callSid);
    const { call, segments, sessions } = await world.readAfterDrain(callSid);

    expect(world.sink.of('leg-ended', callSid)).toHaveLength(1);
    expect(world.sink.of('call-ended', callSid)).toHaveLength(1);
    expect(world.relay.metrics.value('legsEnded', endReason)).toBe(1);
    expect(call).toMatchObject({ status: 'completed', endReason, segmentCount: 1 });
    expect(segments).toHaveLength(1);
    expect(sessions).toMatchObject([{ status: 'closed', reconciled: true }]);
    const [session] = world.gladia.sessions;
    const accepted = session!.accepted()!;
    // What a reset takes along on its way never arrived.
    expect(accepted.equals(audio.subarray(0, accepted.length))).toBe(true);
    if (end !== 'reset') expect(accepted).toHaveLength(audio.length);
    expect(session!.stopReceived).toBe(true);
    const { acceptedMs, receivedMs } = ledgerOf(await world.sink.summary(callSid));
    expect(acceptedMs).toBe(receivedMs);
  },
);

test('a second leg of a call goes on with its times, and the call ends once, after both', async () => {
  const world = await testWorld({ script: () => SCRIPT, timing: { callEndGraceMs: 400 } });
  const first = world.callOneTrack(patternedAudio(CALL_MS, 62), { behaviour: { end: 'close without stop' } });
  const { callSid, accountSid } = first;
  await world.sink.next('leg-ended', callSid);
  const secondFromMs = Date.now();
  const second = world.callOneTrack(patternedAudio(CALL_MS, 63), { callSid, accountSid });
  const ended = await world.sink.next('call-ended', callSid);
  const untilMs = Date.now();

  expect(ended.legs.map(({ endReason }) => endReason)).toEqual(['stream-lost', 'stopped']);
  const origins = world.sink.of('audio-started', callSid).map(({ originAt }) => originAt);
  expect(origins).toHaveLength(2);
  expect(origins[1]).toBe(origins[0]);
  const originMs = Date.parse(origins[0]!);
  const [one, two] = world.sink.segments(callSid);
  expect(one!.startMs).toBe(300);
  expect(two!.startMs).toBeGreaterThanOrEqual(secondFromMs - originMs + 300);
  expect(two!.startMs).toBeLessThanOrEqual(untilMs - originMs + 300);
  expect(Date.parse(two!.at)).toBe(originMs + two!.startMs);
  const { call, segments } = await world.readAfterDrain(callSid);
  expect(Object.keys(call.legs).toSorted()).toEqual([first.streamSid, second.streamSid].toSorted());
  expect(segments.map(({ startMs }) => startMs)).toEqual([one!.startMs, two!.startMs]);
  expect(call).toMatchObject({
    status: 'completed',
    segmentCount: 2,
    ledger: { tracks: { inbound: { acceptedMs: 2 * CALL_MS } } },
  });
});

test('a call whose first audio came late began when that was said, for its later legs as for the table', async () => {
  const world = await testWorld({ script: () => SCRIPT, timing: { callEndGraceMs: 400, beginningMs: 50 } });
  const first = world.callOneTrack(patternedAudio(CALL_MS, 65), { behaviour: { end: 'close without stop' } });
  const { callSid, accountSid } = first;
  await world.sink.next('leg-ended', callSid);
  // Eight seconds of audio came in every one: it must have been said before.
  const origins = world.sink.of('audio-started', callSid).map(({ originAt }) => originAt);
  const saidAt = origins.at(-1);
  expect(Date.parse(saidAt!)).toBeLessThan(Date.parse(origins[0]!));

  const second = world.callOneTrack(patternedAudio(CALL_MS, 66), { callSid, accountSid });
  await world.sink.next('call-ended', callSid);
  const ofSecond = world.sink
    .of('audio-started', callSid)
    .filter(({ streamSid }) => streamSid === second.streamSid);
  expect(ofSecond[0]?.originAt).toBe(saidAt);
  const { call } = await world.readAfterDrain(callSid);
  expect(call.originAt).toBe(saidAt);
});

test('what an earlier leg passes on of the beginning holds before the table knows it, and nothing that is later', async () => {
  const world = await testWorld({ script: () => SCRIPT });
  const first = world.callOneTrack(patternedAudio(CALL_MS, 67), { behaviour: { end: 'close without stop' } });
  const { callSid, accountSid } = first;
  const { originAt } = await world.sink.next('audio-started', callSid);
  await world.sink.next('leg-ended', callSid);

  const later = (ms: number): string => new Date(Date.parse(originAt) + ms).toISOString();
  for (const passedOn of [later(100), later(-1_500)]) {
    const stream = { url: mediaUrl(world), tracks: ['inbound'] as const, parameters: { originAt: passedOn } };
    const { streamSid } = world.callOneTrack(patternedAudio(CALL_MS, 68), { callSid, accountSid, stream });
    await world.sink.until(() =>
      world.sink.of('leg-ended', callSid).find((leg) => leg.streamSid === streamSid),
    );
  }
  const origins = world.sink.of('audio-started', callSid).map((event) => event.originAt);
  expect(origins).toEqual([originAt, originAt, later(-1_500)]);
});

test('a leg that comes after its call was taken for over opens it again', async () => {
  const world = await testWorld({ script: () => SCRIPT });
  const { callSid, accountSid } = world.callOneTrack(patternedAudio(CALL_MS, 64));
  await world.sink.next('call-ended', callSid);
  world.callOneTrack(patternedAudio(CALL_MS, 65), { callSid, accountSid });
  await world.sink.until(() => world.sink.of('call-ended', callSid)[1]);
  const { call, segments } = await world.readAfterDrain(callSid);
  expect(Object.keys(call.legs)).toHaveLength(2);
  expect(call.status).toBe('completed');
  expect(segments).toHaveLength(2);
  expect(segments[1]!.startMs).toBeGreaterThan(segments[0]!.startMs);
});

test('two legs of one call at the same time are two transcripts of one call', async () => {
  const world = await testWorld({ script: () => SCRIPT });
  const { callSid, accountSid } = world.callOneTrack(patternedAudio(CALL_MS, 66));
  world.callOneTrack(patternedAudio(CALL_MS, 67), { callSid, accountSid });
  const ended = await world.sink.next('call-ended', callSid);
  expect(ended.legs).toHaveLength(2);
  expect(world.sessionsOf(callSid)).toHaveLength(2);
});

describe('with REST', () => {
  const KEY = { username: `SK${'1'.repeat(32)}`, password: 'rest-secret' };

  test('a call is over when Twilio says so, and Twilio tells who called', async () => {
    const calls: Call[] = [];
    const api = await startTwilioApi({ ...KEY, calls: () => calls });
    const world = await testWorld({
      script: () => SCRIPT,
      settings: {
        TWILIO_API_URL: api.url,
        TWILIO_API_KEY_SID: KEY.username,
        TWILIO_API_KEY_SECRET: KEY.password,
      },
      timing: { callEndPollMs: 20 },
    });
    const call = world.callOneTrack(patternedAudio(CALL_MS, 68), {
      from: '+15005550111',
      behaviour: { end: 'close without stop' },
    });
    calls.push(call);
    await world.sink.next('leg-ended', call.callSid);
    await call.done;
    expect(call.status).toBe('in-progress');
    expect(world.sink.of('call-ended')).toHaveLength(0);
    call.hangUp();
    await world.sink.next('call-ended', call.callSid);
    const { call: stored } = await world.readAfterDrain(call.callSid);
    expect(stored).toMatchObject({ from: '+15005550111', direction: 'inbound', status: 'completed' });
    await api.close();
  });

  test('a Twilio that cannot be asked does not keep a call open', async () => {
    const world = await testWorld({
      script: () => SCRIPT,
      settings: { TWILIO_API_URL: 'http://127.0.0.1:9' },
      timing: { callEndPollMs: 10 },
    });
    const { callSid } = world.callOneTrack(patternedAudio(CALL_MS, 69));
    expect(await world.sink.next('call-ended', callSid)).toMatchObject({ endReason: 'stopped' });
  });
});

test('MEDIA_PATH and a public URL with a path are the ones that count', async () => {
  const world = await testWorld({
    script: () => SCRIPT,
    settings: { MEDIA_PATH: '/twilio/stream', PUBLIC_URL: 'https://relay.callscript.example/edge' },
  });
  const call = world.call({
    stream: { url: 'wss://relay.callscript.example/edge/twilio/stream', tracks: ['inbound'] },
    audio: { inbound: patternedAudio(CALL_MS, 70) },
    paceFactor: PACE,
  });
  await world.sink.next('call-ended', call.callSid);
  expect(world.sink.segments(call.callSid)).toHaveLength(1);
});
