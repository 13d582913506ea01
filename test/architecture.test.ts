import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { preProcessFile } from 'typescript';

const ROOT = join(__dirname, '..');

/**
 * Who may import whom: a folder (or file), and the places below the root that its files may reach besides itself.
 * The first entry that fits a file holds. Data flows one way, and each station knows only its neighbours' types.
 */
const ALLOWED: readonly (readonly [from: string, to: readonly string[]])[] = [
  ['bin', ['lib', 'runtime/contract']],
  // The stack checks the relay's settings with the relay's own eyes, and prints what the relay prints.
  ['lib', ['runtime/contract', 'runtime/config', 'runtime/twilio/public-url', 'runtime/twilio/voice-twiml']],
  ['runtime/contract', []],
  ['runtime/model', []],
  ['runtime/observability', ['runtime/contract']],
  ['runtime/wire', []],
  ['runtime/server', ['runtime/contract', 'runtime/observability', 'runtime/wire']],
  [
    'runtime/twilio',
    ['runtime/contract', 'runtime/model', 'runtime/observability', 'runtime/server', 'runtime/wire'],
  ],
  [
    'runtime/speech/gladia',
    ['runtime/model', 'runtime/observability', 'runtime/wire', 'runtime/speech/speech-provider'],
  ],
  ['runtime/speech', ['runtime/model', 'runtime/observability']],
  ['runtime/store', ['runtime/contract', 'runtime/model', 'runtime/observability']],
  ['runtime/sinks', ['runtime/contract', 'runtime/model', 'runtime/observability', 'runtime/store']],
  ['runtime/tracing', ['runtime/model', 'runtime/sinks/transcript-sink']],
  [
    'runtime/call',
    ['runtime/model', 'runtime/observability', 'runtime/speech', 'runtime/sinks/transcript-sink'],
  ],
  [
    'runtime/continuity',
    [
      'runtime/contract',
      'runtime/model',
      'runtime/observability',
      'runtime/twilio',
      'runtime/call',
      'runtime/speech',
      'runtime/store',
    ],
  ],
  ['runtime', ['runtime']],
  // Chaos looks which alarms it sets off.
  ['local', ['runtime', 'local', 'lib/monitoring/alarms']],
];

/** Each outside package has few doors. */
const PACKAGE_DOORS: Readonly<Record<string, readonly string[]>> = {
  'aws-cdk-lib': ['bin', 'lib'],
  constructs: ['bin', 'lib'],
  esbuild: ['bin/bundle'],
  ws: ['runtime/wire', 'runtime/server', 'runtime/twilio', 'runtime/speech/gladia/gladia-socket', 'local'],
  '@aws-sdk/client-dynamodb': ['runtime/store', 'runtime/sinks', 'local'],
  '@aws-sdk/lib-dynamodb': ['runtime/store', 'runtime/sinks', 'local'],
  '@aws-sdk/client-secrets-manager': ['runtime/secrets'],
  '@aws-sdk/client-ecs': ['runtime/ecs-task-state'],
  '@opentelemetry/api': ['runtime/tracing/otlp-exporter'],
  '@opentelemetry/exporter-trace-otlp-http': ['runtime/tracing/otlp-exporter'],
  '@opentelemetry/resources': ['runtime/tracing/otlp-exporter'],
  '@opentelemetry/sdk-trace-base': ['runtime/tracing/otlp-exporter'],
  pino: ['runtime/observability/logger'],
  zod: ['runtime/speech/gladia/gladia-session-options', 'runtime/store', 'local'],
};

function sourceFiles(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.d.ts'))
    .map((file) => join(folder, file));
}

interface Import {
  readonly file: string;
  /** Path below the root, without ending, or name of a package. */
  readonly target: string;
  readonly isPackage: boolean;
}

function importsOf(file: string): Import[] {
  const { importedFiles } = preProcessFile(readFileSync(join(ROOT, file), 'utf8'), true, true);
  return importedFiles.map(({ fileName }) => {
    const isPackage = !fileName.startsWith('.');
    const target = isPackage ? fileName : relative(ROOT, resolve(ROOT, dirname(file), fileName));
    return { file, target, isPackage };
  });
}

function isBelow(path: string, place: string): boolean {
  return path === place || path.startsWith(`${place}/`) || path === `${place}.ts`;
}

function packageName(name: string): string {
  return name
    .split('/')
    .slice(0, name.startsWith('@') ? 2 : 1)
    .join('/');
}

const imports = ['bin', 'lib', 'runtime', 'local'].flatMap(sourceFiles).flatMap(importsOf);

function isAllowed({ file, target }: Import): boolean {
  const [from, to] = ALLOWED.find(([place]) => isBelow(file, place)) ?? [];
  if (from === undefined || to === undefined) return false;
  return (from !== 'runtime' && isBelow(target, from)) || to.some((place) => isBelow(target, place));
}

test('every file imports only what its station may know', () => {
  const forbidden = imports.filter((each) => !each.isPackage && !isAllowed(each));
  expect(forbidden.map(({ file, target }) => `${file} -> ${target}`)).toEqual([]);
  expect(imports.length).toBeGreaterThan(300);
});

test('every outside package comes in through its door', () => {
  const forbidden = imports.filter(({ file, target, isPackage }) => {
    const doors = isPackage ? PACKAGE_DOORS[packageName(target)] : undefined;
    return doors !== undefined && !doors.some((door) => isBelow(file, door));
  });
  expect(forbidden.map(({ file, target }) => `${file} -> ${target}`)).toEqual([]);
});

test('the program never imports what only infrastructure and laptop need', () => {
  const { dependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
    dependencies: object;
  };
  const isKnown = (name: string): boolean => name.startsWith('node:') || packageName(name) in dependencies;
  const foreign = imports.filter(
    ({ file, target, isPackage }) => isPackage && isBelow(file, 'runtime') && !isKnown(target),
  );
  expect(foreign.map(({ file, target }) => `${file} -> ${target}`)).toEqual([]);
});

test('no files import each other in a circle', () => {
  const edges = new Map<string, string[]>();
  const fileOf = (target: string): string =>
    sources.has(`${target}.ts`) ? `${target}.ts` : `${target}/index.ts`;
  const sources = new Set(imports.map(({ file }) => file));
  for (const { file, target, isPackage } of imports)
    if (!isPackage) edges.set(file, [...(edges.get(file) ?? []), fileOf(target)]);
  const done = new Set<string>();
  const circles: string[] = [];
  const visit = (file: string, path: readonly string[]): void => {
    if (path.includes(file)) circles.push([...path.slice(path.indexOf(file)), file].join(' -> '));
    if (done.has(file) || path.includes(file)) return;
    for (const next of edges.get(file) ?? []) visit(next, [...path, file]);
    done.add(file);
  };
  for (const file of edges.keys()) visit(file, []);
  expect(circles).toEqual([]);
});

test('the environment is read at the doors of the process only', () => {
  const readers = ['bin', 'lib', 'runtime', 'local']
    .flatMap(sourceFiles)
    .filter((file) => readFileSync(join(ROOT, file), 'utf8').includes('process.env'));
  expect(readers.filter((file) => !/^(runtime\/main|local\/[a-z-]+|bin\/[a-z-]+)\.ts$/.test(file))).toEqual(
    [],
  );
});
