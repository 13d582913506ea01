import type { Behaviour } from '../../local/twilio/behaviour';
import { channelOf, patternedAudio, withoutSilence } from '../support/audio';
import { ledgerOf, mediaUrl, PACE, testWorld } from '../support/test-world';

const CALL_MS = 2_000;
const INBOUND = patternedAudio(CALL_MS, 11);
const OUTBOUND = patternedAudio(CALL_MS, 12);

/** One utterance per channel, late in the call: what was before it must not move it. */
const LATE_WORDS = {
  channels: [
    [{ startMs: 1_600, endMs: 1_800, text: 'It still drips.' }],
    [{ startMs: 1_400, endMs: 1_550, text: 'I am coming.' }],
  ],
};

const HARMLESS: readonly (readonly [string, Partial<Behaviour>])[] = [
  ['odd payload sizes', { payloadBytes: [1, 160, 77, 320, 8, 159] }],
  ['timestamps in steps of 18, 19, 21 and 22 ms', { timestampStepsMs: [18, 21, 19, 22, 20] }],
  ['a first timestamp of 171 ms', { firstTimestampMs: 171 }],
  ['outbound before inbound in each slot', { interleave: 'outbound first' }],
  ['tracks in alternating order', { interleave: 'alternating' }],
  ['chunk numbers per track', { chunks: 'per track' }],
  ['outbound first in start.tracks', { tracksOrder: 'outbound first' }],
  ['a stall and then everything at once', { stalls: [{ atMs: 400, forMs: 1_200 }] }],
  ['a burst of 40 frames at the start', { burstFrames: 40 }],
  ['version 0.2.0', { version: '0.2.0' }],
  ['fields nobody knows', { extraFields: true }],
  ['a close with 1000 after stop', { end: 'stop, 1000' }],
  ['status callbacks that come before the socket', { statusCallback: 'before socket' }],
  [
    'events nobody knows',
    {
      intrusions: [
        { kind: 'unknown event', atMs: 300 },
        { kind: 'dtmf', atMs: 500 },
        { kind: 'unknown event' },
      ],
    },
  ],
];

test.each(HARMLESS)('with %s both tracks arrive byte for byte', async (_, behaviour) => {
  const world = await testWorld({ script: () => LATE_WORDS });
  const call = world.call({
    audio: { inbound: INBOUND, outbound: OUTBOUND },
    paceFactor: PACE,
    behaviour,
  });
  const summary = await world.sink.summary(call.callSid);

  const [session, ...more] = world.sessionsOf(call.callSid);
  expect(more).toHaveLength(0);
  const accepted = session!.accepted()!;
  expect(call.sent.inbound.length).toBeGreaterThanOrEqual(CALL_MS * 8);
  expect(channelOf(accepted, 0, 2).equals(call.sent.inbound)).toBe(true);
  expect(channelOf(accepted, 1, 2).equals(call.sent.outbound)).toBe(true);
  for (const track of ['inbound', 'outbound'] as const) {
    expect(ledgerOf(summary, track)).toMatchObject({ filledMs: 0, lateMs: 0, unconfirmedMs: 0, lostMs: {} });
  }
  const heard = world.sink.segments(call.callSid);
  expect(heard.map(({ text, speaker }) => [speaker, text]).toSorted()).toEqual([
    ['agent', 'I am coming.'],
    ['customer', 'It still drips.'],
  ]);
  for (const { text, startMs } of heard)
    expect(Math.abs(startMs - (text === 'I am coming.' ? 1_400 : 1_600))).toBeLessThanOrEqual(20);
});

const FILLED: readonly (readonly [string, Partial<Behaviour>, { inbound: number; outbound: number }])[] = [
  [
    'a silent gap in one track',
    { gaps: [{ fromMs: 600, toMs: 1_200, track: 'inbound' }] },
    { inbound: 600, outbound: 0 },
  ],
  ['a silent gap in both tracks', { gaps: [{ fromMs: 600, toMs: 1_200 }] }, { inbound: 600, outbound: 600 }],
  ['outbound that starts a second late', { outboundDelayMs: 1_000 }, { inbound: 0, outbound: 1_000 }],
  ['a jump of the timestamps', { jumps: [{ atMs: 1_000, byMs: 500 }] }, { inbound: 500, outbound: 500 }],
];

test.each(FILLED)('with %s silence is put in its place, and counted', async (_, behaviour, filledMs) => {
  const world = await testWorld({ script: () => LATE_WORDS });
  const call = world.call({
    audio: { inbound: INBOUND, outbound: OUTBOUND },
    paceFactor: PACE,
    behaviour,
  });
  const summary = await world.sink.summary(call.callSid);

  const accepted = world.sessionsOf(call.callSid)[0]!.accepted()!;
  for (const [channel, track] of (['inbound', 'outbound'] as const).entries()) {
    const own = channelOf(accepted, channel, 2);
    expect(withoutSilence(own).equals(call.sent[track])).toBe(true);
    expect(own).toHaveLength(call.sent[track].length + filledMs[track] * 8);
    const ledger = ledgerOf(summary, track);
    expect(ledger).toMatchObject({ filledMs: filledMs[track], framesMs: call.sent[track].length / 8 });
    expect(ledger.acceptedMs).toBe(ledger.receivedMs);
  }
  expect(world.relay.metrics.value('audioFilled')).toBe(filledMs.inbound + filledMs.outbound);
  expect(
    world.sink
      .segments(call.callSid)
      .map(({ startMs }) => startMs)
      .toSorted(),
  ).toEqual([1_400, 1_600]);
});

test('timestamps that go back change no audio, and later words get the time Twilio says', async () => {
  const world = await testWorld({ script: () => LATE_WORDS });
  const call = world.callOneTrack(INBOUND, { behaviour: { jumps: [{ atMs: 1_000, byMs: -300 }] } });
  const summary = await world.sink.summary(call.callSid);
  expect(world.sessionsOf(call.callSid)[0]!.accepted()!.equals(INBOUND)).toBe(true);
  expect(ledgerOf(summary)).toMatchObject({ filledMs: 0, acceptedMs: CALL_MS });
  expect(world.sink.segments(call.callSid)[0]).toMatchObject({ startMs: 1_300 });
});

test('without parameters the parties are unknown and inbound is the customer', async () => {
  const world = await testWorld({ script: () => LATE_WORDS });
  const call = world.call({
    audio: { inbound: INBOUND, outbound: OUTBOUND },
    paceFactor: PACE,
    direction: 'outbound-dial',
    stream: { url: mediaUrl(world), tracks: ['inbound', 'outbound'] },
    behaviour: { customParameters: 'missing' },
  });
  await world.sink.next('call-ended', call.callSid);
  expect(world.sink.of('leg-started')[0]).toMatchObject({ parties: { direction: 'unknown' } });
  expect(world.sink.segments(call.callSid).find(({ track }) => track === 'inbound')).toMatchObject({
    speaker: 'customer',
  });
  const { call: stored } = await world.readAfterDrain(call.callSid);
  expect(stored.from).toBeUndefined();
});

test('the parties that /voice passes on are stored, and a dialled leg has the agent on its inbound track', async () => {
  const world = await testWorld({ script: () => LATE_WORDS });
  const call = world.call({
    audio: { inbound: INBOUND, outbound: OUTBOUND },
    paceFactor: PACE,
    direction: 'outbound-dial',
    from: '+15005550107',
    to: '+15005550108',
  });
  await world.sink.next('call-ended', call.callSid);
  expect(world.sink.segments(call.callSid).find(({ track }) => track === 'inbound')).toMatchObject({
    speaker: 'agent',
  });
  const { call: stored } = await world.readAfterDrain(call.callSid);
  expect(stored).toMatchObject({ from: '+15005550107', to: '+15005550108', direction: 'outbound-dial' });
});

test('TRACKS=inbound takes one track of a stream of two, in one channel', async () => {
  const world = await testWorld({ settings: { TRACKS: 'inbound' }, script: () => LATE_WORDS });
  const call = world.call({
    stream: { url: mediaUrl(world), tracks: ['inbound', 'outbound'] },
    audio: { inbound: INBOUND, outbound: OUTBOUND },
    paceFactor: PACE,
  });
  const summary = await world.sink.summary(call.callSid);
  const [session] = world.sessionsOf(call.callSid);
  expect(session).toMatchObject({ channels: 1, body: { channels: 1 } });
  expect(session!.accepted()!.equals(INBOUND)).toBe(true);
  expect(summary.tracks).toEqual(['inbound']);
  expect(world.relay.metrics.value('twilioMessagesIgnored', 'track-off')).toBe(call.sent.frames.outbound);
});

test('TRACKS=inbound asks Twilio for one track in /voice', async () => {
  const world = await testWorld({ settings: { TRACKS: 'inbound' } });
  const call = world.call({ audio: { inbound: INBOUND, outbound: OUTBOUND }, paceFactor: PACE });
  await world.sink.summary(call.callSid);
  expect(call.sent.frames.outbound).toBe(0);
  expect(world.sessionsOf(call.callSid)[0]!.accepted()!.equals(INBOUND)).toBe(true);
});

test('AUDIO_CHUNK_MS=100 sends a fifth of the messages and the same audio, the tail too', async () => {
  const audio = patternedAudio(1_990, 13);
  const world = await testWorld({ settings: { AUDIO_CHUNK_MS: '100' } });
  const call = world.callOneTrack(audio, { behaviour: { payloadBytes: [160] } });
  await world.sink.summary(call.callSid);
  const [session] = world.sessionsOf(call.callSid);
  expect(session!.accepted()!.equals(call.sent.inbound)).toBe(true);
  expect(session!.acks).toBeLessThanOrEqual(Math.ceil(call.sent.inbound.length / 800) + 1);
});

describe('without frames', () => {
  // Real pace: the silence that takes their place comes at real pace too.
  test('for a while, silence keeps the session alive and a later frame is where Twilio says', async () => {
    const world = await testWorld({
      gladia: { limits: { processingMs: 10, noAudioMs: 1_600 } },
      script: () => ({ channels: [[{ startMs: 3_300, endMs: 3_500, text: 'Are you still there?' }]] }),
    });
    const audio = patternedAudio(3_700, 14);
    const call = world.callOneTrack(audio, {
      paceFactor: 1,
      behaviour: { gaps: [{ fromMs: 500, toMs: 3_000 }] },
    });
    const summary = await world.sink.summary(call.callSid);
    const [session, ...more] = world.sessionsOf(call.callSid);
    expect(more).toHaveLength(0);
    expect(session!.closeCodes).toEqual([1000]);
    const accepted = session!.accepted()!;
    expect(withoutSilence(accepted).equals(call.sent.inbound)).toBe(true);
    const { filledMs, framesMs, acceptedMs } = ledgerOf(summary);
    expect(framesMs).toBe(1_200);
    expect(Math.abs(filledMs - 2_500)).toBeLessThanOrEqual(40);
    expect(acceptedMs).toBe(accepted.length / 8);
    expect(world.relay.metrics.value('audioFilled')).toBe(filledMs);
    const [segment] = world.sink.segments(call.callSid);
    expect(Math.abs(segment!.startMs - 3_300)).toBeLessThanOrEqual(40);
  });

  test('ever, the session lives on silence and the leg ends with nothing but silence in its ledger', async () => {
    const world = await testWorld({ gladia: { limits: { processingMs: 10, noAudioMs: 1_600 } } });
    const call = world.callOneTrack(Buffer.alloc(0), { behaviour: { end: 'never' } });
    const session = await world.gladia.waitFor(
      ({ sessions }) => sessions.find(({ acceptedBytes }) => acceptedBytes >= 800 * 8),
      { what: 'silence' },
    );
    call.hangUp();
    const summary = await world.sink.summary(call.callSid);
    expect(world.gladia.sessions).toHaveLength(1);
    expect(session.closeCodes).toEqual([1000]);
    expect(withoutSilence(session.accepted()!)).toHaveLength(0);
    const { framesMs, filledMs, acceptedMs } = ledgerOf(summary);
    expect({ framesMs, filledMs }).toEqual({ framesMs: 0, filledMs: session.acceptedBytes / 8 });
    expect(acceptedMs).toBe(filledMs);
    await world.sink.next('call-ended', call.callSid);
    expect((await world.readAfterDrain(call.callSid)).call).toMatchObject({
      status: 'completed',
      segmentCount: 0,
    });
  });
});

test('a call that is hung up before its first frame leaves no session open', async () => {
  const world = await testWorld();
  const call = world.callOneTrack(Buffer.alloc(0));
  const summary = await world.sink.summary(call.callSid);
  expect(summary).toMatchObject({ endReason: 'stopped', segments: 0 });
  await world.sink.next('call-ended', call.callSid);
  await world.gladia.waitFor(({ sessions, openSessions }) => openSessions === 0 || sessions.length === 0);
});
