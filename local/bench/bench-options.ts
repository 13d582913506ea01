import { parseArgs } from 'node:util';

export interface BenchOptions {
  /** Names of parts; empty: all. */
  readonly only: readonly string[];
  /** Measured for this long, each time, after a warm-up. */
  readonly measureMs: number;
  readonly warmUpMs: number;
  /** Interleaved pairs where two programs are compared. */
  readonly pairs: number;
  readonly soakMs: number;
  /** Where the figures go, as JSON. */
  readonly file: string;
  readonly wantsHelp: boolean;
}

export const BENCH_USAGE = `Measures what the relay costs, and compares it with the least that such a program can cost.

  npm run bench -- [options]

  --only PART    this part; may be given several times (default: all). Parts:
%PARTS%
  --seconds N    each measurement, after a warm-up, 1 to 600 (default 20)
  --warm-up N    seconds before it, 1 to 600 (default 45)
  --pairs N      interleaved pairs where programs are compared, 1 to 50 (default 5)
  --soak N       minutes of the soak, 1 to 600 (default 30)
  --out FILE     where the figures go, as JSON (default .local/bench/result.json)
  --help         this text

Takes the first core for what is measured and the last one for everything else: let nothing else run. Ends with 1 when
a target is missed.`;

/** @throws Error with a sentence that names the option, what is wrong and what would be right */
export function parseBenchOptions(args: readonly string[], parts: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: 'string', multiple: true, default: [] },
      seconds: { type: 'string', default: '20' },
      'warm-up': { type: 'string', default: '45' },
      pairs: { type: 'string', default: '5' },
      soak: { type: 'string', default: '30' },
      out: { type: 'string', default: '.local/bench/result.json' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  for (const only of values.only)
    if (!parts.includes(only))
      throw new Error(`--only: there is no part ${only}; there are ${parts.join(', ')}`);
  return {
    only: values.only,
    measureMs: 1_000 * wholeNumber('seconds', values.seconds, 600),
    warmUpMs: 1_000 * wholeNumber('warm-up', values['warm-up'], 600),
    pairs: wholeNumber('pairs', values.pairs, 50),
    soakMs: 60_000 * wholeNumber('soak', values.soak, 600),
    file: values.out,
    wantsHelp: values.help,
  };
}

function wholeNumber(name: string, text: string, most: number): number {
  const value = /^\d{1,5}$/.test(text) ? Number(text) : NaN;
  if (!(value >= 1 && value <= most)) throw new Error(`--${name}: must be a whole number from 1 to ${most}`);
  return value;
}
