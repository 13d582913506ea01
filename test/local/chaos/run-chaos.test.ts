import { runChaos } from '../../../local/chaos/run-chaos';

async function chaos(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const told = { out: '', err: '' };
  const code = await runChaos(args, {
    out: (line) => (told.out += `${line}\n`),
    err: (line) => (told.err += `${line}\n`),
    evidenceDirectory: 'none',
  });
  return { code, ...told };
}

const names = (list: string): string[] => list.split('\n').filter((line) => /^[a-z]/.test(line));

test('a whole name means one scenario, a part of one all that begin like it', async () => {
  expect(names((await chaos('--list', '--only', 'gladia-drops')).out)).toEqual(['gladia-drops (quick)']);
  const kills = await chaos('--list', '--only', 'kill');
  expect(names(kills.out)).toEqual(['kill-with-callbacks', 'kill-without-callbacks']);
});

test.each([
  [['--only', ''], '--only: there is no scenario ""; --list shows them'],
  [['--only', 'nope'], '--only: there is no scenario "nope"; --list shows them'],
  [['--quick', '--only', 'kill'], '--quick: none of the scenarios of --only is a quick one'],
  [['--seed', 'x'], '--seed: must be a whole number from 0 to 4294967295'],
  [['--times', '0'], '--times: must be a whole number from 1 to 1000'],
])('%j is refused, and nothing is played', async (args, sentence) => {
  expect(await chaos(...args)).toEqual({ code: 2, out: '', err: `${sentence}\n` });
});

test('help is given, whatever else is asked', async () => {
  expect(await chaos('--help')).toMatchObject({ code: 0, out: expect.stringContaining('--only NAME') });
});
