import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Scenario } from '../scenario';
import type { Trial } from '../trial';

const TSX = pathToFileURL(require.resolve('tsx')).href;
const EARLY = join(__dirname, '../../fleet/early-rollover.ts');

/** Gladia ends a session here; three hours at the real one. */
const LIFETIME_MS = 8_000;
const ROLLOVER_AFTER_MS = 4_000;
/** With both sides speaking a pause may not come in time: then one utterance goes to both sessions. */
const ROLLOVER_WAIT_MS = 2_500;
const CALL_MS = 18_000;
const CALLS = 6;
/** What two sessions may hear both: the pause's end, or an utterance. */
const BOTH_MS = 2_000;

async function handedOnInPauses(trial: Trial): Promise<number> {
  const texts = await Promise.all(trial.fleet.relays.map((relay) => relay.scrape()));
  const counts = texts.map((text) =>
    Number(/^callscript_sessions_recycled_total\{reason="rollover"\} (\d+)/m.exec(text)?.[1] ?? 0),
  );
  return counts.reduce((sum, count) => sum + count, 0);
}

export const ROLLOVERS: readonly Scenario[] = [
  {
    name: 'sessions-roll-over',
    fault: `calls go on for longer than Gladia allows a session: ${LIFETIME_MS / 1_000} s here, for three hours`,
    promise: 'a new session takes over before that, between utterances: no word is missing or doubled',
    async play(trial) {
      const fleet = await trial.start({
        program: ['--import', TSX, EARLY, String(ROLLOVER_AFTER_MS), String(ROLLOVER_WAIT_MS)],
        gladia: { limits: { processingMs: 50, lifetimeMs: LIFETIME_MS } },
      });
      const calls = trial.calls(CALLS, { ms: CALL_MS });
      await Promise.all(calls.map(({ over }) => over));
      const inPauses = await handedOnInPauses(trial);
      await trial.finish({ resentMs: (CALL_MS / ROLLOVER_AFTER_MS) * BOTH_MS });
      const { sessions } = fleet.gladia;
      trial.note(
        `${sessions.length - CALLS} sessions took over, ${inPauses} of them in a pause of both sides`,
      );
      trial.promise(inPauses > 0, 'no session was handed on in a pause');
      for (const call of calls) {
        const own = trial.sessionsOf(call);
        trial.promise(
          own.length >= 3,
          `call ${call.callSid} has ${own.length} sessions; at least 3 were needed`,
        );
        const ends = own.map(({ endReason = 'open' }) => endReason);
        // One that was about to take over when its call ended is closed by the relay.
        trial.promise(
          ends.slice(0, -1).every((end) => end === 'stopped') && ends.at(-1) !== 'lifetime',
          `the sessions of call ${call.callSid} ended so: ${ends.join(', ')}`,
        );
      }
    },
  },
];
