import type { Scenario } from '../scenario';
import type { Trial } from '../trial';
import type { Call } from '../../twilio/twilio-caller';

/** Loses the streams of all calls at moments of their own, and waits until each is heard again. */
async function loseAndRecover(trial: Trial, calls: readonly Call[]): Promise<void> {
  await Promise.all(
    calls.map(async (call) => {
      await trial.heard(call);
      await trial.reached(call, trial.whole(1_500, 4_000));
      const lostAt = performance.now();
      call.streams[0]?.lose(trial.oneOf(['close without stop', 'reset']));
      await trial.heard(call, 1);
      trial.recovered(performance.now() - lostAt, 5_000);
    }),
  );
}

export const LOST_STREAMS: readonly Scenario[] = [
  {
    name: 'stream-lost',
    fault: 'Twilio closes or resets streams without stop while the calls go on',
    promise: 'every call gets a new stream within 5 s, and the seconds between are GAP items',
    isQuick: true,
    async play(trial) {
      await trial.start({ size: 2 });
      await loseAndRecover(trial, trial.calls(6, { ms: 9_000 }));
      await trial.finish({ causes: ['stream-lost'] });
    },
  },
];
