import type { CfnElement } from 'aws-cdk-lib';
import { ArnFormat, Duration, RemovalPolicy, Size, Stack } from 'aws-cdk-lib';
import {
  AwsLogDriverMode,
  Capability,
  CpuArchitecture,
  FargateTaskDefinition,
  LinuxParameters,
  ContainerImage,
  LogDrivers,
  OperatingSystemFamily,
  UlimitName,
  type ICluster,
} from 'aws-cdk-lib/aws-ecs';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { STOP_TIMEOUT_MS } from '../../runtime/contract/durations';
import { relayEnvironment } from '../relay-environment';
import { acknowledge } from '../acknowledge';
import type { CallscriptSettings } from '../settings';
import type { StoreStack } from '../store-stack';

export interface RelayTaskProps {
  readonly settings: CallscriptSettings;
  readonly store: StoreStack;
  readonly image: ContainerImage;
  readonly cluster: ICluster;
  readonly publicUrl: string;
}

/** One Node process uses one processor; the memory is the least that Fargate gives with it. */
const CPU = 1024;
const MEMORY_MIB = 2048;
/** The user "node" of the image, by number. */
const USER = '1000:1000';
/** Two sockets a call, and room. */
const DESCRIPTORS = 65_536;
const COLLECTOR_MEMORY_MIB = 256;
/** Where the collector listens: the containers of a task share their loopback. */
const COLLECTOR = { OTLP_TRACES_URL: 'http://127.0.0.1:4318/v1/traces' };
/** What the relay does with the table: records, and the leases of its live legs. Nothing scans, nothing describes. */
const TABLE_ACTIONS = [
  'dynamodb:BatchGetItem',
  'dynamodb:BatchWriteItem',
  'dynamodb:DeleteItem',
  'dynamodb:GetItem',
  'dynamodb:PutItem',
  'dynamodb:Query',
  'dynamodb:UpdateItem',
];

/** What DynamoDB and Secrets Manager do with a key of the user in the name of whoever reads and writes. */
const KEY_ACTIONS = [
  'kms:Decrypt',
  'kms:DescribeKey',
  'kms:Encrypt',
  'kms:GenerateDataKey',
  'kms:GenerateDataKeyWithoutPlaintext',
  'kms:ReEncryptFrom',
  'kms:ReEncryptTo',
];

/** The relay as a task: its image, what it may do, and every variable that it reads. */
export class RelayTask extends Construct {
  readonly definition: FargateTaskDefinition;
  readonly logGroup: LogGroup;

  constructor(scope: Construct, id: string, props: RelayTaskProps) {
    super(scope, id);
    this.logGroup = new LogGroup(this, 'Log', {
      retention: RetentionDays.ONE_MONTH,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    this.definition = new FargateTaskDefinition(this, 'Definition', {
      cpu: CPU,
      memoryLimitMiB: MEMORY_MIB,
      runtimePlatform: {
        cpuArchitecture:
          props.settings.cpuArchitecture === 'arm64' ? CpuArchitecture.ARM64 : CpuArchitecture.X86_64,
        operatingSystemFamily: OperatingSystemFamily.LINUX,
      },
    });
    this.#addContainer(props);
    if (props.settings.traceCollector !== undefined) this.#addCollector(props.settings.traceCollector);
    this.#grant(props);
    acknowledge(this, {
      ECS2: 'The variables hold no secret: a task gets the ARNs and reads the values at run time.',
      'IAM5[Resource::*]': 'ecr:GetAuthorizationToken and X-Ray know no resources.',
      [`IAM5[Resource::arn:<AWS::Partition>:ecs:<AWS::Region>:<AWS::AccountId>:task/<${logicalIdOf(props.cluster)}>/*]`]:
        'A task describes itself, and its id is not known before it runs. Only tasks of this cluster.',
    });
  }

  /**
   * No health check of the container: the load balancer's is enough, and one more would stop a task that is busy.
   *
   * Log lines are dropped, and with them metrics, rather than waited for: a write that blocks would hold up the audio
   * of every call. The buffer takes hours of what a busy relay writes; the alarm on metrics that stop tells of more.
   */
  #addContainer({ settings, store, image, publicUrl }: RelayTaskProps): void {
    const linuxParameters = new LinuxParameters(this, 'LinuxParameters');
    linuxParameters.dropCapabilities(Capability.ALL);
    const container = this.definition.addContainer('relay', {
      image,
      environment: relayEnvironment(
        {
          PUBLIC_URL: publicUrl,
          TWILIO_SECRET_ARN: store.twilioSecret.secretArn,
          GLADIA_SECRET_ARN: store.gladiaSecret.secretArn,
          TICKET_SECRET_ARN: store.ticketSecret.secretArn,
          TRANSCRIPTS_TABLE: store.transcripts.tableName,
          AWS_REGION: Stack.of(this).region,
          MAX_CALLS: String(settings.maxCalls),
        },
        settings.traceCollector === undefined ? settings.relay : { ...COLLECTOR, ...settings.relay },
      ),
      portMappings: [{ containerPort: settings.relayConfig.httpPort }],
      user: USER,
      readonlyRootFilesystem: true,
      linuxParameters,
      stopTimeout: Duration.millis(STOP_TIMEOUT_MS),
      logging: LogDrivers.awsLogs({
        logGroup: this.logGroup,
        streamPrefix: 'relay',
        mode: AwsLogDriverMode.NON_BLOCKING,
        maxBufferSize: Size.mebibytes(25),
      }),
    });
    container.addUlimits(
      { name: UlimitName.NOFILE, softLimit: DESCRIPTORS, hardLimit: DESCRIPTORS },
      // Keys and words are in the memory of a process that crashes.
      { name: UlimitName.CORE, softLimit: 0, hardLimit: 0 },
    );
  }

  /** The relay goes on without it. Its own configuration for ECS takes OTLP on loopback and gives it to X-Ray. */
  #addCollector(image: string): void {
    const linuxParameters = new LinuxParameters(this, 'CollectorLinuxParameters');
    linuxParameters.dropCapabilities(Capability.ALL);
    this.definition.addContainer('collector', {
      image: ContainerImage.fromRegistry(image),
      command: ['--config=/etc/ecs/ecs-xray.yaml'],
      essential: false,
      memoryLimitMiB: COLLECTOR_MEMORY_MIB,
      user: USER,
      readonlyRootFilesystem: true,
      linuxParameters,
      logging: LogDrivers.awsLogs({
        logGroup: this.logGroup,
        streamPrefix: 'collector',
        mode: AwsLogDriverMode.NON_BLOCKING,
      }),
    });
    this.definition.taskRole.addToPrincipalPolicy(
      // X-Ray knows no resources.
      new PolicyStatement({
        actions: ['xray:PutTraceSegments', 'xray:PutTelemetryRecords'],
        resources: ['*'],
      }),
    );
  }

  #grant({ store, cluster }: RelayTaskProps): void {
    const { taskRole } = this.definition;
    const allow = (actions: readonly string[], ...resources: string[]): void => {
      taskRole.addToPrincipalPolicy(new PolicyStatement({ actions: [...actions], resources }));
    };
    allow(TABLE_ACTIONS, store.transcripts.tableArn);
    const secrets = [store.gladiaSecret, store.twilioSecret, store.ticketSecret];
    allow(['secretsmanager:GetSecretValue'], ...secrets.map(({ secretArn }) => secretArn));
    // How a task learns that it is to stop, before its SIGTERM. Task ids are not known here.
    allow(['ecs:DescribeTasks'], tasksOf(cluster));
    if (store.key !== undefined) taskRole.addToPrincipalPolicy(useOfKey(store.key));
  }
}

/** Never by the task itself. */
function useOfKey(key: IKey): PolicyStatement {
  const { region, urlSuffix } = Stack.of(key);
  const services = ['dynamodb', 'secretsmanager'].map((service) => `${service}.${region}.${urlSuffix}`);
  return new PolicyStatement({
    actions: KEY_ACTIONS,
    resources: [key.keyArn],
    conditions: { StringEquals: { 'kms:ViaService': services } },
  });
}

function tasksOf(cluster: ICluster): string {
  return Stack.of(cluster).formatArn({
    service: 'ecs',
    resource: 'task',
    resourceName: `${cluster.clusterName}/*`,
    arnFormat: ArnFormat.SLASH_RESOURCE_NAME,
  });
}

function logicalIdOf(cluster: ICluster): string {
  return String(
    Stack.of(cluster).resolve(Stack.of(cluster).getLogicalId(cluster.node.defaultChild as CfnElement)),
  );
}
