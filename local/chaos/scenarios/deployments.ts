import type { DrainOrder } from '../../fleet/drain-order';
import type { Call } from '../../twilio/twilio-caller';
import type { Scenario } from '../scenario';
import type { Trial } from '../trial';

const CALLS = 50;
/** So long the calls live at least, whatever the machine is busy with. */
const CALL_MS = 60_000;

/** Every relay is replaced, one after the other, while the calls go on; then the callers hang up. */
async function replaceAll(trial: Trial, order: DrainOrder): Promise<void> {
  const fleet = await trial.start({ size: 2, drain: { deregistrationDelayMs: 15_000 } });
  const calls = trial.calls(CALLS, { ms: CALL_MS });
  await allHeard(trial, calls);
  for (const index of [0, 1]) {
    const { exit } = await fleet.replace(index, order);
    trial.promise(exit === 0, `relay ${index} ended with ${exit} when it was replaced`);
    await allCarried(trial, calls);
  }
  for (const call of calls) call.hangUp();
}

async function allHeard(trial: Trial, calls: readonly Call[]): Promise<void> {
  await Promise.all(calls.map((call) => trial.heard(call)));
}

/** Resolves when every call has a stream that is heard. */
async function allCarried(trial: Trial, calls: readonly Call[]): Promise<void> {
  await Promise.all(calls.map((call) => trial.heard(call, call.streams.length - 1)));
}

export const DEPLOYMENTS: readonly Scenario[] = [
  {
    name: 'deploy-sigterm-first',
    fault: 'two relays are replaced one after the other under 50 calls: SIGTERM, then deregistered',
    promise: '0 ms are lost, no sentence is doubled beyond the marked overlap, and relays end with 0',
    async play(trial) {
      await replaceAll(trial, 'SIGTERM first');
      await trial.finish();
    },
  },
  {
    name: 'deploy-sockets-kept',
    fault: 'two relays are replaced under 50 calls: deregistered, sockets kept, then SIGTERM',
    promise: '0 ms are lost, no sentence is doubled beyond the marked overlap, and relays end with 0',
    async play(trial) {
      await replaceAll(trial, 'deregistered, sockets kept, SIGTERM');
      await trial.finish();
    },
  },
  {
    name: 'deploy-sockets-cut',
    fault: 'two relays are replaced under 50 calls: deregistered and their sockets cut, then SIGTERM',
    promise: 'every call gets a new stream, the gap is written down, and relays end with 0',
    async play(trial) {
      await replaceAll(trial, 'deregistered, sockets cut, SIGTERM');
      await trial.finish({ causes: ['stream-lost'] });
    },
  },
];
