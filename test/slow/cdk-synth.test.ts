import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expectStacks, synthesise } from '../support/cdk-synth';
import { WAYS, type DeployContext } from '../support/stacks';

let home: string;
beforeAll(async () => void (home = await mkdtemp(join(tmpdir(), 'callscript-synth-'))));
afterAll(() => rm(home, { recursive: true, force: true }));

const { default: _inEverySuite, ...others } = WAYS;

test.each(Object.entries<DeployContext>(others))(
  'cdk synth passes all its rules, without credentials, region, Docker or network: %s',
  async (way, context) => {
    const output = join(home, way);
    await synthesise({ output, home, context });
    await expectStacks(output);
  },
);
