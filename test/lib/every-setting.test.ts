import { makeStacks, WAYS, type DeployContext } from '../support/stacks';

/** The values of each setting that make another template; the others are taken together. */
const choices: Readonly<Record<string, readonly DeployContext[]>> = {
  endpoint: [WAYS.default, WAYS.domain, WAYS.certificate],
  egress: [{ egress: 'nat' }, { egress: 'nat-per-zone' }, { egress: 'public' }],
  flowLogs: [{}, { flowLogs: 'true' }],
  key: [{}, { customerManagedKey: 'true' }],
  architecture: [{}, { cpuArchitecture: 'x86_64' }],
  alarms: [{}, { alarmEmail: 'on-call@example.com' }],
  rest: [
    {},
    {
      baseImage: 'example.com/node@sha256:0123',
      tasks: '3-9',
      callsPerTask: '10',
      relay: '{"VOICE_TWIML":"<Say>Hi</Say>"}',
    },
  ],
};

test('every combination of settings makes both stacks', () => {
  const combinations = Object.values(choices).reduce<readonly DeployContext[]>(
    (before, options) => before.flatMap((one) => options.map((option) => ({ ...one, ...option }))),
    [{}],
  );
  expect(combinations).toHaveLength(288);
  for (const context of combinations) {
    const { stacks } = makeStacks(context).app.synth();
    expect(stacks.map(({ stackName }) => stackName)).toEqual(['CallscriptStore', 'CallscriptRelay']);
  }
}, 180_000);
