import { patternedAudio, channelOf } from '../support/audio';
import { testWorld } from '../support/test-world';

const CONVERSATION = [
  [
    { startMs: 200, endMs: 900, text: 'Good morning.' },
    { startMs: 2_000, endMs: 2_600, text: 'My tap is dripping.' },
  ],
  [{ startMs: 1_100, endMs: 1_800, text: 'Hello, how can I help?' }],
];

test('a call of two tracks is transcribed, in order, by speaker, and accounted for to the millisecond', async () => {
  const world = await testWorld({ script: () => ({ channels: CONVERSATION }) });
  const call = world.call({
    audio: { inbound: patternedAudio(3_000, 1), outbound: patternedAudio(3_000, 2) },
    paceFactor: 4,
  });
  await world.sink.next('call-ended', call.callSid);
  await world.close();

  const [session] = world.gladia.sessions;
  expect(world.gladia.sessions).toHaveLength(1);
  const accepted = session!.accepted()!;
  expect(channelOf(accepted, 0, 2)).toEqual(call.sent.inbound);
  expect(channelOf(accepted, 1, 2)).toEqual(call.sent.outbound);

  const finals = world.sink.of('final').map(({ segment }) => segment);
  expect(finals.map(({ text, speaker, startMs }) => [startMs, speaker, text]).toSorted()).toEqual(
    [
      [200, 'customer', 'Good morning.'],
      [1_100, 'agent', 'Hello, how can I help?'],
      [2_000, 'customer', 'My tap is dripping.'],
    ].toSorted(),
  );
  expect(world.sink.of('partial').length).toBeGreaterThan(3);

  const { summary } = world.sink.of('leg-ended')[0]!;
  const track = {
    receivedMs: 3_000,
    framesMs: 3_000,
    filledMs: 0,
    acceptedMs: 3_000,
    lateMs: 0,
    unconfirmedMs: 0,
    lostMs: {},
  };
  expect(summary.ledger).toEqual({ tracks: { inbound: track, outbound: track } });
  expect(summary).toMatchObject({
    endReason: 'stopped',
    sessions: 1,
    segments: 3,
    reconciled: true,
    billableSeconds: 6,
  });
});
