import { App } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import cdkJson from '../../cdk.json';
import { StoreStack } from '../../lib/store-stack';
import { tableDefinition } from '../../runtime/store/table-definition';

const GLOBAL_TABLE = 'AWS::DynamoDB::GlobalTable';
const SECRET = 'AWS::SecretsManager::Secret';
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

test('There are one table and three secrets, and nothing else to pay for', () => {
  expect(Object.keys(template.toJSON()['Resources'] as object)).toHaveLength(4);
  template.resourceCountIs(GLOBAL_TABLE, 1);
  template.resourceCountIs(SECRET, 3);
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

test('The secrets of Gladia and Twilio have no value, and no generated one that looks like one', () => {
  for (const id of ['CredentialsGladia28792D35', 'CredentialsTwilio67F0829D']) {
    const { Properties } = template.findResources(SECRET)[id] as { Properties: object };
    expect(Object.keys(Properties)).toEqual(['Description']);
  }
});

test('The key of the tickets is generated', () => {
  template.hasResourceProperties(SECRET, { GenerateSecretString: { PasswordLength: 64 } });
});

test('Secrets outlive their stack and keep their logical ids, or a deploy would make empty ones', () => {
  template.allResources(SECRET, { DeletionPolicy: 'Retain', UpdateReplacePolicy: 'Retain' });
  expect(Object.keys(template.findResources(SECRET)).sort()).toEqual([
    'CredentialsGladia28792D35',
    'CredentialsTicket1C61D97B',
    'CredentialsTwilio67F0829D',
  ]);
});

describe('with a key of the user', () => {
  const keyed = Template.fromStack(
    new StoreStack(new App({ builtinCloudFormationValidation: false }), 'Keyed', {
      customerManagedKey: true,
    }),
  );
  const [keyId] = Object.keys(keyed.findResources('AWS::KMS::Key'));
  const keyArn = { 'Fn::GetAtt': [keyId, 'Arn'] };

  test('The table is encrypted with it, and is the same table', () => {
    keyed.hasResourceProperties(GLOBAL_TABLE, {
      SSESpecification: { SSEEnabled: true, SSEType: 'KMS' },
      Replicas: [{ SSESpecification: { KMSMasterKeyId: keyArn } }],
    });
    expect(Object.keys(keyed.findResources(GLOBAL_TABLE))).toEqual(['TranscriptsTable619BD708']);
  });

  test('All secrets are encrypted with it', () => {
    keyed.allResourcesProperties(SECRET, { KmsKeyId: keyArn });
  });

  test('It is rotated, and outlives the stack as the data does', () => {
    keyed.hasResourceProperties('AWS::KMS::Key', { EnableKeyRotation: true });
    keyed.allResources('AWS::KMS::Key', { DeletionPolicy: 'Retain', UpdateReplacePolicy: 'Retain' });
  });
});

test('The name of the table is an output', () => {
  template.hasOutput('TranscriptsTable', {});
});
