import { runBench } from '../../../local/bench/run-bench';
import { parseBenchOptions } from '../../../local/bench/bench-options';

const PARTS = ['ratio-20', 'sweep'];

test('measures everything for as long as the documentation says, unless told otherwise', () => {
  expect(parseBenchOptions([], PARTS)).toMatchObject({
    only: [],
    measureMs: 20_000,
    warmUpMs: 45_000,
    pairs: 5,
  });
  const some = parseBenchOptions(['--only', 'sweep', '--seconds', '3', '--soak', '2'], PARTS);
  expect(some).toMatchObject({ only: ['sweep'], measureMs: 3_000, soakMs: 120_000 });
});

test.each([
  [['--only', 'swep'], '--only: there is no part swep; there are ratio-20, sweep'],
  [['--seconds', '0'], '--seconds: must be a whole number from 1 to 600'],
  [['--pairs', 'many'], '--pairs: must be a whole number from 1 to 50'],
  [['--soak', '1.5'], '--soak: must be a whole number from 1 to 600'],
])('says what is wrong with %j', (args, message) => {
  expect(() => parseBenchOptions(args, PARTS)).toThrow(message);
});

test('names its parts in the help', async () => {
  const lines: string[] = [];
  const exitCode = await runBench(['--help'], {
    out: (line) => lines.push(line),
    err: (line) => lines.push(line),
  });
  expect(exitCode).toBe(0);
  for (const part of [
    'start-up',
    'ratio-ci',
    'ratio-20',
    'ratio-20-beside',
    'ratio-100',
    'cross-check',
    'sweep',
    'memory',
    'talking',
    'idle-gaps',
    'soak',
    'soak-ci',
  ])
    expect(lines.join('\n')).toContain(`${part}: `);
});
