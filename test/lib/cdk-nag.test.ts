import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Validations } from 'aws-cdk-lib';
import { ContainerImage } from 'aws-cdk-lib/aws-ecs';
import { AwsSolutionsChecks } from 'cdk-nag';
import { makeStacks, WAYS, type DeployContext } from '../support/stacks';

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

/** What AwsSolutions finds and nobody has acknowledged with a reason: rule, words and place. */
function findings(context: DeployContext): readonly string[] {
  // The image of the repository: pulling it needs permissions of its own.
  const image = ContainerImage.fromAsset(join(__dirname, '..', '..', 'runtime'));
  const { app } = makeStacks(context, image);
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  try {
    app.synth();
  } catch (error) {
    if (!(error instanceof Error && error.name === 'ValidationFailed')) throw error;
  }
  const report = JSON.parse(readFileSync(join(app.outdir, 'validation-report.json'), 'utf8')) as Report;
  const [nag] = report.pluginReports;
  expect(nag?.pluginName).toBe('AwsSolutions');
  return (nag?.violations ?? []).flatMap(({ ruleName, description, violatingConstructs }) =>
    violatingConstructs.map(({ constructPath }) => `${ruleName} at ${constructPath}: ${description}`),
  );
}

const WITH_ALL = { flowLogs: true, customerManagedKey: true, alarmEmail: 'on-call@example.com' };

test.each([
  ...Object.entries<DeployContext>(WAYS),
  ['default with every extra', WITH_ALL],
  ['domain with every extra', { ...WAYS.domain, ...WITH_ALL, egress: 'nat-per-zone' }],
] as const)('the stacks keep the AwsSolutions rules, or say why not: %s', (_name, context) => {
  expect(findings(context)).toEqual([]);
});
