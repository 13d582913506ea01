import type { Scenario } from './scenario';
import { Trial, type TrialTotals } from './trial';

export interface ScenarioResult {
  readonly scenario: Scenario;
  readonly seed: number;
  /** Empty when every promise was kept. */
  readonly broken: readonly string[];
  readonly totals: TrialTotals;
  /** What was measured beside the totals, a line each. */
  readonly notes: readonly string[];
  readonly tookMs: number;
  /** Texts by file name: what the relays logged, and all about the calls that a promise was broken to. */
  readonly evidence: Readonly<Record<string, string>>;
}

/** Plays a scenario once, to the end and whatever happens. Never rejects. */
export async function playScenario(
  scenario: Scenario,
  { seed, program }: { readonly seed: number; readonly program: readonly string[] },
): Promise<ScenarioResult> {
  const startedAt = performance.now();
  const trial = new Trial({ seed: seedOf(scenario.name, seed), program });
  const attempt = async (what: () => Promise<void>): Promise<void> => {
    try {
      await what();
    } catch (error) {
      trial.promise(false, error instanceof Error ? error.message : String(error));
    }
  };
  await attempt(async () => {
    await scenario.play(trial);
    trial.promiseAlarms(scenario);
  });
  const { evidence } = trial;
  await attempt(() => trial.close());
  const { broken, totals, notes } = trial;
  return { scenario, seed, broken, totals, notes, evidence, tookMs: performance.now() - startedAt };
}

/** Scenarios of one run have calls of their own, and `--only` gives a scenario the same ones (FNV-1a). */
function seedOf(name: string, seed: number): number {
  let hash = 0x811c9dc5 ^ seed;
  for (const byte of Buffer.from(name)) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}
