import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DEPLOY_SETTINGS } from '../../lib/deploy-settings';
import { parseSettings } from '../../lib/settings';

const ROOT = join(__dirname, '..', '..');
const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8');

interface Locked {
  readonly version?: string;
  readonly resolved?: string;
  readonly integrity?: string;
  readonly dev?: boolean;
  readonly inBundle?: boolean;
  readonly hasInstallScript?: boolean;
}

const manifest = JSON.parse(read('package.json')) as { dependencies: Record<string, string> };
const lock = JSON.parse(read('package-lock.json')) as {
  lockfileVersion: number;
  packages: Record<string, Locked>;
};
const packages = Object.entries(lock.packages).filter(([path]) => path !== '');

test('every package that runs in the container is justified, and nothing else is', () => {
  const [, text = ''] = read('docs/decisions/001-dependencies.md').split('**In the container**');
  const table = text.split('\n\n')[1] ?? '';
  const rows = [...table.matchAll(/^\| (`[^|]+) \| ([^|]+) \|/gm)];
  const told = rows.flatMap(([, names = '']) => [...names.matchAll(/`([^`]+)`/g)].map(([, name]) => name));
  expect(told.toSorted()).toEqual(Object.keys(manifest.dependencies).toSorted());
  for (const [, names, why = ''] of rows) expect([names, why.length > 10]).toEqual([names, true]);
});

test('what runs in the container has one exact version', () => {
  for (const [name, version] of Object.entries(manifest.dependencies)) {
    expect([name, version]).toEqual([name, expect.stringMatching(/^\d+\.\d+\.\d+$/)]);
    expect(lock.packages[`node_modules/${name}`]?.version).toBe(version);
  }
});

test('every package in the lock file comes from the registry and has its hash', () => {
  expect(lock.lockfileVersion).toBe(3);
  // What a package brings inside of itself is under its hash.
  const loose = packages.filter(
    ([, { integrity = '', inBundle, resolved = 'https:' }]) =>
      inBundle !== true && (!integrity.startsWith('sha512-') || !resolved.startsWith('https:')),
  );
  expect(loose.map(([path]) => path)).toEqual([]);
});

test('no package runs a script when it is installed, but for those that were looked at', () => {
  const scripted = packages.filter(([, { hasInstallScript }]) => hasInstallScript === true);
  expect(scripted.map(([path]) => path.replace('node_modules/', '')).toSorted()).toEqual([
    '@parcel/watcher',
    'classic-level',
    'esbuild',
    'protobufjs',
    'unrs-resolver',
  ]);
  expect(scripted.filter(([, { dev }]) => dev !== true)).toEqual([]);
});

test('CI installs what is locked, and fails on findings of the audit', () => {
  const script = read('.ci/run');
  expect(script).toContain('npm ci ');
  expect(script).toContain('npm audit --omit=dev --audit-level=high');
});

test('the base image can be pinned by digest, and is what the Dockerfile starts from', () => {
  const fallbacks = Object.fromEntries(
    Object.entries(DEPLOY_SETTINGS).map(([name, { fallback = '' }]) => [name, fallback]),
  );
  const baseImage = `public.ecr.aws/docker/library/node@sha256:${'0123456789abcdef'.repeat(4)}`;
  expect(parseSettings({ ...fallbacks, baseImage }).baseImage).toBe(baseImage);
  expect(read('runtime/Dockerfile')).toMatch(/^ARG NODE_IMAGE=(\S+)\nFROM \$\{NODE_IMAGE\}$/m);
  expect(/^ARG NODE_IMAGE=(\S+)$/m.exec(read('runtime/Dockerfile'))?.[1]).toBe(fallbacks['baseImage']);
});
