import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { relayProgram } from '../fleet/relay-program';
import { CHAOS_USAGE, parseChaosOptions, type ChaosOptions } from './chaos-options';
import { brokenPromise, resultTable, scenarioList, summaryLine } from './report';
import { playScenario, type ScenarioResult } from './scenario-result';
import { SCENARIOS } from './scenarios';

export interface ChaosIo {
  readonly out: (line: string) => void;
  readonly err: (line: string) => void;
  /** What tells of a broken scenario goes here, in a directory each. */
  readonly evidenceDirectory: string;
}

/** Plays what the arguments ask for, one scenario after the other. @returns the exit code: 1 broken, 2 wrong usage */
export async function runChaos(args: readonly string[], io: ChaosIo): Promise<number> {
  let options: ChaosOptions;
  try {
    options = parseChaosOptions(
      args,
      SCENARIOS.map(({ name }) => name),
    );
  } catch (error) {
    io.err(error instanceof Error ? error.message : String(error));
    return 2;
  }
  if (options.wantsHelp) io.out(CHAOS_USAGE);
  else if (options.wantsList) io.out(scenarioList(SCENARIOS));
  else return play(options, io);
  return 0;
}

async function play({ seed, only, times, isQuick }: ChaosOptions, io: ChaosIo): Promise<number> {
  const chosen = SCENARIOS.filter(
    (scenario) =>
      (!isQuick || scenario.isQuick === true) &&
      (only.length === 0 || only.some((name) => scenario.name.startsWith(name))),
  );
  const startedAt = performance.now();
  // Sources that change meanwhile do not change what is tried.
  const program = relayProgram();
  const table = resultTable(chosen);
  const results: ScenarioResult[] = [];
  io.out(`Seed ${seed}`);
  io.out(table.head);
  for (let time = 0; time < times; time += 1) {
    for (const scenario of chosen) {
      const result = await playScenario(scenario, { seed: (seed + time) % 2 ** 32, program });
      results.push(result);
      io.out(table.row(result));
    }
  }
  const broken = results.filter((result) => result.broken.length > 0);
  for (const result of broken)
    io.err(`\n${brokenPromise(result, await keepEvidence(result, io.evidenceDirectory))}`);
  io.out(`\n${summaryLine(results, performance.now() - startedAt)}`);
  return broken.length === 0 ? 0 : 1;
}

async function keepEvidence(
  { scenario, seed, evidence }: ScenarioResult,
  directory: string,
): Promise<string> {
  const own = join(directory, `${scenario.name}-${seed}`);
  await rm(own, { recursive: true, force: true });
  await mkdir(own, { recursive: true });
  await Promise.all(Object.entries(evidence).map(([file, text]) => writeFile(join(own, file), text)));
  return own;
}
