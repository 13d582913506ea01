import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Validations } from 'aws-cdk-lib';
import { ContainerImage } from 'aws-cdk-lib/aws-ecs';
import { CfnQueue } from 'aws-cdk-lib/aws-sqs';
import { AwsSolutionsChecks } from 'cdk-nag';
import { makeStacks, WAYS, type DeployContext, type Stacks } from '../support/stacks';

interface Violation {
  readonly ruleName: string;
  readonly description: string;
  readonly violatingConstructs: readonly { readonly constructPath: string }[];
}
interface Report {
  readonly pluginReports: readonly {
    readonly pluginName: string;
    readonly violations: readonly Violation[];
  }[];
}

/** What CloudFormation's rules and AwsSolutions find, and nobody has acknowledged with a reason. */
function findings(context: DeployContext, change: (stacks: Stacks) => void = () => undefined): string[] {
  // The image of the repository: pulling it needs permissions of its own.
  const image = ContainerImage.fromAsset(join(__dirname, '..', '..', 'runtime'));
  const stacks = makeStacks(context, { image, isValidated: true });
  const { app } = stacks;
  change(stacks);
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  try {
    app.synth();
  } catch (error) {
    if (!(error instanceof Error && error.name === 'ValidationFailed')) throw error;
  }
  const report = JSON.parse(readFileSync(join(app.outdir, 'validation-report.json'), 'utf8')) as Report;
  expect(report.pluginReports.map(({ pluginName }) => pluginName)).toContain('AwsSolutions');
  return report.pluginReports.flatMap(({ violations }) =>
    violations.flatMap(({ ruleName, description, violatingConstructs }) =>
      violatingConstructs.map(({ constructPath }) => `${ruleName} at ${constructPath}: ${description}`),
    ),
  );
}

const WITH_ALL = { flowLogs: true, customerManagedKey: true, alarmEmail: 'on-call@example.com' };

test.each([
  ...Object.entries<DeployContext>(WAYS),
  ['default with every extra', WITH_ALL],
  ['domain with every extra', { ...WAYS.domain, ...WITH_ALL, egress: 'nat-per-zone' }],
] as const)(
  'the stacks keep the rules of CloudFormation and AwsSolutions, or say why not: %s',
  (_name, context) => {
    expect(findings(context)).toEqual([]);
  },
);

test.each([
  [
    'a property that CloudFormation does not know',
    (queue: CfnQueue) => queue.addPropertyOverride('No', 1),
    "'No'",
  ],
  ['a queue that AwsSolutions does not like', () => undefined, 'SQS4'],
])('%s is found', (_name, change, finding) => {
  const found = findings({}, ({ relay }) => change(new CfnQueue(relay, 'Wrong')));
  expect(found.join()).toContain(finding);
});
