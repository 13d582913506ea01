import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { loadConfig } from '../../runtime/config';
import { STOP_TIMEOUT_MS } from '../../runtime/contract/durations';
import { SETTINGS, type SettingName } from '../../runtime/contract/settings';
import { rollbackAlarmNames } from '../../lib/monitoring/alarms';
import { dependenciesOf, makeStacks, resourcesOf } from '../support/stacks';

const SERVICE = 'AWS::ECS::Service';
const TASK = 'AWS::ECS::TaskDefinition';
const POLICY = 'AWS::ApplicationAutoScaling::ScalingPolicy';

const template = Template.fromStack(makeStacks().relay);
const [task] = resourcesOf(template, TASK);
const [container, ...sidecars] = task!.properties['ContainerDefinitions'];

type Variable = { readonly Name: string; readonly Value: unknown };
const variablesOf = (from: Template): Record<string, unknown> => {
  const [definition] = resourcesOf(from, TASK);
  const variables: Variable[] = definition!.properties['ContainerDefinitions'][0].Environment;
  return Object.fromEntries(variables.map(({ Name, Value }) => [Name, Value]));
};

describe('the variables of a task', () => {
  const names = (Object.keys(SETTINGS) as SettingName[]).filter((name) => SETTINGS[name].where !== 'local');

  test('are all that the contract marks for AWS, and only those', () => {
    expect(Object.keys(variablesOf(template)).sort()).toEqual([...names].sort());
    expect(container.Secrets).toBeUndefined();
  });

  test('are what the relay takes, and its defaults where nobody has chosen', () => {
    const values = Object.entries(variablesOf(template));
    // What is known when the stack is deployed has the shape of an ARN, a URL or a name then.
    const texts = Object.fromEntries(values.filter(([, value]) => typeof value === 'string')) as Record<
      string,
      string
    >;
    const known = { ...texts, PUBLIC_URL: 'https://relay.example.com' };
    expect(loadConfig(known)).toEqual({
      ...loadConfig({
        PUBLIC_URL: 'https://relay.example.com',
        TWILIO_API_URL: SETTINGS.TWILIO_API_URL.fallback,
      }),
      maxCalls: 280,
    });
  });

  test('have the values that the user has chosen', () => {
    const chosen = { DIAL_NUMBER: '+15005550006', TRACKS: 'inbound', GLADIA_REGION: 'eu-west' };
    expect(variablesOf(Template.fromStack(makeStacks({ relay: chosen }).relay))).toMatchObject(chosen);
  });

  test('name the secrets and hold none', () => {
    const { TWILIO_SECRET_ARN, GLADIA_SECRET_ARN, TICKET_SECRET_ARN, ...others } = variablesOf(template);
    expect(JSON.stringify(TWILIO_SECRET_ARN)).toContain('CredentialsTwilio');
    expect(JSON.stringify(GLADIA_SECRET_ARN)).toContain('CredentialsGladia');
    expect(JSON.stringify(TICKET_SECRET_ARN)).toContain('CredentialsTicket');
    expect(JSON.stringify(others)).not.toMatch(/resolve:secretsmanager|Credentials/);
  });
});

describe('the container', () => {
  test('is alone, unprivileged and cannot write', () => {
    expect(sidecars).toEqual([]);
    expect(container).toMatchObject({
      User: '1000:1000',
      ReadonlyRootFilesystem: true,
      LinuxParameters: { Capabilities: { Drop: ['ALL'] } },
    });
    expect(container.Privileged ?? false).toBe(false);
    expect(container.LinuxParameters.Capabilities).not.toHaveProperty('Add');
  });

  test('has the two minutes to stop that its drain needs', () => {
    expect(container.StopTimeout).toBe(STOP_TIMEOUT_MS / 1000);
  });

  test('is not stopped for being busy: the load balancer alone asks whether it is well', () => {
    expect(container).not.toHaveProperty('HealthCheck');
  });

  test('never waits for its log, and has a buffer for the metrics in it', () => {
    expect(container.LogConfiguration).toMatchObject({
      LogDriver: 'awslogs',
      Options: { mode: 'non-blocking', 'max-buffer-size': `${25 * 1024 * 1024}b` },
    });
  });

  test('may open a socket or two for every call', () => {
    expect(container.Ulimits).toContainEqual({ Name: 'nofile', SoftLimit: 65_536, HardLimit: 65_536 });
  });

  test('leaves no core file with what was in its memory', () => {
    expect(container.Ulimits).toContainEqual({ Name: 'core', SoftLimit: 0, HardLimit: 0 });
  });

  test.each([
    ['arm64', 'ARM64'],
    ['x86_64', 'X86_64'],
  ])('runs on one %s processor', (cpuArchitecture, CpuArchitecture) => {
    Template.fromStack(makeStacks({ cpuArchitecture }).relay).hasResourceProperties(TASK, {
      Cpu: '1024',
      Memory: '2048',
      RuntimePlatform: { CpuArchitecture, OperatingSystemFamily: 'LINUX' },
    });
  });
});

describe('the role of a task', () => {
  const actionsOf = (from: Template): readonly string[] => {
    const [role] = resourcesOf(from, 'AWS::IAM::Policy').filter(({ id }) => id.includes('TaskRole'));
    return role!.properties['PolicyDocument'].Statement.flatMap(
      ({ Action }: { Action: string | string[] }) => Action,
    );
  };

  test('may do all that the relay asks AWS for', () => {
    const runtime = join(__dirname, '..', '..', 'runtime');
    const sources = readdirSync(runtime, { recursive: true, encoding: 'utf8' })
      // In AWS the table is the stack's.
      .filter((file) => /^(?!dist).*\.ts$/.test(file) && !file.endsWith('create-table.ts'))
      .map((file) => readFileSync(join(runtime, file), 'utf8'));
    const calls = new Set(
      [...sources.join('\n').matchAll(/new (?:\w+\.)?(\w+)Command\(/g)].map(([, call]) => call),
    );
    expect(calls.size).toBeGreaterThanOrEqual(8);
    const named: Readonly<Record<string, string>> = {
      DescribeTasks: 'ecs:DescribeTasks',
      GetSecretValue: 'secretsmanager:GetSecretValue',
      Query: 'dynamodb:Query',
    };
    const needed = [...calls].map((call = '') => named[call] ?? `dynamodb:${call}Item`);
    expect(needed.filter((action) => !actionsOf(template).includes(action))).toEqual([]);
  });

  test('may use the key of the user for all that a table asks of it, and no key without one', () => {
    // DynamoDB, Developer Guide: usage of KMS keys. Grants are for whoever makes the table.
    const needed = ['Encrypt', 'Decrypt', 'ReEncryptFrom', 'ReEncryptTo', 'GenerateDataKey', 'DescribeKey'];
    const keyed = Template.fromStack(makeStacks({ customerManagedKey: true }).relay);
    expect(actionsOf(keyed)).toEqual(expect.arrayContaining(needed.map((action) => `kms:${action}`)));
    expect(actionsOf(template).filter((action) => action.startsWith('kms:'))).toEqual([]);
    // Not to encrypt and decrypt by itself.
    const services = ['dynamodb', 'secretsmanager'].map((service) => ({
      'Fn::Join': ['', [`${service}.`, { Ref: 'AWS::Region' }, '.', { Ref: 'AWS::URLSuffix' }]],
    }));
    keyed.hasResourceProperties('AWS::IAM::Policy', {
      PolicyDocument: {
        Statement: Match.arrayWith([
          Match.objectLike({ Condition: { StringEquals: { 'kms:ViaService': services } } }),
        ]),
      },
    });
  });
});

describe('the service', () => {
  test('starts new tasks before it stops old ones, and goes back by itself when they fail', () => {
    template.hasResourceProperties(SERVICE, {
      DeploymentConfiguration: {
        MinimumHealthyPercent: 100,
        MaximumPercent: 200,
        DeploymentCircuitBreaker: { Enable: true, Rollback: true },
      },
    });
  });

  test('goes back by itself when an alarm of the list says so, and these are there before it', () => {
    const names = rollbackAlarmNames('CallscriptRelay');
    expect(names.length).toBeGreaterThan(0);
    template.hasResourceProperties(SERVICE, {
      DeploymentConfiguration: { Alarms: { AlarmNames: names, Enable: true, Rollback: true } },
    });
    const alarms = resourcesOf(template, 'AWS::CloudWatch::Alarm').filter(({ properties }) =>
      names.includes(properties['AlarmName'] as string),
    );
    const [service] = resourcesOf(template, SERVICE);
    const { DependsOn } = template.toJSON()['Resources'][service!.id] as { DependsOn: string[] };
    expect(DependsOn).toEqual(expect.arrayContaining(alarms.map(({ id }) => id)));
    expect(alarms).toHaveLength(names.length);
  });

  test('starts no task before ECS may fetch its image and write its log', () => {
    const [service] = resourcesOf(template, SERVICE);
    const policies = resourcesOf(template, 'AWS::IAM::Policy').filter(({ id }) =>
      id.includes('ExecutionRole'),
    );
    expect(policies).toHaveLength(1);
    expect(dependenciesOf(template, service!.id)).toContain(policies[0]?.id);
  });

  test('stops no task to even out the zones', () => {
    template.hasResourceProperties(SERVICE, { AvailabilityZoneRebalancing: 'DISABLED' });
  });

  test('keeps the number of tasks that scaling has made', () => {
    template.hasResourceProperties(SERVICE, { DesiredCount: Match.absent() });
  });

  test('runs from the least to the most tasks of the settings', () => {
    const other = Template.fromStack(makeStacks({ tasks: '3-7' }).relay);
    other.hasResourceProperties('AWS::ApplicationAutoScaling::ScalableTarget', {
      MinCapacity: 3,
      MaxCapacity: 7,
    });
  });

  test('scales on live calls per task, half of what a task takes, and on CPU', () => {
    const other = Template.fromStack(makeStacks({ callsPerTask: 70 }).relay);
    other.hasResourceProperties(POLICY, {
      TargetTrackingScalingPolicyConfiguration: {
        TargetValue: 70,
        CustomizedMetricSpecification: {
          Namespace: 'Callscript',
          MetricName: 'CallsLive',
          Statistic: 'Average',
        },
      },
    });
    expect(variablesOf(other)['MAX_CALLS']).toBe('140');
    other.hasResourceProperties(POLICY, {
      TargetTrackingScalingPolicyConfiguration: {
        PredefinedMetricSpecification: { PredefinedMetricType: 'ECSServiceAverageCPUUtilization' },
      },
    });
  });

  test('lets in the load balancer alone, at the port of the relay', () => {
    const groups = resourcesOf(template, 'AWS::EC2::SecurityGroup').map(({ id }) => id);
    const [rule, ...others] = resourcesOf(template, 'AWS::EC2::SecurityGroupIngress').filter(
      ({ properties }) => properties['FromPort'] === 5000,
    );
    expect(others).toEqual([]);
    const [from] = rule!.properties['SourceSecurityGroupId']['Fn::GetAtt'];
    expect(groups).toContain(from);
    expect(from).toContain('Endpoint');
  });

  test('goes out by HTTPS only, and by the port of another Gladia or Twilio', () => {
    const portsOut = (from: Template): unknown =>
      resourcesOf(from, 'AWS::EC2::SecurityGroup')
        .flatMap(({ properties }) => properties['SecurityGroupEgress'] ?? [])
        .filter(({ CidrIp }) => CidrIp === '0.0.0.0/0')
        .map(({ FromPort, ToPort }) => [FromPort, ToPort]);
    expect(portsOut(template)).toEqual([[443, 443]]);
    const other = makeStacks({ relay: { GLADIA_API_URL: 'http://gladia.example.com:8080' } });
    expect(portsOut(Template.fromStack(other.relay))).toEqual([
      [443, 443],
      [8080, 8080],
    ]);
  });

  test('has nothing that protects a task from being stopped', () => {
    expect(JSON.stringify(template.toJSON())).not.toContain('TaskProtection');
  });
});

test('logs are kept for a month and go with the stack', () => {
  template.allResourcesProperties('AWS::Logs::LogGroup', { RetentionInDays: 30 });
  template.allResources('AWS::Logs::LogGroup', { DeletionPolicy: 'Delete' });
});

describe('a collector of traces', () => {
  const image = 'example.com/collector:v1';
  const collected = Template.fromStack(makeStacks({ traceCollector: image }).relay);
  const [definition] = resourcesOf(collected, TASK);
  const [, collector, ...others] = definition!.properties['ContainerDefinitions'];

  test('runs beside the relay where there is one, which goes on without it', () => {
    expect(others).toEqual([]);
    expect(collector).toMatchObject({
      Image: image,
      Essential: false,
      User: '1000:1000',
      ReadonlyRootFilesystem: true,
      Memory: 256,
    });
    expect(sidecars).toEqual([]);
  });

  test('is told to the relay, unless that is to send its traces elsewhere', () => {
    expect(variablesOf(collected)['OTLP_TRACES_URL']).toBe('http://127.0.0.1:4318/v1/traces');
    const relay = { OTLP_TRACES_URL: 'http://collector.example.com:4318/v1/traces' };
    const elsewhere = Template.fromStack(makeStacks({ traceCollector: image, relay }).relay);
    expect(variablesOf(elsewhere)).toMatchObject(relay);
    expect(variablesOf(template)['OTLP_TRACES_URL']).toBe('');
  });

  test('may write to X-Ray, and nobody may without it', () => {
    expect(JSON.stringify(collected.toJSON())).toContain('xray:PutTraceSegments');
    expect(JSON.stringify(template.toJSON())).not.toContain('xray:');
  });
});
