import { setTimeout } from 'node:timers/promises';
import { BASE_CELL } from './cell';
import { median } from './frame-tags';
import { endAndWait, withTrial, type Trial } from './trial';
import type { Part, PartResult, PartRun, Verdict } from './part';
import type { ProbeReport } from './probe-messages';

const KB = 1024;
const MB = 1024 * KB;
/** Finals come every five seconds and free what is kept for them: longer than that, and more than that. */
const SETTLE_MS = 15_000;
const MOST_BYTES_PER_CALL = 400 * KB;

/** The slope of memory from 200 to 600 calls: what was there before the first call is no part of it. */
const memoryPart: Part = {
  name: 'memory',
  what: 'memory of a live call, from 200 to 600 of them',
  run: ({ world, out }) =>
    withTrial(
      { subject: 'relay', cell: { ...BASE_CELL, calls: 600 }, world },
      async ({ subject, callers }) => {
        const after = async (calls: number): Promise<ProbeReport> => {
          await callers.start(calls);
          await setTimeout(SETTLE_MS);
          return subject.ask('collected');
        };
        const few = await after(200);
        const many = await after(600);
        const bytes = (many.rssBytes - few.rssBytes) / 400;
        out(`200 calls: ${megabytes(few.rssBytes)}, 600 calls: ${megabytes(many.rssBytes)}`);
        const verdict = {
          what: 'memory of a live call',
          measured: `${(bytes / KB).toFixed(0)} KB`,
          target: '400 KB or less',
          holds: bytes <= MOST_BYTES_PER_CALL,
        };
        return { verdicts: [verdict], data: { few, many, bytesPerCall: bytes } };
      },
    ),
};

/** Many calls that talk, on one core. */
const talkingPart: Part = {
  name: 'talking',
  what: '700 calls that talk, 100 ms chunks: none lost, no frame lost',
  run: ({ options, world, out }) =>
    withTrial(
      { subject: 'relay', cell: { ...BASE_CELL, calls: 700, chunkMs: 100 }, world },
      async (trial) => {
        await trial.callers.start();
        await setTimeout(options.warmUpMs + options.measureMs);
        await endAndWait(trial);
        return wholeness(trial, out);
      },
    ),
};

/** Calls that send nothing while nobody speaks: the relay supplies silence, at real pace. */
const idleGapPart: Part = {
  name: 'idle-gaps',
  what: '1,000 calls that fall silent and go on: none lost, no frame lost',
  run: ({ options, world, out }) =>
    withTrial(
      { subject: 'relay', cell: { ...BASE_CELL, calls: 1_000, chunkMs: 100 }, world },
      async (trial) => {
        await trial.callers.start();
        await setTimeout(2_000);
        trial.callers.hush();
        await trial.subject.ask('begin');
        await setTimeout(options.measureMs);
        const { cpuMs, wallMs } = await trial.subject.ask('report');
        out(`1,000 silent calls: ${((100 * cpuMs) / wallMs).toFixed(0)} % of a core`);
        trial.callers.talkAgain();
        await setTimeout(2_000);
        await endAndWait(trial);
        return wholeness(trial, out);
      },
    ),
};

function wholeness({ callers, speech }: Trial, out: (line: string) => void): PartResult {
  const { refused, lost, sentFrames } = callers;
  const missing = Math.max(0, sentFrames - speech.receivedFrames);
  out(`${refused} refused, ${lost} lost, ${missing} of ${sentFrames} frames missing`);
  const none = (what: string, count: number): Verdict => ({
    what,
    measured: String(count),
    target: '0',
    holds: count === 0,
  });
  return {
    verdicts: [none('calls refused', refused), none('calls lost', lost), none('frames lost', missing)],
    data: { refused, lost, sentFrames, missing },
  };
}

/** A round: so many calls come, talk and go. */
interface Rounds {
  readonly calls: number;
  readonly talkMs: number;
  readonly pauseMs: number;
}

const LONG_ROUNDS: Rounds = { calls: 50, talkMs: 6_000, pauseMs: 2_000 };
const SHORT_ROUNDS: Rounds = { calls: 100, talkMs: 600, pauseMs: 400 };
/** Until then memory fills that is kept on purpose: of the last thousand calls, and compiled code. */
const FILLING_CALLS = 2_000;
const SHORT_SOAK_CALLS = 4_000;
const MOST_GROWTH = 1.1;
/** What counts is the median after so many rounds: the system takes pages back when it likes. */
const LOOKS = 5;

const soakPart: Part = {
  name: 'soak',
  what: 'calls come and go: memory does not grow',
  run: (run) => {
    const untilMs = performance.now() + run.options.soakMs;
    return soak(run, LONG_ROUNDS, () => performance.now() < untilMs);
  },
};

const shortSoakPart: Part = {
  name: 'soak-ci',
  what: `${SHORT_SOAK_CALLS} short calls come and go: memory does not grow`,
  run: (run) => soak(run, SHORT_ROUNDS, (calls) => calls < SHORT_SOAK_CALLS),
};

/** When all of a round are gone, memory is where it was when what is kept of calls that have ended was full. */
async function soak(
  { world, out }: PartRun,
  { calls, talkMs, pauseMs }: Rounds,
  goesOnAfter: (calls: number) => boolean,
): Promise<PartResult> {
  const cell = { ...BASE_CELL, calls: 20_000, chunkMs: 100 };
  return withTrial({ subject: 'relay', cell, world }, async ({ subject, callers }) => {
    const rounds: ProbeReport[] = [];
    for (let ended = 0; goesOnAfter(ended); ended += calls) {
      await callers.start(ended + calls);
      await setTimeout(talkMs);
      await callers.end(calls);
      await setTimeout(pauseMs);
      rounds.push(await subject.ask('collected'));
    }
    const full = rounds.slice(0, FILLING_CALLS / calls).slice(-LOOKS);
    const last = rounds.slice(-LOOKS);
    if (rounds.length < FILLING_CALLS / calls)
      throw new Error(`--soak: too short for ${FILLING_CALLS} calls, six minutes are enough`);
    out(`${rounds.length} rounds of ${calls} calls`);
    const growth = (what: string, of: (report: ProbeReport) => number): Verdict => {
      const [lastBytes, fullBytes] = [median(last.map(of)), median(full.map(of))];
      return {
        what: `${what} in the end, of that after ${FILLING_CALLS} calls`,
        measured: `${megabytes(lastBytes)} of ${megabytes(fullBytes)}`,
        target: `${MOST_GROWTH} times or less`,
        holds: lastBytes <= fullBytes * MOST_GROWTH,
      };
    };
    const verdicts = [
      growth('heap', ({ heapBytes }) => heapBytes),
      growth('RSS', ({ rssBytes }) => rssBytes),
    ];
    return { verdicts, data: rounds };
  });
}

function megabytes(bytes: number): string {
  return `${(bytes / MB).toFixed(1)} MB`;
}

export const ENDURANCE_PARTS: readonly Part[] = [
  memoryPart,
  talkingPart,
  idleGapPart,
  soakPart,
  shortSoakPart,
];
