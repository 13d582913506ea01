import type { OddMessage } from '../../local/gladia/faults';
import type { IntrusionKind, MediaFormat } from '../../local/twilio/behaviour';
import type { Call } from '../../local/twilio/twilio-caller';
import { patternedAudio } from '../support/audio';
import { ledgerOf, testWorld, type TestWorld, type TestWorldOptions } from '../support/test-world';

const CALL_MS = 2_400;
const SCRIPT = {
  channels: [
    [
      { startMs: 200, endMs: 600, text: 'Before it.' },
      { startMs: 1_700, endMs: 2_000, text: 'After it.' },
    ],
  ],
};

/** Another call goes on beside the bad one; whatever happens there, this one must not notice. */
async function withBystander(
  badCall: (world: TestWorld) => Call,
  options: TestWorldOptions = {},
): Promise<{ world: TestWorld; bad: Call }> {
  const world = await testWorld({ script: () => SCRIPT, ...options });
  const audio = patternedAudio(CALL_MS, 21);
  const bystander = world.callOneTrack(audio, { paceFactor: 6 });
  const bad = badCall(world);
  await Promise.all([bystander.done, bad.done]);
  const summary = await world.sink.summary(bystander.callSid);
  const sessions = world.sessionsOf(bystander.callSid);
  expect(sessions).toHaveLength(1);
  expect(sessions[0]!.accepted()!.equals(audio)).toBe(true);
  expect(summary).toMatchObject({ endReason: 'stopped', segments: 2 });
  expect(ledgerOf(summary)).toMatchObject({ acceptedMs: CALL_MS, filledMs: 0 });
  return { world, bad };
}

const AUDIO = patternedAudio(CALL_MS, 22);

const IGNORED: readonly (readonly [IntrusionKind, string])[] = [
  ['broken JSON', 'not-json'],
  ['not an object', 'malformed'],
  ['binary frame', 'binary'],
  ['payload not base64', 'bad-payload'],
  ['second start', 'second-start'],
  ['media before start', 'before-start'],
  ['stop for another stream', 'other-stream'],
  ['unknown event', 'unknown-event'],
];

test.each(IGNORED)('%s is counted and ignored: the call stays byte-exact', async (kind, reason) => {
  const { world, bad } = await withBystander((each) =>
    each.callOneTrack(AUDIO, { behaviour: { intrusions: [{ kind, atMs: 1_000 }] } }),
  );
  const summary = await world.sink.summary(bad.callSid);
  expect(summary).toMatchObject({ endReason: 'stopped', segments: 2 });
  expect(ledgerOf(summary)).toMatchObject({ acceptedMs: CALL_MS, filledMs: 0 });
  expect(world.sessionsOf(bad.callSid)[0]!.accepted()!.equals(AUDIO)).toBe(true);
  expect(world.relay.metrics.value('twilioMessagesIgnored', reason)).toBe(1);
});

test('a message of 10 MB ends its own leg with a reason, and what was transcribed stays', async () => {
  const { world, bad } = await withBystander((each) =>
    each.callOneTrack(AUDIO, { behaviour: { intrusions: [{ kind: 'oversized message', atMs: 1_300 }] } }),
  );
  const summary = await world.sink.summary(bad.callSid);
  expect(summary.endReason).toBe('protocol-error');
  const ledger = ledgerOf(summary);
  expect(ledger.acceptedMs).toBe(ledger.receivedMs);
  expect(ledger.receivedMs).toBeGreaterThan(900);
  await world.sink.next('call-ended', bad.callSid);
  const { segments, call } = await world.readAfterDrain(bad.callSid);
  expect(segments.map(({ text }) => text)).toEqual(['Before it.']);
  expect(call).toMatchObject({ status: 'completed', endReason: 'protocol-error' });
});

const FORMATS: readonly MediaFormat[] = [
  { encoding: 'audio/l16', sampleRate: 16_000, channels: 1 },
  { encoding: 'audio/x-mulaw', sampleRate: 16_000, channels: 1 },
  { encoding: 'audio/x-mulaw', sampleRate: 8_000, channels: 2 },
];

test.each(FORMATS)(
  'a stream of $encoding, $sampleRate Hz, $channels channels is refused',
  async (mediaFormat) => {
    const { world, bad } = await withBystander((each) =>
      each.callOneTrack(AUDIO, { behaviour: { mediaFormat } }),
    );
    expect(bad.events.seen).toContainEqual({ type: 'closed', code: 1003 });
    expect(world.sessionsOf(bad.callSid)).toHaveLength(0);
    expect(world.relay.metrics.value('requestsRefused', 'media-format')).toBe(1);
    expect(world.sink.of('leg-started', bad.callSid)).toHaveLength(0);
  },
);

test('a stream of another account is refused', async () => {
  const { world, bad } = await withBystander((each) =>
    each.callOneTrack(AUDIO, { accountSid: `AC${'0'.repeat(32)}` }),
  );
  expect(bad.events.seen).toContainEqual({ type: 'closed', code: 1008 });
  expect(world.sessionsOf(bad.callSid)).toHaveLength(0);
  expect(world.relay.metrics.value('requestsRefused', 'account')).toBe(1);
});

const ODD: readonly (readonly [OddMessage, string | undefined])[] = [
  ['malformed-json', 'not-json'],
  ['unknown-type', 'unknown-type'],
  ['error-frame', 'error'],
  ['huge-message', undefined],
];

test.each(ODD)("Gladia's %s costs no call anything", async (message, reason) => {
  const { world, bad } = await withBystander((each) => {
    each.gladia.faults.sessions = { oddMessages: [message] };
    return each.callOneTrack(AUDIO);
  });
  const summary = await world.sink.summary(bad.callSid);
  expect(world.sessionsOf(bad.callSid)).toHaveLength(1);
  expect(world.sessionsOf(bad.callSid)[0]!.accepted()!.equals(AUDIO)).toBe(true);
  expect(summary).toMatchObject({ segments: 2, reconciled: true });
  if (reason !== undefined) expect(world.relay.metrics.value('speechMessagesIgnored', reason)).toBe(2);
});

test('a thousand broken messages on one call leave another one whole', async () => {
  const { world, bad } = await withBystander((each) => {
    const call = each.callOneTrack(AUDIO, { behaviour: { end: 'never' } });
    void call.events.waitFor('started').then(() => {
      for (let i = 0; i < 1_000; i += 1) call.sendRaw(i % 2 === 0 ? '{"event":' : Buffer.from([i % 256]));
      call.hangUp();
    });
    return call;
  });
  await world.sink.summary(bad.callSid);
  const { metrics } = world.relay;
  expect(metrics.value('twilioMessagesIgnored', 'not-json')).toBe(500);
  expect(metrics.value('twilioMessagesIgnored', 'binary')).toBe(500);
});
