import {
  makeStacks,
  resourcesOf,
  templatesOf,
  WAYS,
  type DeployContext,
  type Resource,
} from '../support/stacks';

/**
 * What the linters do not see (IAM actions, time-outs, periods, secrets, doors), for every way to deploy.
 * Actions are those of the service authorization reference; a new one is added here on purpose.
 */
const KNOWN_ACTIONS = [
  'dynamodb:BatchGetItem',
  'dynamodb:BatchWriteItem',
  'dynamodb:DeleteItem',
  'dynamodb:GetItem',
  'dynamodb:PutItem',
  'dynamodb:Query',
  'dynamodb:UpdateItem',
  'ec2:AuthorizeSecurityGroupEgress',
  'ec2:AuthorizeSecurityGroupIngress',
  'ec2:DescribeSecurityGroups',
  'ec2:RevokeSecurityGroupEgress',
  'ec2:RevokeSecurityGroupIngress',
  'ecs:DescribeTasks',
  'kms:Decrypt',
  'kms:DescribeKey',
  'kms:Encrypt',
  'kms:GenerateDataKey',
  'kms:GenerateDataKeyWithoutPlaintext',
  'kms:ReEncryptFrom',
  'kms:ReEncryptTo',
  'logs:CreateLogStream',
  'logs:DescribeLogStreams',
  'logs:PutLogEvents',
  'secretsmanager:GetSecretValue',
  'sns:Publish',
  'sts:AssumeRole',
];
/** Calls that know no resources. */
const WITHOUT_RESOURCE = ['ec2:DescribeSecurityGroups', 'ecr:GetAuthorizationToken'];

const EVERYTHING = {
  flowLogs: true,
  customerManagedKey: true,
  alarmEmail: 'on-call@example.com',
  egress: 'nat-per-zone',
  relay: { DIAL_NUMBER: '+15005550006' },
};
const cases: readonly (readonly [string, DeployContext])[] = [
  ...Object.entries(WAYS),
  ['default with everything', EVERYTHING],
  ['domain with everything', { ...WAYS.domain, ...EVERYTHING }],
];

interface Statement {
  readonly owner: Resource;
  readonly effect: string;
  readonly actions: readonly string[];
  readonly resources: readonly unknown[];
}

/** Every statement of every policy, wherever it is. */
function statementsOf(owner: Resource, node: unknown = owner.properties): readonly Statement[] {
  if (typeof node !== 'object' || node === null) return [];
  const below = Object.values(node).flatMap((child) => statementsOf(owner, child));
  const { Effect, Action, Resource, Principal } = node as Record<string, unknown>;
  if (Effect === undefined) return below;
  const list = (value: unknown): unknown[] =>
    value === undefined ? [] : Array.isArray(value) ? value : [value];
  // In a policy of a resource, `*` is that resource.
  const resources = Principal === undefined ? list(Resource) : [];
  return [...below, { owner, effect: String(Effect), actions: list(Action).map(String), resources }];
}

describe.each(cases)('%s', (_name, context) => {
  const { store, relay } = templatesOf(makeStacks(context));
  const resources = [...resourcesOf(store), ...resourcesOf(relay)];
  const statements = resources.flatMap((resource) => statementsOf(resource));
  const ofRoles = statements.filter(({ owner }) => owner.type.startsWith('AWS::IAM::'));
  const text = JSON.stringify([store.toJSON(), relay.toJSON()]);

  test('every statement allows or denies', () => {
    expect(statements.length).toBeGreaterThan(5);
    expect(statements.filter(({ effect }) => !['Allow', 'Deny'].includes(effect))).toEqual([]);
  });

  test('every role may do only what exists and is meant', () => {
    const actions = new Set(ofRoles.flatMap((statement) => statement.actions));
    expect([...actions].filter((action) => !KNOWN_ACTIONS.includes(action))).toEqual([]);
  });

  test('no role may do everything, and nothing may be done to everything', () => {
    expect(ofRoles.flatMap(({ actions }) => actions).filter((action) => action.includes('*'))).toEqual([]);
    const toAll = ofRoles.filter((statement) => statement.resources.includes('*'));
    expect(
      toAll.flatMap(({ actions }) => actions).filter((action) => !WITHOUT_RESOURCE.includes(action)),
    ).toEqual([]);
  });

  test('a task reads and writes the one table, reads three secrets and looks at tasks of its cluster', () => {
    const [role] = resources.filter(({ id, type }) => type === 'AWS::IAM::Policy' && id.includes('TaskRole'));
    const mine = statementsOf(role!).filter(({ actions }) => !actions.includes('kms:Decrypt'));
    const about = (action: string): string =>
      JSON.stringify(mine.filter(({ actions }) => actions.includes(action)).flatMap((one) => one.resources));
    expect(about('dynamodb:UpdateItem')).toMatch(
      /^\[\{"Fn::GetStackOutput":\{[^[]*TranscriptsTable[^[]*\}\}\]$/,
    );
    expect(about('secretsmanager:GetSecretValue')).toMatch(
      /^\[[^[]*CredentialsGladia[^[]*CredentialsTicket[^[]*CredentialsTwilio[^[]*\]$/,
    );
    expect(about('ecs:DescribeTasks')).toMatch(/":task\/",\{"Ref":"RelayCluster\w+"\},"\/\*"\]/);
    expect(mine).toHaveLength(3);
  });

  test('nothing from outside gets in, but by HTTPS where the endpoint is a domain', () => {
    const inline = resources.flatMap(({ properties }) => properties['SecurityGroupIngress'] ?? []);
    const rules = resources.filter(({ type }) => type === 'AWS::EC2::SecurityGroupIngress');
    const open = [...inline, ...rules.map(({ properties }) => properties)].filter(
      (rule) => rule.SourceSecurityGroupId === undefined,
    );
    const isPublic = 'domainName' in context;
    expect(open.map((rule) => [rule.CidrIp, rule.IpProtocol, rule.FromPort, rule.ToPort])).toEqual(
      isPublic ? [['0.0.0.0/0', 'tcp', 443, 443]] : [],
    );
    const schemes = resources.map(({ properties }) => properties['Scheme']).filter(Boolean);
    expect(schemes).toEqual([isPublic ? 'internet-facing' : 'internal']);
  });

  test('no template holds a secret, or has CloudFormation read one', () => {
    expect(text).not.toMatch(/resolve:(secretsmanager|ssm-secure)/);
    const secrets = resources.filter(({ type }) => type === 'AWS::SecretsManager::Secret');
    expect(secrets.filter(({ properties }) => 'SecretString' in properties)).toEqual([]);
    expect(secrets).toHaveLength(3);
  });

  test('nothing is looked up in an account', () => {
    const { app } = makeStacks(context);
    expect(app.synth().manifest.missing).toBeUndefined();
  });

  test('times of the load balancer, of ECS and of the relay fit together', () => {
    const attribute = (type: string, list: string, key: string): number => {
      const [resource] = resourcesOf(relay, `AWS::ElasticLoadBalancingV2::${type}`);
      return Number(resource!.properties[list].find(({ Key }: { Key: string }) => Key === key).Value);
    };
    const [task] = resourcesOf(relay, 'AWS::ECS::TaskDefinition');
    const [{ StopTimeout, Environment }] = task!.properties['ContainerDefinitions'];
    const drain =
      Number(Environment.find(({ Name }: { Name: string }) => Name === 'DRAIN_TIMEOUT_MS').Value) / 1000;
    const idle = attribute('LoadBalancer', 'LoadBalancerAttributes', 'idle_timeout.timeout_seconds');
    const deregistration = attribute(
      'TargetGroup',
      'TargetGroupAttributes',
      'deregistration_delay.timeout_seconds',
    );
    const [targets] = resourcesOf(relay, 'AWS::ElasticLoadBalancingV2::TargetGroup');
    const { HealthCheckTimeoutSeconds, HealthCheckIntervalSeconds } = targets!.properties;
    const ping = 20;
    // What AWS takes.
    expect(StopTimeout).toBeLessThanOrEqual(120);
    expect(deregistration).toBeLessThanOrEqual(3_600);
    expect(idle).toBeLessThanOrEqual(4_000);
    // 100 s of drain and 5 s to exit, in 120 s; live sockets kept for as long.
    expect(drain + 5).toBeLessThanOrEqual(StopTimeout);
    expect(deregistration).toBeGreaterThanOrEqual(drain);
    // A ping may get lost.
    expect(2 * ping).toBeLessThan(idle);
    expect(HealthCheckTimeoutSeconds).toBeLessThan(HealthCheckIntervalSeconds);
  });

  test('every alarm looks at whole minutes, and within a day', () => {
    for (const { id, properties } of resources.filter(({ type }) => type === 'AWS::CloudWatch::Alarm')) {
      const periods = [
        properties['Period'],
        ...(properties['Metrics'] ?? []).map(
          (metric: { MetricStat?: { Period: number } }) => metric.MetricStat?.Period,
        ),
      ].filter((period) => period !== undefined);
      expect([id, periods.length > 0]).toEqual([id, true]);
      for (const period of periods) {
        expect([id, period % 60]).toEqual([id, 0]);
        expect(period * properties['EvaluationPeriods']).toBeLessThanOrEqual(86_400);
      }
      expect(properties['DatapointsToAlarm'] ?? 1).toBeLessThanOrEqual(properties['EvaluationPeriods']);
    }
  });
});
