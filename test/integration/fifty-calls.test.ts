import { createScriptedRecogniser, type Script } from '../../local/gladia/scripted-recogniser';
import { randomSid } from '../../local/twilio/random-sids';
import { channelOf, patternedAudio } from '../support/audio';
import { ledgerOf, testWorld } from '../support/test-world';

const CALLS = 50;
const CALL_MS = 2_400;

/** Every third call is of one track. Each says what nobody else says, at times of its own. */
function planCall(number: number) {
  const says = (channel: number, startMs: number) => ({
    startMs: startMs + number * 3,
    endMs: startMs + 400 + number * 3,
    text: `Call ${number} channel ${channel} at ${startMs}.`,
  });
  const script: Script = {
    channels: [
      [says(0, 100), says(0, 1_100)],
      [says(1, 600), says(1, 1_600)],
    ],
  };
  const audio = {
    inbound: patternedAudio(CALL_MS, 1_000 + number),
    outbound: patternedAudio(CALL_MS, 2_000 + number),
  };
  return { callSid: randomSid('CA'), isOneTrack: number % 3 === 0, script, audio };
}

test('fifty calls at once have one session each, their own bytes and their own words', async () => {
  const plans = Array.from({ length: CALLS }, (_, number) => planCall(number));
  const scripts = new Map(plans.map(({ callSid, script }) => [callSid, script]));
  const chooseScript = ({ customMetadata }: { customMetadata: Readonly<Record<string, unknown>> }) =>
    scripts.get(String(customMetadata['callSid']));
  const world = await testWorld({ gladia: { recogniser: createScriptedRecogniser(chooseScript) } });

  const calls = plans.map(({ callSid, isOneTrack, audio }) =>
    isOneTrack
      ? world.callOneTrack(audio.inbound, { callSid, paceFactor: 2 })
      : world.call({ callSid, audio, paceFactor: 2 }),
  );
  await Promise.all(calls.map(({ callSid }) => world.sink.next('call-ended', callSid)));
  await world.relay.drain();

  expect(world.gladia.sessions).toHaveLength(CALLS);
  for (const [number, call] of calls.entries()) {
    const { callSid, isOneTrack, script, audio } = plans[number]!;
    const sessions = world.sessionsOf(callSid);
    expect(sessions).toHaveLength(1);
    const accepted = sessions[0]!.accepted()!;
    if (isOneTrack) {
      expect(sessions[0]!.channels).toBe(1);
      expect(accepted.equals(audio.inbound)).toBe(true);
    } else {
      expect(channelOf(accepted, 0, 2).equals(call.sent.inbound)).toBe(true);
      expect(channelOf(accepted, 1, 2).equals(call.sent.outbound)).toBe(true);
    }
    const expected = script.channels
      .flatMap((utterances, channel) => (isOneTrack && channel === 1 ? [] : (utterances ?? [])))
      .toSorted((one, other) => one.startMs - other.startMs);
    const stored = (await world.read(callSid))!;
    expect(stored.segments.map(({ startMs, text }) => ({ startMs, text }))).toEqual(
      expected.map(({ startMs, text }) => ({ startMs, text })),
    );
    expect(stored.call).toMatchObject({ status: 'completed', segmentCount: expected.length });
    expect(ledgerOf(await world.sink.summary(callSid))).toMatchObject({ acceptedMs: CALL_MS, filledMs: 0 });
  }
  const { metrics } = world.relay;
  expect(metrics.value('sessionsOpened')).toBe(CALLS);
  expect(metrics.value('audioResent') + metrics.value('audioLost') + metrics.value('segmentsRepeated')).toBe(
    0,
  );
});
