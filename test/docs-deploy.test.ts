import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DEPLOY_SETTINGS, type DeploySettingName } from '../lib/deploy-settings';
import { parseSettings } from '../lib/settings';
import { fillSecretCommand, TWILIO_SECRET_FIELDS } from '../runtime/contract/secrets';
import { makeStacks, templatesOf, WAYS } from './support/stacks';
import { expectLinks } from './support/doc-links';

const DOCS = join(__dirname, '..', 'docs');
const page = readFileSync(join(DOCS, 'deploy.md'), 'utf8');

interface Row {
  readonly key: string;
  readonly fallback: string;
  readonly example: string;
}

function section(title: string): string {
  const [, text = ''] = page.split(`\n## ${title}\n`);
  return text.split('\n## ')[0] ?? '';
}

function cells(line: string): string[] {
  return line.split('|').map((cell) => cell.trim().replace(/^`(.*)`$/, '$1'));
}

const rows: readonly Row[] = section('Settings')
  .split('\n')
  .filter((line) => line.startsWith('| `'))
  .map(cells)
  .map(([, key = '', fallback = '', example = '']) => ({ key, fallback, example }));

test('the table of settings has the keys and defaults of the deployment', () => {
  const names = Object.keys(DEPLOY_SETTINGS) as DeploySettingName[];
  expect(rows.map(({ key, fallback }) => [key, fallback])).toEqual(
    names.map((name) => [name, DEPLOY_SETTINGS[name].fallback ?? '']),
  );
});

const COMPANIONS: Readonly<Record<string, object>> = {
  domainName: { hostedZoneId: WAYS.domain.hostedZoneId },
  hostedZoneId: { domainName: WAYS.domain.domainName },
  certificateArn: { domainName: WAYS.domain.domainName },
};

test.each(rows)('the example of $key is allowed, and not the default', ({ key, fallback, example }) => {
  expect(example).not.toBe(fallback);
  expect(() => parseSettings({ ...COMPANIONS[key], [key]: example })).not.toThrow();
  expect(parseSettings({ ...COMPANIONS[key], [key]: example })).not.toEqual(parseSettings({}));
});

test('every setting in a command is allowed with the others of its line', () => {
  const lines = page.split('\n').filter((line) => line.startsWith('npx cdk deploy --all -c'));
  expect(lines.length).toBeGreaterThanOrEqual(3);
  for (const line of lines) {
    const given = [...line.matchAll(/-c (\w+)=('[^']*'|\S+)/g)].map(([, key = '', value = '']) => [
      key,
      value.replace(/^'(.*)'$/, '$1'),
    ]);
    expect(() => parseSettings(Object.fromEntries(given) as Record<string, unknown>)).not.toThrow();
  }
});

test('the table of outputs has those of the stack, no more and no fewer', () => {
  const withNext = { relay: { DIAL_NUMBER: '+15005550006' } };
  const outputs = [withNext, WAYS.certificate].flatMap((context) =>
    Object.keys(templatesOf(makeStacks(context)).relay.findOutputs('*')),
  );
  const told = [...section('Deploy').matchAll(/^\| (`.*?`) \|/gm)].flatMap(([, names = '']) =>
    names.split(', ').map((name) => name.replaceAll('`', '')),
  );
  const own = outputs.filter((name) => !name.startsWith('ExportsOutput'));
  expect([...new Set(told)].sort()).toEqual([...new Set(own)].sort());
});

test('the commands that fill the secrets are those that the stack prints', () => {
  for (const setting of ['GLADIA_SECRET_ARN', 'TWILIO_SECRET_ARN'] as const)
    expect(page).toContain(`\n${fillSecretCommand(setting, 'arn:...', 'us-east-1')}\n`);
  for (const field of Object.values(TWILIO_SECRET_FIELDS)) expect(page).toContain(`\`${field}\``);
});

test('what destroying leaves behind has its commands', () => {
  const destroy = section('Destroy');
  for (const stack of ['CallscriptRelay', 'CallscriptStore']) {
    expect(destroy).toContain(`--stack-name ${stack} --no-enable-termination-protection`);
    expect(destroy).toContain(`npx cdk destroy ${stack}`);
  }
  for (const command of ['--no-deletion-protection-enabled', 'dynamodb delete-table', 'delete-secret'])
    expect(destroy).toContain(command);
});

test.each(['deploy.md', 'costs.md'])('every file and heading that %s links to is there', (name) => {
  expectLinks(join(DOCS, name), { moreThan: 0 });
});
