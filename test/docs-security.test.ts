import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DEPLOY_SETTINGS } from '../lib/deploy-settings';
import { METRICS } from '../runtime/contract/metrics';
import { SETTINGS, type SettingName } from '../runtime/contract/settings';
import { SECRET_TIMING } from '../runtime/secrets';
import { RECOGNITION_TIMING } from '../runtime/speech/recognition-timing';
import { expectLinks } from './support/doc-links';

const DOCS = join(__dirname, '..', 'docs');
const page = readFileSync(join(DOCS, 'security.md'), 'utf8');

function section(heading: string): string {
  const [, text = ''] = page.split(`\n## ${heading}\n`);
  return text.split('\n## ')[0] ?? '';
}

function rowsOf(heading: string): string[][] {
  return section(heading)
    .split('\n')
    .filter((line) => line.startsWith('| ') && !line.startsWith('| ---'))
    .slice(1)
    .map((line) => line.split('|').map((cell) => cell.trim()));
}

const quoted = [...page.matchAll(/`([^`\n]+)`/g)].map(([, text = '']) => text);

test('every setting that the page names is one', () => {
  const known = [...Object.keys(SETTINGS), 'SESSION', 'LIVE', 'SEGMENT', 'RESULT', 'CALL'];
  const named = quoted.filter((text) => /^[A-Z][A-Z_]+$/.test(text));
  expect(named.length).toBeGreaterThan(20);
  expect(named.filter((name) => !known.includes(name))).toEqual([]);
});

test('every secret among the settings is told of', () => {
  const secrets = (Object.keys(SETTINGS) as SettingName[]).filter(
    (name) => SETTINGS[name].secret === true || name.endsWith('_SECRET_ARN'),
  );
  expect(secrets.filter((name) => !section('Secrets').includes(`\`${name}\``))).toEqual([]);
});

test('the limits have the defaults of the code, and none is left out', () => {
  const rows = rowsOf('Limits').map(([, , name = '', fallback = '']) => [name.replaceAll('`', ''), fallback]);
  expect(rows).toEqual(rows.map(([name = '']) => [name, SETTINGS[name as SettingName]?.fallback ?? '']));
  const limits = (Object.keys(SETTINGS) as SettingName[]).filter((name) =>
    /^(MAX_|MEDIA_TIMEOUT|START_TIMEOUT|REQUEST_TIMEOUT|BACKLOG_)/.test(name),
  );
  expect(rows.map(([name]) => name).toSorted()).toEqual(limits.toSorted());
});

test('metrics, deployment settings and times are those of the code', () => {
  for (const metric of ['requestsRefused', 'legsEnded', 'callsEnded', 'ticketFaults']) {
    expect(Object.keys(METRICS)).toContain(metric);
    expect(quoted).toContain(metric);
  }
  for (const name of ['customerManagedKey', 'baseImage'])
    expect(Object.keys(DEPLOY_SETTINGS)).toContain(name);
  expect(section('Where data rests')).toContain(`default ${SETTINGS.RETENTION_DAYS.fallback}`);
  expect(section('Secrets')).toContain('within five minutes');
  expect(SECRET_TIMING.refreshAgeMs).toBe(5 * 60_000);
  expect(section('Where data rests')).toContain('30 s more');
  expect(RECOGNITION_TIMING.keepUnsettledMs).toBe(30_000);
});

test('every threat has a test that is there', () => {
  const threats = rowsOf('Threats');
  expect(threats.length).toBeGreaterThan(10);
  for (const [, who, , , tests = ''] of threats) {
    const files = [...tests.matchAll(/\]\((\.\.\/test\/[^)]+\.test\.ts)\)/g)].map(([, file = '']) => file);
    expect([who, files.length > 0]).toEqual([who, true]);
    for (const file of files) expect([file, existsSync(join(DOCS, file))]).toEqual([file, true]);
  }
});

test('every file and heading that the page links to is there', () => {
  expectLinks(join(DOCS, 'security.md'), { moreThan: 20 });
});
