import { parseArgs } from 'node:util';

export interface ChaosOptions {
  readonly seed: number;
  /** Names of scenarios; empty: all. */
  readonly only: readonly string[];
  readonly times: number;
  readonly isQuick: boolean;
  readonly wantsList: boolean;
  readonly wantsHelp: boolean;
}

export const CHAOS_USAGE = `Plays everything that goes wrong against real relay processes, and holds the table against what was said.

  npm run chaos -- [options]

  --only NAME   this scenario, or if there is none those whose name begins like this; may be given several times
  --quick       the quick ones, which \`npm test\` plays too
  --times N     each scenario so often, 1 to 1000 (default 1)
  --seed N      audio, faults and moments of a run before; how processes interleave is up to the machine
  --list        the scenarios, what goes wrong in them, and what is promised
  --help        this text

Ends with 1 when a promise is broken. What tells why is then in .local/chaos/.`;

const MOST_TIMES = 1_000;
const SEEDS = 2 ** 32;

/** @throws Error with a sentence that names the option, what is wrong and what would be right */
export function parseChaosOptions(args: readonly string[], names: readonly string[]): ChaosOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seed: { type: 'string' },
      only: { type: 'string', multiple: true, default: [] },
      times: { type: 'string', default: '1' },
      quick: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  for (const only of values.only) {
    if (only === '' || !names.some((name) => name.startsWith(only)))
      throw new Error(`--only: there is no scenario "${only}"; --list shows them`);
  }
  return {
    seed: wholeNumber('seed', values.seed ?? String(Date.now() % SEEDS), { least: 0, most: SEEDS - 1 }),
    only: values.only,
    times: wholeNumber('times', values.times, { least: 1, most: MOST_TIMES }),
    isQuick: values.quick,
    wantsList: values.list,
    wantsHelp: values.help,
  };
}

function wholeNumber(name: string, text: string, { least, most }: { least: number; most: number }): number {
  const value = /^\d{1,10}$/.test(text) ? Number(text) : NaN;
  if (!(value >= least && value <= most))
    throw new Error(`--${name}: must be a whole number from ${least} to ${most}`);
  return value;
}
