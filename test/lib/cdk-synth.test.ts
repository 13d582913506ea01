import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const project = join(__dirname, '..', '..');
let output: string;

beforeAll(async () => void (output = await mkdtemp(join(tmpdir(), 'callscript-synth-'))));
afterAll(() => rm(output, { recursive: true, force: true }));

test('cdk synth passes all its rules, without credentials, region or network', async () => {
  const cdk = join(project, 'node_modules', 'aws-cdk', 'bin', 'cdk');
  // Nothing of the environment gets through, so neither a profile nor a region can help.
  const environment = {
    HOME: output,
    AWS_EC2_METADATA_DISABLED: 'true',
    HTTPS_PROXY: 'http://127.0.0.1:9',
    PATH: join(process.execPath, '..'),
  };
  await promisify(execFile)(process.execPath, [cdk, 'synth', '--quiet', '--strict', '--output', output], {
    cwd: project,
    env: environment,
  });
  const template = JSON.parse(
    await readFile(join(output, 'CallscriptStore.template.json'), 'utf8'),
  ) as object;
  expect(template).toHaveProperty('Resources');
  const report = await readFile(join(output, 'validation-report.json'), 'utf8');
  expect(report).not.toMatch(/"status":\s*"failure"/);
}, 60_000);
