import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { relayProgram } from '../fleet/relay-program';
import { CHAOS_USAGE, parseChaosOptions, type ChaosOptions } from './chaos-options';
import { brokenPromise, resultTable, scenarioList, summaryLine } from './report';
import type { Scenario } from './scenario';
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
  const chosen = chosenScenarios(options);
  if (options.wantsHelp) io.out(CHAOS_USAGE);
  else if (chosen.length === 0) io.err('--quick: none of the scenarios of --only is a quick one');
  else if (options.wantsList) io.out(scenarioList(chosen));
  else return play(chosen, options, io);
  return options.wantsHelp || chosen.length > 0 ? 0 : 2;
}

/** A whole name means that scenario alone, though others begin like it. */
function chosenScenarios({ only, isQuick }: ChaosOptions): readonly Scenario[] {
  const isMeant = (given: string, name: string): boolean =>
    SCENARIOS.some((each) => each.name === given) ? name === given : name.startsWith(given);
  return SCENARIOS.filter(
    (scenario) =>
      (!isQuick || scenario.isQuick === true) &&
      (only.length === 0 || only.some((given) => isMeant(given, scenario.name))),
  );
}

async function play(
  chosen: readonly Scenario[],
  { seed, times }: ChaosOptions,
  io: ChaosIo,
): Promise<number> {
  const startedAt = performance.now();
  // Sources that change meanwhile do not change what is tried.
  const program = relayProgram();
  const table = resultTable(chosen);
  let played = 0;
  let broken = 0;
  io.out(`Seed ${seed}`);
  io.out(table.head);
  for (let time = 0; time < times; time += 1) {
    for (const scenario of chosen) {
      const result = await playScenario(scenario, { seed: (seed + time) % 2 ** 32, program });
      played += 1;
      io.out(table.row(result));
      if (result.broken.length === 0) continue;
      broken += 1;
      io.err(`\n${brokenPromise(result, await keepEvidence(result, io.evidenceDirectory))}\n`);
    }
  }
  io.out(`\n${summaryLine({ played, broken }, performance.now() - startedAt)}`);
  return broken === 0 ? 0 : 1;
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
