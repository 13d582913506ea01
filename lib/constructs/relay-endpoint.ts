import { Duration } from 'aws-cdk-lib';
import { SecurityGroup } from 'aws-cdk-lib/aws-ec2';
import {
  ApplicationLoadBalancer,
  ApplicationProtocol,
  ApplicationTargetGroup,
  ListenerAction,
  ListenerCondition,
  TargetGroupLoadBalancingAlgorithmType,
  TargetType,
  type ApplicationListener,
} from 'aws-cdk-lib/aws-elasticloadbalancingv2';
import { Construct } from 'constructs';
import {
  DEREGISTRATION_DELAY_MS,
  HEALTH_INTERVAL_MS,
  HEALTH_TIMEOUT_MS,
  HEALTHY_COUNT,
  IDLE_TIMEOUT_MS,
  UNHEALTHY_COUNT,
} from '../../runtime/contract/durations';
import { HEALTH_PATH, STREAM_STATUS_PATH, VOICE_PATH } from '../../runtime/contract/endpoints';
import { acknowledge } from '../acknowledge';
import type { CallscriptSettings } from '../settings';
import { CloudFrontDoor } from './cloudfront-door';
import { DomainDoor } from './domain-door';
import type { Network } from './network';

export interface RelayEndpointProps {
  readonly network: Network;
  readonly settings: Pick<CallscriptSettings, 'endpoint' | 'relayConfig'>;
}

/**
 * How Twilio reaches the relay: a load balancer that forwards Twilio's routes and answers 404 to all else, behind one
 * of two doors. It knows no service: a service attaches itself to the target group.
 */
export class RelayEndpoint extends Construct {
  /** What Twilio is told: scheme and host, without a path. */
  readonly publicUrl: string;
  readonly loadBalancer: ApplicationLoadBalancer;
  readonly targetGroup: ApplicationTargetGroup;
  /** The load balancer's. */
  readonly securityGroup: SecurityGroup;

  constructor(scope: Construct, id: string, { network, settings }: RelayEndpointProps) {
    super(scope, id);
    const { endpoint, relayConfig } = settings;
    const isInternal = endpoint.kind === 'cloudfront';
    // Other ids for the other kind: a target group can have one load balancer only, so a change makes all of them new.
    const kind = isInternal ? 'Internal' : 'Public';
    this.securityGroup = new SecurityGroup(this, `${kind}SecurityGroup`, {
      vpc: network.vpc,
      description: 'Load balancer of the relay',
      allowAllOutbound: false,
    });
    this.loadBalancer = new ApplicationLoadBalancer(this, `${kind}LoadBalancer`, {
      vpc: network.vpc,
      vpcSubnets: isInternal ? network.privateSubnets : network.publicSubnets,
      internetFacing: !isInternal,
      securityGroup: this.securityGroup,
      idleTimeout: Duration.millis(IDLE_TIMEOUT_MS),
      dropInvalidHeaderFields: true,
    });
    this.targetGroup = targetGroup(this, `${kind}Targets`, network, relayConfig.httpPort);
    const { loadBalancer, securityGroup } = this;
    const door = isInternal
      ? new CloudFrontDoor(this, 'CloudFront', { network, loadBalancer, securityGroup })
      : new DomainDoor(this, 'Domain', { endpoint, loadBalancer, securityGroup });
    forwardTwilioRoutes(door.listener, this.targetGroup, relayConfig.mediaPath);
    acknowledge(this.loadBalancer, {
      ELB2: 'Access logs need a bucket policy by region, and this stack knows none. The relay counts and logs refusals.',
    });
    this.publicUrl = `https://${door.hostName}`;
  }
}

function targetGroup(scope: Construct, id: string, { vpc }: Network, port: number): ApplicationTargetGroup {
  return new ApplicationTargetGroup(scope, id, {
    vpc,
    port,
    protocol: ApplicationProtocol.HTTP,
    targetType: TargetType.IP,
    deregistrationDelay: Duration.millis(DEREGISTRATION_DELAY_MS),
    // Sockets live for a whole call: a new task gets the next calls, not every n-th.
    loadBalancingAlgorithmType: TargetGroupLoadBalancingAlgorithmType.LEAST_OUTSTANDING_REQUESTS,
    healthCheck: {
      path: HEALTH_PATH,
      healthyHttpCodes: '200',
      interval: Duration.millis(HEALTH_INTERVAL_MS),
      timeout: Duration.millis(HEALTH_TIMEOUT_MS),
      healthyThresholdCount: HEALTHY_COUNT,
      unhealthyThresholdCount: UNHEALTHY_COUNT,
    },
  });
}

/** The listener's own answer is 404. */
function forwardTwilioRoutes(
  listener: ApplicationListener,
  targets: ApplicationTargetGroup,
  mediaPath: string,
): void {
  listener.addAction('TwilioRoutes', {
    priority: 1,
    conditions: [ListenerCondition.pathPatterns([mediaPath, VOICE_PATH, STREAM_STATUS_PATH])],
    action: ListenerAction.forward([targets]),
  });
}
