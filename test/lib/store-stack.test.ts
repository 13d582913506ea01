import { App } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import cdkJson from '../../cdk.json';
import { StoreStack } from '../../lib/store-stack';
import { tableDefinition } from '../../runtime/store/table-definition';

const GLOBAL_TABLE = 'AWS::DynamoDB::GlobalTable';
// One strict synth is in cdk-synth.test.ts; here it would add seconds to every template.
const app = new App({ context: cdkJson.context, builtinCloudFormationValidation: false });
const stack = new StoreStack(app, 'CallscriptStore');
const template = Template.fromStack(stack);

interface TableProperties {
  readonly KeySchema: unknown;
  readonly AttributeDefinitions: readonly { readonly AttributeName: string }[];
  readonly BillingMode: string;
  readonly GlobalSecondaryIndexes: readonly { readonly IndexName: string }[];
}
const [table] = Object.values(template.findResources(GLOBAL_TABLE));
const properties = table?.['Properties'] as TableProperties;

test('There is one table, and nothing else to pay for', () => {
  expect(Object.keys(template.toJSON()['Resources'] as object)).toHaveLength(1);
  template.resourceCountIs(GLOBAL_TABLE, 1);
});

test('The table of AWS and the embedded one have the same keys, indexes and projections', () => {
  const local = tableDefinition('any');
  expect(properties.KeySchema).toEqual(local.KeySchema);
  expect(properties.BillingMode).toBe(local.BillingMode);
  expect(properties.GlobalSecondaryIndexes).toEqual(local.GlobalSecondaryIndexes);
  const byName = (
    one: { AttributeName?: string | undefined },
    other: { AttributeName?: string | undefined },
  ): number => String(one.AttributeName).localeCompare(String(other.AttributeName));
  expect([...properties.AttributeDefinitions].sort(byName)).toEqual(
    [...(local.AttributeDefinitions ?? [])].sort(byName),
  );
});

test('The three indexes are found under the names that readers use', () => {
  expect(properties.GlobalSecondaryIndexes.map((index) => index.IndexName)).toEqual([
    'callsByDay',
    'callsByFrom',
    'callsByTo',
  ]);
});

test('Old items go by their expiresAt', () => {
  template.hasResourceProperties(GLOBAL_TABLE, {
    TimeToLiveSpecification: { AttributeName: 'expiresAt', Enabled: true },
  });
});

test('Every replica can be restored to any second and is protected from deletion', () => {
  template.allResourcesProperties(GLOBAL_TABLE, {
    Replicas: [
      {
        PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
        DeletionProtectionEnabled: true,
      },
    ],
  });
});

test('The table is encrypted with a key of the account', () => {
  template.hasResourceProperties(GLOBAL_TABLE, { SSESpecification: { SSEEnabled: true, SSEType: 'KMS' } });
});

test('The table outlives its stack', () => {
  template.allResources(GLOBAL_TABLE, { DeletionPolicy: 'Retain', UpdateReplacePolicy: 'Retain' });
});

test('The stack is protected from deletion, also against its props', () => {
  expect(stack.terminationProtection).toBe(true);
  const other = new StoreStack(new App(), 'Other', { terminationProtection: false });
  expect(other.terminationProtection).toBe(true);
});

test('The table has no name of ours, so that a replacement can exist beside it', () => {
  expect(properties).not.toHaveProperty('TableName');
});

test('The logical id of the table stays, or a deploy would make an empty one', () => {
  expect(Object.keys(template.findResources(GLOBAL_TABLE))).toEqual(['TranscriptsTable619BD708']);
});

test('The name of the table is an output', () => {
  template.hasOutput('TranscriptsTable', {});
});
