import { setTimeout as delay } from 'node:timers/promises';
import type { DrainOrder } from '../../fleet/drain-order';
import type { Call } from '../../twilio/twilio-caller';
import type { Scenario } from '../scenario';
import type { Trial } from '../trial';

const CALLS = 50;
/** So long the calls live at least, whatever the machine is busy with. */
const CALL_MS = 90_000;
/** Until a call whose stream was lost is heard again. */
const RECOVERED_MS = 5_000;

/** With 50 calls this machine's table may be slower than a lease lasts, or an attempt at a hand-over. */
const BUSY = ['leases-failing', 'hand-overs-failing'];

/** Every relay is replaced, one after the other, while the calls go on; then the callers hang up. */
async function replaceAll(trial: Trial, order: DrainOrder): Promise<void> {
  const fleet = await trial.start({
    size: 2,
    drain: { deregistrationDelayMs: 15_000 },
    // Many calls on a small machine; what is tried here is not how often audio is sent on.
    settings: { TRACKS: 'inbound', AUDIO_CHUNK_MS: '60' },
  });
  const calls = await trial.heardCalls(CALLS, { ms: CALL_MS });
  // By then the relays know when each call began, however late they were.
  await Promise.all(calls.map((call) => trial.reached(call, 3_500)));
  for (const index of [0, 1]) {
    const { exit } = await fleet.replace(index, order);
    trial.promise(exit === 0, `relay ${index} ended with ${exit} when it was replaced`);
    await allCarried(trial, calls);
  }
  for (const call of calls) call.hangUp();
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
    perhapsAlarms: BUSY,
    async play(trial) {
      await replaceAll(trial, 'SIGTERM first');
      await trial.finish();
    },
  },
  {
    name: 'deploy-sockets-kept',
    fault: 'two relays are replaced under 50 calls: deregistered, sockets kept, then SIGTERM',
    promise: '0 ms are lost, no sentence is doubled beyond the marked overlap, and relays end with 0',
    perhapsAlarms: BUSY,
    async play(trial) {
      await replaceAll(trial, 'deregistered, sockets kept, SIGTERM');
      await trial.finish();
    },
  },
  {
    name: 'deploy-sockets-cut',
    fault: 'two relays are replaced under 50 calls: deregistered and their sockets cut, then SIGTERM',
    promise: 'every call gets a new stream, the gap is written down, and relays end with 0',
    perhapsAlarms: BUSY,
    async play(trial) {
      await replaceAll(trial, 'deregistered, sockets cut, SIGTERM');
      await trial.finish({ causes: ['stream-lost'], lostMs: 2 * RECOVERED_MS });
    },
  },
  {
    name: 'all-tasks-leave',
    fault: 'all relays get SIGTERM at once, and their successors are up a second later',
    promise: 'calls are kept until somebody can take them: 0 ms are lost, and relays end with 0',
    perhapsAlarms: ['hand-overs-failing'],
    async play(trial) {
      const fleet = await trial.start({ size: 2, drain: { deregisterLagMs: 200 } });
      const calls = await trial.heardCalls(10, { ms: CALL_MS });
      const leaving = [0, 1].map((index) => fleet.remove(index, 'SIGTERM first'));
      await delay(1_000);
      await Promise.all([fleet.start(), fleet.start()]);
      await Promise.all(leaving);
      await allCarried(trial, calls);
      for (const call of calls) call.hangUp();
      await trial.finish();
    },
  },
  {
    name: 'foreign-tracks',
    fault: 'a relay is replaced whose calls have two foreign forked tracks: no second stream fits',
    promise: 'the stream is stopped before the next one is made, and the gap is written down',
    async play(trial) {
      const fleet = await trial.start({ size: 2, restRules: { deadStreamHoldsTracksMs: 300 } });
      const calls = await trial.heardCalls(6, { ms: CALL_MS, foreignTracks: 2 });
      const { exit } = await fleet.replace(0, 'SIGTERM first');
      trial.promise(exit === 0, `relay 0 ended with ${exit} when it was replaced`);
      await allCarried(trial, calls);
      for (const call of calls) call.hangUp();
      await trial.finish({ causes: ['stream-lost'], lostMs: RECOVERED_MS });
      const moved = calls.filter(({ streams }) => streams.length > 1);
      trial.promise(moved.length > 0, 'no call had to go to another relay');
    },
  },
];
