import type { Call } from '../../twilio/twilio-caller';
import type { FleetRelay } from '../../fleet/fleet-relay';
import type { AllowedLoss } from '../audit-call';
import type { Scenario } from '../scenario';
import type { Trial } from '../trial';

/** Both sockets of a killed relay and the task that had them; the seconds until the next stream. */
function killed(lostMs: number): AllowedLoss {
  return { causes: ['stream-lost', 'task-died'], unconfirmed: true, lostMs };
}

/** What the relay took along beside the time without one: what it had read and not passed on. */
const TAKEN_ALONG_MS = 500;

/** Kills the relay of the first call and waits until its calls are heard by another. */
async function killAndRecover(
  trial: Trial,
  { calls, isBalancerTold, atMostMs }: { calls: readonly Call[]; isBalancerTold: boolean; atMostMs: number },
): Promise<void> {
  const { fleet } = trial;
  await Promise.all(calls.map((call) => trial.heard(call)));
  const [first] = calls;
  if (first === undefined) return;
  await trial.reached(first, trial.whole(2_000, 4_000));
  const [owner] = fleet.ownersOf(first);
  if (owner === undefined) throw new Error('no relay has the first call');
  const hit = calls.filter((call) => fleet.ownersOf(call).includes(owner));
  const killedAt = performance.now();
  trial.endsWith(owner.index, 'SIGKILL');
  await fleet.kill(owner.index, { isBalancerTold });
  await Promise.all(
    hit.map(async (call) => {
      await trial.heard(call, 1, { timeoutMs: 30_000 });
      trial.recovered(performance.now() - killedAt, atMostMs);
    }),
  );
  promiseOthers(trial, { calls, hit, owner });
}

/** One relay's end never touches the calls of another. */
function promiseOthers(
  trial: Trial,
  { calls, hit, owner }: { calls: readonly Call[]; hit: readonly Call[]; owner: FleetRelay },
): void {
  const touched = calls.filter((call) => !hit.includes(call) && call.streams.length > 1);
  trial.promise(
    touched.length === 0,
    `${touched.length} calls of other relays got a second stream when relay ${owner.index} was killed`,
  );
}

export const KILLS: readonly Scenario[] = [
  {
    name: 'kill-with-callbacks',
    fault: 'SIGKILL of a relay with live calls; Twilio tells another relay that the streams are lost',
    promise: 'calls go on within 5 s; what the relay took along and the seconds between are written down',
    alarms: ['task-died'],
    perhapsAlarms: ['audio-lost'],
    async play(trial) {
      await trial.start({ size: 2 });
      const calls = trial.calls(8, { ms: 10_000 });
      await killAndRecover(trial, { calls, isBalancerTold: true, atMostMs: 5_000 });
      await trial.finish(killed(5_000 + TAKEN_ALONG_MS));
    },
  },
  {
    name: 'kill-without-callbacks',
    fault: 'SIGKILL of a relay with live calls, and Twilio tells nobody',
    promise: 'calls go on within 20 s of the kill, the loss is written down, no Gladia session stays open',
    alarms: ['task-died'],
    perhapsAlarms: ['audio-lost'],
    async play(trial) {
      await trial.start({ size: 2 });
      const calls = trial.calls(6, { ms: 26_000, behaviour: { statusCallbackCopies: 0 } });
      await killAndRecover(trial, { calls, isBalancerTold: false, atMostMs: 20_000 });
      for (const call of calls) call.hangUp();
      await trial.finish(killed(20_000 + TAKEN_ALONG_MS));
    },
  },
];
