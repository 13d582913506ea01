import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { withSettingsTable } from '../local/settings-table';

const ROOT = join(__dirname, '..');
const DOCUMENTS = ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md'];
const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
  scripts: Record<string, string>;
};

function read(document: string): string {
  return readFileSync(join(ROOT, document), 'utf8');
}

test('the table of settings is the one of the contract', () => {
  expect(read('README.md')).toBe(withSettingsTable(read('README.md')));
});

test.each(DOCUMENTS)('every npm command in %s exists', (document) => {
  const commands = [...read(document).matchAll(/npm (?:run (?:--silent )?)?([a-z][a-z:-]*)/g)].map(
    ([, name]) => name ?? '',
  );
  expect(commands.filter((name) => !(name in scripts) && !['ci', 'audit', 'run'].includes(name))).toEqual([]);
});

test.each(DOCUMENTS)('every file that %s names is there', (document) => {
  const links = [...read(document).matchAll(/\]\((?!https?:)([^)#]+)\)/g)].map(([, path]) => path ?? '');
  const quoted = [...read(document).matchAll(/`((?:bin|lib|runtime|local|test|docs)\/[\w./-]*)`/g)].map(
    ([, path]) => path ?? '',
  );
  expect([...links, ...quoted].filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
});
