import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { DeployContext } from './stacks';

const project = join(__dirname, '..', '..');
const cdk = join(project, 'node_modules', 'aws-cdk', 'bin', 'cdk');

export interface StrangerOptions {
  /** An empty directory. */
  readonly home: string;
  /** The only other variables. */
  readonly more?: NodeJS.ProcessEnv;
}

/**
 * Runs node as somebody who has just cloned the repository: nothing of the environment gets through, so neither a
 * profile nor a region, a proxy or a container tool can help.
 */
export async function runAsStranger(
  args: readonly string[],
  { home, more = {} }: StrangerOptions,
): Promise<void> {
  await promisify(execFile)(process.execPath, args, {
    cwd: project,
    env: {
      HOME: home,
      AWS_EC2_METADATA_DISABLED: 'true',
      HTTPS_PROXY: 'http://127.0.0.1:9',
      PATH: join(process.execPath, '..'),
      ...more,
    },
  });
}

export interface SynthOptions extends StrangerOptions {
  /** Where the templates go. */
  readonly output: string;
  readonly context?: DeployContext;
}

/** `npx cdk synth`, failing on a warning and on a look-up. */
export async function synthesise({ output, context = {}, ...stranger }: SynthOptions): Promise<void> {
  const choices = Object.entries(context).flatMap(([key, value]) => ['-c', `${key}=${String(value)}`]);
  const flags = ['--quiet', '--strict', '--no-lookups', '--output', output];
  await runAsStranger([cdk, 'synth', ...flags, ...choices], stranger);
}

/** Both templates are there, and CDK has found nothing in them. */
export async function expectStacks(output: string): Promise<void> {
  for (const stack of ['CallscriptStore', 'CallscriptRelay']) {
    const template = JSON.parse(await readFile(join(output, `${stack}.template.json`), 'utf8')) as object;
    expect(template).toHaveProperty('Resources');
  }
  const report = await readFile(join(output, 'validation-report.json'), 'utf8');
  expect(JSON.parse(report)).toMatchObject({ pluginReports: [] });
}
