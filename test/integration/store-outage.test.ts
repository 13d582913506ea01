import { createScriptedRecogniser, type Script } from '../../local/gladia/scripted-recogniser';
import type { StoreFaultSwitches } from '../../local/store-faults/store-faults';
import { randomSid } from '../../local/twilio/random-sids';
import { BYTES_PER_MS } from '../../runtime/model/audio';
import { CallReader } from '../../runtime/store/call-reader';
import { createDocumentClient } from '../../runtime/store/dynamodb-client';
import { patternedAudio } from '../support/audio';
import { storeBehindFaults } from '../support/store-behind-faults';
import { ledgerOf, mediaUrl, testWorld, type TestWorld } from '../support/test-world';

const CALL_MS = 6_000;
const UTTERANCES = 5;
const PACE_FACTOR = 2;

const table = storeBehindFaults();

/** A call that says five things nobody else says. */
function planCall(number: number) {
  const utterances = Array.from({ length: UTTERANCES }, (_, n) => ({
    startMs: 200 + n * 1_100 + number * 3,
    endMs: 800 + n * 1_100 + number * 3,
    text: `Call ${number} says ${n}.`,
  }));
  return { callSid: randomSid('CA'), utterances, audio: patternedAudio(CALL_MS, 1_000 + number) };
}
type Plan = ReturnType<typeof planCall>;

const OUTAGES: readonly [string, number, Partial<StoreFaultSwitches>][] = [
  ['resets every connection', 50, { mode: 'down' }],
  ['never answers', 20, { mode: 'silent' }],
  [
    'throttles six of ten requests, loses answers and takes half of each batch',
    20,
    {
      throttledShare: 0.6,
      lostAnswerShare: 0.1,
      unprocessedShare: 0.5,
    },
  ],
];

test.each(OUTAGES)(
  'While the store %s in the middle of %d calls, no audio waits; then every segment is there once',
  async (_, count, fault) => {
    const plans = Array.from({ length: count }, (_, number) => planCall(number));
    const late = plans.splice(-5);
    const world = await outageWorld([...plans, ...late]);
    const place = (plan: Plan) =>
      world.callOneTrack(plan.audio, {
        callSid: plan.callSid,
        paceFactor: PACE_FACTOR,
        stream: {
          url: mediaUrl(world),
          tracks: ['inbound'],
        },
      });
    const finals = (callSid: string): number => world.sink.of('final', callSid).length;
    plans.forEach(place);
    await world.sink.until(() => plans.every(({ callSid }) => finals(callSid) >= 1) || undefined);
    Object.assign(table.faults.switches, fault);
    // Some calls begin while the store is away.
    late.forEach(place);
    await world.sink.until(
      () => [...plans, ...late].every(({ callSid }) => finals(callSid) >= 4) || undefined,
    );
    const queued = world.relay.metrics.value('storeQueue');
    Object.assign(table.faults.switches, {
      mode: 'up',
      throttledShare: 0,
      lostAnswerShare: 0,
      unprocessedShare: 0,
    });
    for (const { callSid } of [...plans, ...late]) await world.sink.next('call-ended', callSid);
    await world.relay.drain();

    if (fault.mode !== undefined) expect(queued).toBeGreaterThan(3 * plans.length);
    for (const plan of [...plans, ...late]) await expectWhole(world, plan);
    expect(world.relay.metrics.value('storeFailures')).toBe(0);
    expect(world.relay.metrics.value('audioDropped')).toBe(0);
  },
  60_000,
);

async function outageWorld(plans: readonly Plan[]): Promise<TestWorld> {
  const scripts = new Map(
    plans.map(({ callSid, utterances }): [string, Script] => [callSid, { channels: [utterances] }]),
  );
  const recogniser = createScriptedRecogniser(({ customMetadata }) =>
    scripts.get(String(customMetadata['callSid'])),
  );
  return testWorld({
    gladia: { recogniser },
    settings: { AWS_ENDPOINT_URL_DYNAMODB: table.faults.endpoint },
    timing: { flushTimeoutMs: 20_000 },
  });
}

async function expectWhole(world: TestWorld, { callSid, utterances, audio }: Plan): Promise<void> {
  const client = createDocumentClient({ region: 'us-east-1', endpoint: table.store.endpoint });
  const stored = await new CallReader({ client, tableName: world.config.store.table }).readCall(callSid);
  client.destroy();
  expect(stored?.segments.map(({ text }) => text)).toEqual(utterances.map(({ text }) => text));
  expect(stored?.call).toMatchObject({ status: 'completed', segmentCount: UTTERANCES, reconciled: true });
  expect(stored?.sessions).toMatchObject([{ status: 'closed', reconciled: true }]);
  // A busy machine may make silence be supplied; all that Twilio sent is accepted in time all the same.
  const ledger = ledgerOf(await world.sink.summary(callSid));
  expect(ledger).toMatchObject({ framesMs: CALL_MS, lateMs: 0, unconfirmedMs: 0, lostMs: {} });
  const sessions = world.sessionsOf(callSid);
  expect(sessions).toHaveLength(1);
  expect(sessions[0]?.accepted()).toHaveLength(audio.length + ledger.filledMs * BYTES_PER_MS);
}
