import { startFleet, type Fleet, type FleetOptions } from '../../local/fleet';
import { DRAIN_ORDERS } from '../../local/fleet/drain-order';
import type { FleetRelay } from '../../local/fleet/fleet-relay';
import { createScriptedRecogniser } from '../../local/gladia/scripted-recogniser';
import type { Call } from '../../local/twilio/twilio-caller';
import { spokenAudio } from '../support/audio';

/** Relays start as processes, and what waits for them says after 30 s what it waited for. */
jest.setTimeout(60_000);

const CALL_MS = 24_000;
const SPEECH = Array.from({ length: CALL_MS / 1_000 }, (_, second) => ({
  startMs: second * 1_000 + 100,
  endMs: second * 1_000 + 600,
}));
const AUDIO = { inbound: spokenAudio(CALL_MS, SPEECH, 1), outbound: spokenAudio(CALL_MS, [], 2) };
const PERFECT = { unsentMs: 0, overlapMs: 0, lostMs: 0, lost: [], doubledMs: 0, foreignMs: 0 };

const fleets: Fleet[] = [];
afterEach(async () => {
  await Promise.all(fleets.splice(0).map((fleet) => fleet.close()));
});

async function start(options: Partial<FleetOptions> = {}): Promise<Fleet> {
  const fleet = await startFleet({
    size: 2,
    gladia: { recogniser: createScriptedRecogniser(), limits: { processingMs: 10 } },
    // Relays start, hand over and end in real time: the calls must last longer.
    paceFactor: 1,
    ...options,
  });
  fleets.push(fleet);
  return fleet;
}

/**
 * Two calls, one on each of two relays. The balancer may count a request whose answer has just been read: for the
 * second call only the other relay is there.
 */
async function twoLiveCalls(
  fleet: Fleet,
): Promise<{ call: Call; owner: FleetRelay; other: Call; otherOwner: FleetRelay }> {
  const first = fleet.call({ audio: AUDIO });
  await heard(fleet, first);
  const [owner] = fleet.ownersOf(first);
  fleet.balancer.deregister(owner!.port, { cutSockets: false });
  const second = fleet.call({ audio: AUDIO });
  await heard(fleet, second);
  fleet.balancer.register(owner!.port);
  const [otherOwner] = fleet.ownersOf(second);
  return { call: first, owner: owner!, other: second, otherOwner: otherOwner! };
}

async function heard(fleet: Fleet, call: Call, streamIndex = 0): Promise<void> {
  await fleet.waitFor(
    () =>
      fleet.gladia.sessions.some(
        ({ customMetadata, acceptedBytes }) =>
          customMetadata['streamSid'] === call.streams[streamIndex]?.streamSid && acceptedBytes > 0,
      ),
    { timeoutMs: 20_000, what: `stream ${streamIndex} to be heard` },
  );
}

async function ended(fleet: Fleet, ...calls: readonly Call[]): Promise<void> {
  await Promise.all(calls.map(({ over }) => over));
  await fleet.waitFor(() => fleet.gladia.openSessions === 0, { what: 'the sessions to end' });
}

test('calls on two relays are transcribed and counted', async () => {
  const fleet = await start({ paceFactor: 4 });
  const { call: one, owner, other, otherOwner } = await twoLiveCalls(fleet);
  expect([owner.index, otherOwner.index].toSorted()).toEqual([0, 1]);
  const calls = [one, other];
  await ended(fleet, ...calls);
  for (const call of calls) {
    const stored = await fleet.completed(call);
    expect(stored.segments.filter(({ track }) => track === 'inbound')).toHaveLength(SPEECH.length);
    const whole = { ...PERFECT, saidMs: CALL_MS };
    expect(fleet.audioOf(call)).toEqual({ inbound: whole, outbound: whole });
    expect(fleet.ownersOf(call)).toEqual([]);
  }
  expect(await fleet.relays[0]!.scrape()).toContain('callscript_');
  expect(await Promise.all([fleet.terminate(0), fleet.terminate(1)])).toEqual([0, 0]);
});

test('a killed relay is gone from balancer and ECS, and its call goes on with the other', async () => {
  const fleet = await start();
  const { call, owner, other } = await twoLiveCalls(fleet);
  await fleet.kill(owner.index, { isBalancerTold: true });
  expect(await owner.exited).toBe('SIGKILL');
  expect(owner.isRunning).toBe(false);
  expect(owner.task.lastStatus).toBe('STOPPED');
  expect(fleet.balancer.backends).toHaveLength(1);
  await heard(fleet, call, 1);
  expect(fleet.ownersOf(call)).toEqual(fleet.ownersOf(other));
  for (const each of [call, other]) each.hangUp();
  await Promise.all([call.over, other.over]);
  // The killed relay's session is ended by the other one, but only when the lease has expired.
  const [, second] = call.streams;
  await fleet.waitFor(
    () =>
      fleet.gladia.sessions.find(
        ({ customMetadata, state }) => customMetadata['streamSid'] === second?.streamSid && state === 'ended',
      ),
    { what: 'the session of the new stream to end' },
  );
  const { unsentMs, lostMs, doubledMs } = fleet.audioOf(call).inbound!;
  expect(unsentMs).toBeGreaterThan(0);
  // What was on its way in the killed process.
  expect(lostMs).toBeLessThan(5_000);
  expect(doubledMs).toBe(0);
  expect(call.streams.map(({ end }) => end)).toEqual(['lost', 'stopped']);
});

test.each(DRAIN_ORDERS)('a relay is replaced with "%s", and its call goes to another one', async (order) => {
  const fleet = await start({ drain: { deregistrationDelayMs: 15_000 } });
  const { call, owner, other } = await twoLiveCalls(fleet);
  const { exit, successor } = await fleet.replace(owner.index, order);
  expect(exit).toBe(0);
  expect(owner.logged('Drained')).toBeDefined();
  expect(fleet.relays.map(({ isRunning }) => isRunning).toSorted()).toEqual([false, true, true]);
  expect(fleet.balancer.backends).toContain(successor.port);
  expect(fleet.balancer.backends).not.toContain(owner.port);
  expect(fleet.ecs.described).toContain(owner.task.taskArn);
  await heard(fleet, call, 1);
  expect(fleet.ownersOf(call)).not.toContain(owner);
  const isCut = order === 'deregistered, sockets cut, SIGTERM';
  expect(call.streams[0]!.end).toBe(isCut ? 'lost' : 'stopped by request');
  for (const each of [call, other]) each.hangUp();
  await ended(fleet, call, other);
  expect(fleet.audioOf(other).inbound).toMatchObject({ lost: [], doubledMs: 0 });
});

test('the table that the relays see can be broken, while the test reads past it', async () => {
  const fleet = await start({ size: 1 });
  fleet.store.switches.mode = 'down';
  const call = fleet.call({ audio: { inbound: AUDIO.inbound.subarray(0, 16_000) } });
  await call.over;
  expect(await fleet.read(call.callSid)).toBeUndefined();
  await expect(fleet.completed(call, { timeoutMs: 10, what: 'a miracle' })).rejects.toThrow('a miracle');
  fleet.store.switches.mode = 'up';
  expect((await fleet.completed(call)).call.status).toBe('completed');
  expect(fleet.store.counts.reset).toBeGreaterThan(0);
});

test('a relay that does not start says why, and leaves nothing behind', async () => {
  await expect(start({ settings: { HTTP_PORT: 'none' } })).rejects.toThrow(/ended with 2 .*HTTP_PORT/s);
});

test('a relay that is not there cannot be killed, and a fleet can be closed twice', async () => {
  const fleet = await start({ size: 0 });
  await expect(fleet.kill(0)).rejects.toThrow('there is no relay 0');
  await fleet.close();
  await fleet.close();
});
