import { join } from 'node:path';
import { runChaos } from '../../local/chaos/run-chaos';
import { playScenario } from '../../local/chaos/scenario-result';
import { SCENARIOS } from '../../local/chaos/scenarios';

const SEED = Date.now() % 2 ** 32;
const evidenceDirectory = join('.local', 'chaos');

test.concurrent.each(SCENARIOS.filter(({ isQuick }) => isQuick === true))(
  `$name: $promise (seed ${SEED})`,
  async ({ name }) => {
    const told: string[] = [];
    const tell = (line: string): unknown => told.push(line);
    const code = await runChaos(['--only', name, '--seed', String(SEED)], {
      out: tell,
      err: tell,
      evidenceDirectory,
    });
    expect({ code, told }).toEqual({
      code: 0,
      told: expect.arrayContaining([expect.stringContaining(' kept ')]),
    });
  },
  120_000,
);

test('a promise that is broken is told', async () => {
  const play = (): Promise<void> => Promise.reject(new Error('lost'));
  const scenario = { name: 'none', fault: 'none', promise: 'none', play };
  const { broken, evidence } = await playScenario(scenario, { seed: SEED, program: [] });
  expect(broken).toEqual(['lost']);
  expect(evidence).toEqual({});
});
