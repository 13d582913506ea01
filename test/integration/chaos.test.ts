import { relayProgram } from '../../local/fleet/relay-program';
import { playScenario } from '../../local/chaos/scenario-result';
import { SCENARIOS } from '../../local/chaos/scenarios';

const SEED = Date.now() % 2 ** 32;
const program = relayProgram();
const quick = SCENARIOS.filter(({ isQuick }) => isQuick === true).map((scenario) => ({
  ...scenario,
  scenario,
}));

test.concurrent.each(quick)(
  `$name: $promise (seed ${SEED})`,
  async ({ scenario }) => {
    const { broken, totals } = await playScenario(scenario, { seed: SEED, program });
    expect(broken).toEqual([]);
    expect(totals.sentMs).toBeGreaterThan(10_000);
  },
  120_000,
);

test('a promise that is broken is told', async () => {
  const scenario = {
    name: 'none',
    fault: 'none',
    promise: 'none',
    play: () => Promise.reject(new Error('lost')),
  };
  const { broken, evidence } = await playScenario(scenario, { seed: SEED, program });
  expect(broken).toEqual(['lost']);
  expect(evidence).toEqual({});
});
