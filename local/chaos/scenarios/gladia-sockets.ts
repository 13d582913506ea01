import { setTimeout as delay } from 'node:timers/promises';
import type { SessionFaults } from '../../gladia/faults';
import type { Call } from '../../twilio/twilio-caller';
import type { Scenario } from '../scenario';
import { BYTES_PER_MS, CUT_KINDS, drawnCuts, drawnWorld, FRAME_MS, slowToFinish } from '../socket-cuts';
import type { Trial } from '../trial';

/** One session each, resumed after each cut. */
function promiseResumes(trial: Trial, calls: readonly Call[], cuts: number): void {
  for (const call of calls) {
    const sessions = trial.sessionsOf(call);
    trial.promise(sessions.length === 1, `call ${call.callSid} has ${sessions.length} sessions instead of 1`);
    const resumes = sessions[0]?.resumes ?? 0;
    trial.promise(resumes === cuts, `${cuts} cuts and ${resumes} resumes of call ${call.callSid}`);
  }
}

const CALLS = 25;
const CUTS = 4;

async function dropSockets(trial: Trial, unackedOnDrop: SessionFaults['unackedOnDrop']): Promise<void> {
  await trial.start({ paceFactor: 2 });
  const calls = trial.calls(CALLS, { ms: 7_000 });
  const resentMs = new Map<Call, number>();
  for (const call of calls) {
    const cuts = drawnCuts(trial, CUTS, [200, 6_500]);
    trial.gladiaFaults(call, { ...drawnWorld(trial), cuts, unackedOnDrop });
    // A reset may take acks along that were given: then the relay asks, too.
    const asked = unackedOnDrop === 'counted' ? cuts : cuts.filter(({ how }) => how === 'reset');
    resentMs.set(call, asked.length * FRAME_MS);
  }
  await trial.finish({ of: (call) => ({ resentMs: resentMs.get(call) ?? 0 }) });
  promiseResumes(trial, calls, CUTS);
}

export const GLADIA_SOCKETS: readonly Scenario[] = [
  {
    name: 'gladia-drops',
    fault: `Gladia's socket drops at ${CALLS * CUTS} random bytes; what was not acknowledged is forgotten`,
    promise:
      'resumed on the same session, and Gladia has what Twilio sent, byte for byte, but for a frame where a reset takes acks along; no segment twice',
    isQuick: true,
    play: (trial) => dropSockets(trial, 'forgotten'),
  },
  {
    name: 'gladia-drops-counted',
    fault: `Gladia's socket drops at ${CALLS * CUTS} random bytes; what was not acknowledged counts`,
    promise: 'resumed on the same session; at most one frame per drop is there twice, no segment is',
    play: (trial) => dropSockets(trial, 'counted'),
  },
  {
    name: 'gladia-drops-before-first-ack',
    fault: 'the socket drops within the first frames, of which none was acknowledged',
    promise: 'resumed from the first byte: nothing is lost and nothing is doubled',
    async play(trial) {
      await trial.start({ paceFactor: 2 });
      const calls = trial.calls(10, { ms: 4_000 });
      for (const call of calls) {
        const [cut] = drawnCuts(trial, 1, [1, 150]);
        const cuts = cut === undefined ? [] : [{ ...cut, ackLast: false }];
        trial.gladiaFaults(call, { ...drawnWorld(trial), cuts, ackDelayMs: 300, unackedOnDrop: 'forgotten' });
      }
      await trial.finish();
      promiseResumes(trial, calls, 1);
    },
  },
  {
    name: 'gladia-drops-during-stop',
    fault: 'the socket drops between stop_recording and the end of the session',
    promise: 'what was said last is in the table, once; the session is confirmed',
    async play(trial) {
      const fleet = await trial.start({ paceFactor: 4, gladia: { recogniser: slowToFinish(400) } });
      const calls = trial.calls(8, { ms: 4_000 });
      await Promise.all(
        calls.map(async (call) => {
          const [session] = await fleet.gladia.waitFor(() => {
            const own = trial.sessionsOf(call);
            return own[0]?.stopReceived === true ? own : undefined;
          });
          await delay(trial.whole(0, 300));
          session?.cut(trial.oneOf(CUT_KINDS));
        }),
      );
      await trial.finish();
    },
  },
  {
    name: 'gladia-loses-stop',
    fault: 'stop_recording gets lost',
    promise: 'it is sent again, the session ends and is confirmed',
    async play(trial) {
      const fleet = await trial.start({ paceFactor: 4 });
      fleet.gladia.faults.sessions = { loseStop: true };
      const calls = trial.calls(4, { ms: 4_000 });
      const isLost = (call: Call): boolean => (trial.sessionsOf(call)[0]?.lostStops ?? 0) > 0;
      await fleet.gladia.waitFor(() => calls.every(isLost), { what: 'every stop to be lost' });
      fleet.gladia.faults.sessions = {};
      await trial.finish();
    },
  },
  {
    name: 'gladia-half-open',
    fault: 'the socket leads nowhere: nothing is read, written or closed',
    promise: 'it is given up and the session resumed: nothing is lost, and a frame at most is there twice',
    async play(trial) {
      const fleet = await trial.start();
      const calls = trial.calls(4, { ms: 16_000 });
      for (const call of calls)
        trial.gladiaFaults(call, {
          stallAfterBytes: trial.whole(1_000, 2_500) * BYTES_PER_MS,
          unackedOnDrop: 'forgotten',
        });
      await Promise.all(calls.map((call) => trial.heard(call)));
      const startedAt = performance.now();
      const isResumed = (call: Call): boolean => (trial.sessionsOf(call)[0]?.connections ?? 0) > 1;
      await fleet.gladia.waitFor(() => calls.every(isResumed), { timeoutMs: 25_000, what: 'all to resume' });
      trial.recovered(performance.now() - startedAt, 20_000);
      // Acks on their way go with the socket.
      await trial.finish({ resentMs: FRAME_MS });
    },
  },
];
