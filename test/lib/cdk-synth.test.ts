import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import cdkJson from '../../cdk.json';
import { expectStacks, runAsStranger, synthesise } from '../support/cdk-synth';

let home: string;

beforeAll(async () => void (home = await mkdtemp(join(tmpdir(), 'callscript-synth-'))));
afterAll(() => rm(home, { recursive: true, force: true }));

// The other ways are in test/slow; what they make keeps the rules by cdk-nag.test.ts.
test('cdk synth passes all its rules, without credentials, region, Docker or network', async () => {
  const output = join(home, 'default');
  await synthesise({ output, home });
  await expectStacks(output);
}, 120_000);

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
  const wrong = runAsStranger(['--import', 'tsx', 'bin/app.ts'], {
    home,
    more: { CDK_CONTEXT_JSON: context },
  });
  await expect(wrong).rejects.toMatchObject({
    code: 2,
    stderr:
      'The settings of the deployment (-c key=value, or "context" in cdk.json):\n' +
      '  egress: is something else than allowed; write nat, nat-per-zone or public\n' +
      '  tasks: is something else than allowed; write the least and the most tasks, such as 2-20; at least 2\n',
  });
});
