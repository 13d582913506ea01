import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import cdkJson from '../../cdk.json';
import { WAYS, type DeployContext } from '../support/stacks';

const project = join(__dirname, '..', '..');
const cdk = join(project, 'node_modules', 'aws-cdk', 'bin', 'cdk');
let home: string;

beforeAll(async () => void (home = await mkdtemp(join(tmpdir(), 'callscript-synth-'))));
afterAll(() => rm(home, { recursive: true, force: true }));

/**
 * As somebody who has just cloned the repository: nothing of the environment gets through, so neither a profile nor a
 * region, a proxy or a container tool can help.
 */
async function run(program: string, args: readonly string[], more: NodeJS.ProcessEnv = {}): Promise<void> {
  await promisify(execFile)(program, args, {
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

async function synthesise(output: string, context: DeployContext): Promise<void> {
  const choices = Object.entries(context).flatMap(([key, value]) => ['-c', `${key}=${String(value)}`]);
  const flags = ['--quiet', '--strict', '--no-lookups', '--output', output];
  await run(process.execPath, [cdk, 'synth', ...flags, ...choices]);
}

test.each(Object.entries<DeployContext>(WAYS))(
  'cdk synth passes all its rules, without credentials, region, Docker or network: %s',
  async (way, context) => {
    const output = join(home, way);
    await synthesise(output, context);
    for (const stack of ['CallscriptStore', 'CallscriptRelay']) {
      const template = JSON.parse(await readFile(join(output, `${stack}.template.json`), 'utf8')) as object;
      expect(template).toHaveProperty('Resources');
    }
    const report = await readFile(join(output, 'validation-report.json'), 'utf8');
    expect(JSON.parse(report)).toMatchObject({ pluginReports: [] });
  },
  120_000,
);

test('a finding of CloudFormation fails a synth', () => {
  expect(cdkJson.context['@aws-cdk/core:validateAgainstDefaultRules']).toBe(true);
});

test('the image is built when the stack is deployed, from a context of the Dockerfile and the bundle', async () => {
  const assets = JSON.parse(await readFile(join(home, 'default', 'CallscriptRelay.assets.json'), 'utf8')) as {
    dockerImages: Record<string, { source: object }>;
  };
  const [image, ...others] = Object.values(assets.dockerImages);
  expect(others).toEqual([]);
  expect(image?.source).toMatchObject({
    dockerBuildArgs: { NODE_IMAGE: 'public.ecr.aws/docker/library/node:24-slim' },
    platform: 'linux/arm64',
  });
});

test('a wrong setting ends the synth with its sentence, and no stack trace', async () => {
  const context = JSON.stringify({ egress: 'none', tasks: '1-1' });
  const wrong = run(process.execPath, ['--import', 'tsx', 'bin/app.ts'], { CDK_CONTEXT_JSON: context });
  await expect(wrong).rejects.toMatchObject({
    code: 2,
    stderr:
      'The settings of the deployment (-c key=value, or "context" in cdk.json):\n' +
      '  egress: is something else than allowed; write nat, nat-per-zone or public\n' +
      '  tasks: is something else than allowed; write the least and the most tasks, such as 2-20; at least 2\n',
  });
});
