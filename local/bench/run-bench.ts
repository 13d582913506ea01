import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import { dirname } from 'node:path';
import { BENCH_USAGE, parseBenchOptions, type BenchOptions } from './bench-options';
import { verdictLine } from './bench-table';
import { SAID } from './bench-transcripts';
import { certificateFor } from './certificate';
import { takeCores, type Cores } from './cores';
import { CROSS_CHECK_PART } from './cross-check-part';
import { ENDURANCE_PARTS } from './endurance-parts';
import { haproxyVersion } from './haproxy';
import { startStore } from './start-store';
import type { BenchWorld } from './trial';
import type { Part, PartResult } from './part';
import { RATIO_PARTS } from './ratio-parts';
import { START_UP_PART } from './start-up-part';
import { SWEEP_PART } from './sweep-part';

const PARTS: readonly Part[] = [
  START_UP_PART,
  ...RATIO_PARTS,
  CROSS_CHECK_PART,
  SWEEP_PART,
  ...ENDURANCE_PARTS,
];

export interface BenchIo {
  readonly out: (line: string) => void;
  readonly err: (line: string) => void;
}

/** Measures what the arguments ask for. @returns the exit code: 1 a target is missed, 2 wrong usage */
export async function runBench(args: readonly string[], io: BenchIo): Promise<number> {
  let options: BenchOptions;
  try {
    options = parseBenchOptions(
      args,
      PARTS.map(({ name }) => name),
    );
  } catch (error) {
    io.err(error instanceof Error ? error.message : String(error));
    return 2;
  }
  if (options.wantsHelp) {
    io.out(
      BENCH_USAGE.replace(
        '%PARTS%',
        PARTS.map(({ name, what }) => `                   ${name}: ${what}`).join('\n'),
      ),
    );
    return 0;
  }
  return play(options, io);
}

async function play(options: BenchOptions, { out }: BenchIo): Promise<number> {
  const cores = takeCores();
  const machine = machineOf(cores);
  out(`${Object.values(machine).join('; ')}`);
  const store = await startStore();
  const world: BenchWorld = {
    cores,
    certificate: certificateFor(dirname(options.file)),
    storeEndpoint: store.endpoint,
  };
  const results: Record<string, PartResult> = {};
  try {
    for (const part of PARTS) {
      if (options.only.length > 0 && !options.only.includes(part.name)) continue;
      out(`\n${part.name}: ${part.what}\n`);
      const result = await part.run({ options, world, out });
      results[part.name] = result;
      if (result.verdicts.length > 0) out('');
      for (const verdict of result.verdicts) out(verdictLine(verdict));
    }
  } finally {
    store.end();
    mkdirSync(dirname(options.file), { recursive: true });
    writeFileSync(options.file, `${JSON.stringify({ machine, options, results }, undefined, 1)}\n`);
  }
  out(`\nThe figures are in ${options.file}`);
  const verdicts = Object.values(results).flatMap((result) => result.verdicts);
  return verdicts.every(({ holds }) => holds) ? 0 : 1;
}

function machineOf(cores: Cores | undefined): Readonly<Record<string, string>> {
  const [cpu] = cpus();
  const haproxy = haproxyVersion();
  return {
    cpu: `${cpus().length} cores of ${cpu?.model.trim() ?? 'an unknown CPU'}`,
    memory: `${(totalmem() / 2 ** 30).toFixed(0)} GB`,
    system: `${process.platform} ${release()}`,
    node: `Node ${process.version}`,
    haproxy: haproxy === undefined ? 'no HAProxy' : `HAProxy ${haproxy}`,
    cores:
      cores === undefined
        ? 'NOT PINNED: there is one core, or no taskset; ratios are not to be trusted'
        : `measured on core ${cores.subject}, everything else on core ${cores.world}`,
    speech: `the speech side says ${SAID.partialsPerSecond} partials a second and one final every ${SAID.secondsPerFinal} s and channel`,
  };
}
