import { Duration } from 'aws-cdk-lib';
import { Metric, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import { Peer, Port, SecurityGroup } from 'aws-cdk-lib/aws-ec2';
import {
  AlarmBehavior,
  AvailabilityZoneRebalancing,
  Cluster,
  ContainerInsights,
  FargateService,
  type ContainerImage,
  type ICluster,
} from 'aws-cdk-lib/aws-ecs';
import type { LogGroup } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { HEALTH_GRACE_MS } from '../../runtime/contract/durations';
import { cloudWatchName, METRIC_NAMESPACE } from '../../runtime/contract/metrics';
import { acknowledge } from '../acknowledge';
import type { CallscriptSettings } from '../settings';
import type { StoreStack } from '../store-stack';
import type { Network } from './network';
import type { RelayEndpoint } from './relay-endpoint';
import { RelayTask } from './relay-task';

export interface RelayServiceProps {
  readonly settings: CallscriptSettings;
  readonly network: Network;
  readonly endpoint: RelayEndpoint;
  readonly store: StoreStack;
  readonly image: ContainerImage;
  /** Physical names of alarms that roll a deployment back. They are made after the service, which they watch. */
  readonly rollbackAlarmNames: readonly string[];
}

const TARGET_CPU_PERCENT = 60;

/**
 * The relay's tasks: at least one in each zone, more with the calls. A task that is stopped hands its calls over, so
 * nothing protects it from being stopped: a protected one would get new calls for as long as it lives.
 */
export class RelayService extends Construct {
  readonly cluster: ICluster;
  readonly service: FargateService;
  readonly logGroup: LogGroup;

  constructor(scope: Construct, id: string, props: RelayServiceProps) {
    super(scope, id);
    const { settings, network, endpoint, store, image } = props;
    const cluster = new Cluster(this, 'Cluster', {
      vpc: network.vpc,
      containerInsightsV2: ContainerInsights.DISABLED,
    });
    acknowledge(cluster, {
      ECS4: 'It costs by metric and task, and says less than the metrics of the relay.',
    });
    this.cluster = cluster as ICluster;
    const { publicUrl } = endpoint;
    const task = new RelayTask(this, 'Task', { settings, store, image, cluster: this.cluster, publicUrl });
    this.logGroup = task.logGroup;
    this.service = new FargateService(this, 'Service', {
      cluster: this.cluster,
      taskDefinition: task.definition,
      ...network.tasks,
      securityGroups: [this.#securityGroup(props)],
      minHealthyPercent: 100,
      maxHealthyPercent: 200,
      healthCheckGracePeriod: Duration.millis(HEALTH_GRACE_MS),
      circuitBreaker: { enable: true, rollback: true },
      ...deploymentAlarms(props.rollbackAlarmNames),
      // It would stop tasks with live calls to even out the zones.
      availabilityZoneRebalancing: AvailabilityZoneRebalancing.DISABLED,
    });
    this.service.attachToApplicationTargetGroup(endpoint.targetGroup);
    // Without these a task cannot fetch its image at first, nor store its last words in the end.
    this.service.node.addDependency(network.waysOut, task.definition.obtainExecutionRole());
    this.#scale(settings);
  }

  /** Without a number of tasks in the template, so that a deployment leaves it as scaling has made it. */
  #scale({ tasks, callsPerTask }: CallscriptSettings): void {
    const scaling = this.service.autoScaleTaskCount({ minCapacity: tasks.least, maxCapacity: tasks.most });
    const cooldowns = { scaleOutCooldown: Duration.minutes(1), scaleInCooldown: Duration.minutes(10) };
    scaling.scaleToTrackCustomMetric('Calls', {
      // Every task tells its calls each minute, zeros too, so the average is that of a task.
      metric: new Metric({
        namespace: METRIC_NAMESPACE,
        metricName: cloudWatchName('callsLive'),
        statistic: Stats.AVERAGE,
        period: Duration.minutes(1),
      }),
      targetValue: callsPerTask,
      ...cooldowns,
    });
    scaling.scaleOnCpuUtilization('Cpu', { targetUtilizationPercent: TARGET_CPU_PERCENT, ...cooldowns });
  }

  /** In: from the load balancer, which the attachment adds. Out: to Gladia, Twilio and AWS. */
  #securityGroup({ network, settings }: RelayServiceProps): SecurityGroup {
    const group = new SecurityGroup(this, 'SecurityGroup', {
      vpc: network.vpc,
      description: 'Tasks of the relay',
      allowAllOutbound: false,
    });
    const { gladia, twilio } = settings.relayConfig;
    const ports = new Set([443, portOf(gladia.apiUrl), portOf(twilio.apiUrl)]);
    for (const port of ports) group.addEgressRule(Peer.anyIpv4(), Port.tcp(port), 'Gladia, Twilio and AWS');
    return group;
  }
}

function deploymentAlarms(alarmNames: readonly string[]): object {
  if (alarmNames.length === 0) return {};
  return { deploymentAlarms: { alarmNames: [...alarmNames], behavior: AlarmBehavior.ROLLBACK_ON_ALARM } };
}

function portOf(url: string): number {
  const { port, protocol } = new URL(url);
  if (port !== '') return Number(port);
  return protocol === 'https:' ? 443 : 80;
}
