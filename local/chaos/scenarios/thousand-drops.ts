import { memoryOf, withMemoryProbe } from '../../fleet/relay-memory';
import type { Call } from '../../twilio/twilio-caller';
import type { Scenario } from '../scenario';
import { CUT_KINDS, drawnCuts, drawnWorld, FRAME_MS, slowToFinish } from '../socket-cuts';
import type { Trial } from '../trial';

const WAVES = 5;
const CALLS = 40;
const CUTS = 5;
/** Everything of a wave is let go of when it is over: of the memory after the first one, with room for chance. */
const MOST_GROWTH = 1.2;

/** A call whose socket is cut at random bytes; of every third one before the first ack. */
function placeDropped(trial: Trial, number: number): Call {
  const call = trial.call({ ms: 7_000 });
  const isUnheard = number % 3 === 0;
  const cuts = isUnheard
    ? [...drawnCuts(trial, 1, [1, 150]), ...drawnCuts(trial, CUTS - 1, [200, 6_500])]
    : drawnCuts(trial, CUTS, [200, 6_500]);
  const unackedOnDrop = number % 2 === 0 ? 'counted' : 'forgotten';
  const ackDelayMs = isUnheard ? 300 : trial.whole(0, 40);
  trial.gladiaFaults(call, { ...drawnWorld(trial), cuts, ackDelayMs, unackedOnDrop });
  return call;
}

/** Ten at a time. Resolves when they are over. */
async function playWave(trial: Trial): Promise<readonly Call[]> {
  const placed: Call[] = [];
  while (placed.length < CALLS) {
    const next = Array.from({ length: 10 }, (_, number) => placeDropped(trial, placed.length + number));
    await Promise.all(next.map((call) => trial.heard(call)));
    placed.push(...next);
  }
  await Promise.all(placed.map(({ over }) => over));
  return placed;
}

/** Cuts the socket of each session within 0.3 s of its stop. @returns what ends it */
function cutDuringStop(trial: Trial): () => void {
  const { gladia } = trial.fleet;
  const seen = new Set<string>();
  return gladia.onChange(() => {
    for (const session of gladia.sessions) {
      if (!session.stopReceived || seen.has(session.id)) continue;
      seen.add(session.id);
      const how = trial.oneOf(CUT_KINDS);
      setTimeout(() => session.cut(how), trial.whole(0, 300));
    }
  });
}

export const THOUSAND_DROPS: readonly Scenario[] = [
  {
    name: 'gladia-drops-a-thousand-times',
    fault: `Gladia's sockets drop at ${WAVES * CALLS * CUTS} random bytes, also before the first ack, and during each stop; what was not acknowledged counts for every other call`,
    promise:
      'one session per call has what Twilio sent, but for a frame per drop; each segment is there once; memory stays flat',
    async play(trial) {
      const fleet = await trial.start({
        paceFactor: 2,
        program: withMemoryProbe(trial.program),
        gladia: { recogniser: slowToFinish(400) },
      });
      const stopCutting = cutDuringStop(trial);
      const calls: Call[] = [];
      const heapWhenDone = async (): Promise<number> => {
        for (const call of calls) await fleet.completed(call, { timeoutMs: 60_000 });
        return (await memoryOf(fleet)).heapBytes;
      };
      calls.push(...(await playWave(trial)));
      const warmBytes = await heapWhenDone();
      for (let wave = 1; wave < WAVES; wave += 1) calls.push(...(await playWave(trial)));
      const lastBytes = await heapWhenDone();
      stopCutting();
      const heap = `${megabytes(warmBytes)} MB after ${CALLS} calls, ${megabytes(lastBytes)} MB after ${WAVES * CALLS}`;
      trial.note(`the heap had ${heap}`);
      trial.promise(lastBytes <= warmBytes * MOST_GROWTH, `the heap had ${heap}`);
      await trial.finish({ resentMs: (CUTS + 1) * FRAME_MS });
      for (const call of calls) promiseOneSession(trial, call);
    },
  },
];

function promiseOneSession(trial: Trial, call: Call): void {
  const sessions = trial.sessionsOf(call);
  trial.promise(sessions.length === 1, `call ${call.callSid} has ${sessions.length} sessions instead of 1`);
  const resumes = sessions[0]?.resumes ?? 0;
  trial.promise(resumes >= CUTS, `${CUTS} cuts and ${resumes} resumes of call ${call.callSid}`);
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}
