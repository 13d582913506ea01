import { setTimeout } from 'node:timers/promises';
import type { BenchOptions } from './bench-options';
import { BASE_CELL, type Subject } from './cell';
import { FRAME_MS, median } from './frame-tags';
import { measure } from './measure';
import type { Part, PartRun } from './part';
import { PlainCallers } from './plain-callers';
import { startPlainSpeechServer } from './plain-speech-server';
import { startSubject } from './start-subject';
import type { BenchWorld } from './trial';

const CELL = { ...BASE_CELL, calls: 100 };
const MOST_DIFFERENCE = 0.15;

/** @returns ms of CPU for a second of a call, under the plain callers and with the plain speech server */
async function plainCpuMs(subject: Subject, world: BenchWorld, durations: BenchOptions): Promise<number> {
  const speech = await startPlainSpeechServer();
  const started = await startSubject(subject, { ...world, cell: CELL, speech, certificate: undefined });
  const callers = new PlainCallers();
  try {
    await callers.start(`ws://127.0.0.1:${started.port}/media`, CELL.calls);
    await setTimeout(durations.warmUpMs);
    await started.ask('begin');
    const sentBefore = callers.sentFrames;
    await setTimeout(durations.measureMs);
    const { cpuMs } = await started.ask('report');
    return cpuMs / (((callers.sentFrames - sentBefore) * FRAME_MS) / 1_000);
  } finally {
    callers.end();
    await started.end();
    await speech.close();
  }
}

/** Of the relay's CPU to the pipe's: the bench's load and speech side, and others, must say the same. */
export const CROSS_CHECK_PART: Part = {
  name: 'cross-check',
  what: 'the ratio once more, with a second load generator and speech server',
  async run({ options, world, out }: PartRun) {
    const benchCpuMs = async (subject: Subject): Promise<number> =>
      (await measure({ subject, cell: CELL, world }, options)).cpuMsPerCallSecond;
    const ratioBy = async (load: string, cpuMs: (subject: Subject) => Promise<number>): Promise<number> => {
      const pipeMs = await cpuMs('ws-pipe');
      const relayMs = await cpuMs('relay');
      out(`${load}: relay ${relayMs.toFixed(2)} ms, bare pipe ${pipeMs.toFixed(2)} ms`);
      return relayMs / pipeMs;
    };
    const pairs: { readonly bench: number; readonly plain: number }[] = [];
    for (let i = 0; i < options.pairs; i += 1) {
      const bench = await ratioBy('the bench', benchCpuMs);
      const plain = await ratioBy('second load', (subject) => plainCpuMs(subject, world, options));
      pairs.push({ bench, plain });
    }
    const difference = Math.abs(
      median(pairs.map(({ plain }) => plain)) / median(pairs.map(({ bench }) => bench)) - 1,
    );
    const verdict = {
      what: "CPU ratio by a second load generator and speech server, of the bench's",
      measured: `${(100 * difference).toFixed(0)} % away`,
      target: `${100 * MOST_DIFFERENCE} % or less`,
      holds: difference <= MOST_DIFFERENCE,
    };
    return { verdicts: [verdict], data: pairs };
  },
};
