import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ALARMS } from '../../../lib/monitoring/alarms';
import { SETTINGS } from '../../../runtime/contract/settings';

const root = join(__dirname, '../../..');
const runbook = readFileSync(join(root, 'docs/runbook.md'), 'utf8');
const program = [...files('runtime'), ...files('lib')].join('\n');

function files(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.startsWith('dist/'))
    .map((file) => readFileSync(join(root, folder, file), 'utf8'));
}

/** Text below a heading, up to the next one that is not below it. */
function section(level: string, heading: string): string {
  const [, after = ''] = runbook.split(`\n${level} ${heading}\n`);
  return after.split(new RegExp(`\n#{1,${level.length}} `))[0] ?? '';
}

it.each(['page', 'ticket'] as const)(
  'has exactly the alarms that are a %s under that heading',
  (severity) => {
    const title = severity === 'page' ? 'Page' : 'Ticket';
    const found = [...section('##', title).matchAll(/^### (.+)$/gm)].map(([, heading]) => heading);
    const expected = ALARMS.filter((alarm) => alarm.severity === severity).map(({ id }) => id);
    expect(found.toSorted()).toEqual(expected.toSorted());
  },
);

it.each(ALARMS)(
  'says for $id what a caller notices, what to look at, what to do and when it is over',
  ({ id }) => {
    const points = [...section('###', id).matchAll(/^- \*\*(\w+):\*\* \S/gm)].map(([, point]) => point);
    expect(points).toEqual(['Caller', 'Look', 'Do', 'Over']);
  },
);

it('names only settings that exist', () => {
  const named = [...runbook.matchAll(/`([A-Z]+(?:_[A-Z]+)+)`/g)].map(([, name = '']) => name);
  expect(named.filter((name) => !(name in SETTINGS))).toEqual([]);
  expect(named.length).toBeGreaterThan(5);
});

it('names only reasons, errors and causes that exist', () => {
  const named = [...runbook.matchAll(/`([a-z]+(?:-[a-z]+)+)`/g)].map(([, name = '']) => name);
  expect(named.filter((name) => !program.includes(`'${name}'`))).toEqual([]);
  expect(named.length).toBeGreaterThan(30);
});

it('quotes only what the relay logs and the dashboard shows', () => {
  const quoted = [...runbook.matchAll(/"([A-Z][a-z]+[ :][^"]*)"|"(store [^"]+)"/g)].map(
    ([, a, b]) => a ?? b ?? '',
  );
  expect(quoted.filter((text) => !program.includes(text))).toEqual([]);
  expect(quoted.length).toBeGreaterThan(10);
});

it('links only to headings that it has', () => {
  const links = [...runbook.matchAll(/\]\(#([^)]+)\)/g)].map(([, anchor]) => anchor);
  const ids: readonly (string | undefined)[] = ALARMS.map(({ id }) => id);
  expect(links.filter((anchor) => !ids.includes(anchor))).toEqual([]);
});
