import {
  FlowLogDestination,
  FlowLogTrafficType,
  GatewayVpcEndpointAwsService,
  SubnetType,
  Vpc,
  type IVpc,
  type SubnetSelection,
} from 'aws-cdk-lib/aws-ec2';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { RemovalPolicy } from 'aws-cdk-lib';
import { Construct, DependencyGroup, type IDependable } from 'constructs';
import { acknowledge } from '../acknowledge';
import type { CallscriptSettings } from '../settings';

/** Two: what ECS spreads over, and the most that a stack without an account can name. */
const ZONES = 2;
const NAT_GATEWAYS: Readonly<Record<CallscriptSettings['egress'], number>> = {
  nat: 1,
  'nat-per-zone': ZONES,
  public: 0,
};

/**
 * A network of its own in two zones. The private subnets hold the internal load balancer, and the tasks unless these
 * have public addresses to go out by. Traffic to the table stays inside AWS and costs nothing.
 */
export class Network extends Construct {
  readonly vpc: IVpc;
  /** Where tasks run, and whether they need an address of their own to go out. */
  readonly tasks: { readonly vpcSubnets: SubnetSelection; readonly assignPublicIp: boolean };
  /** What the tasks' traffic goes through: there before the first of them starts, and until the last one has ended. */
  readonly waysOut: IDependable;
  /** The internet gateway is attached. */
  readonly internetGateway: IDependable;
  readonly privateSubnets: SubnetSelection;
  readonly publicSubnets: SubnetSelection = { subnetGroupName: 'Public' };

  constructor(
    scope: Construct,
    id: string,
    { egress, flowLogs }: Pick<CallscriptSettings, 'egress' | 'flowLogs'>,
  ) {
    super(scope, id);
    const isPublic = egress === 'public';
    this.privateSubnets = { subnetGroupName: 'Private' };
    this.tasks = {
      vpcSubnets: isPublic ? this.publicSubnets : this.privateSubnets,
      assignPublicIp: isPublic,
    };
    const vpc = new Vpc(this, 'Vpc', {
      maxAzs: ZONES,
      natGateways: NAT_GATEWAYS[egress],
      subnetConfiguration: [
        { name: 'Public', subnetType: SubnetType.PUBLIC, cidrMask: 24, mapPublicIpOnLaunch: false },
        {
          // The name stays when `egress` changes, and so do the subnets.
          name: 'Private',
          subnetType: isPublic ? SubnetType.PRIVATE_ISOLATED : SubnetType.PRIVATE_WITH_EGRESS,
          cidrMask: 24,
        },
      ],
    });
    this.vpc = vpc as IVpc;
    const toTable = vpc.addGatewayEndpoint('DynamoDb', { service: GatewayVpcEndpointAwsService.DYNAMODB });
    this.waysOut = new DependencyGroup(
      vpc.selectSubnets(this.tasks.vpcSubnets).internetConnectivityEstablished,
      toTable,
    );
    // The VPC's own `internetConnectivityEstablished` is the gateway, attached or not.
    this.internetGateway = vpc.selectSubnets(this.publicSubnets).internetConnectivityEstablished;
    if (flowLogs) this.#logFlows();
    else
      acknowledge(this, { VPC7: 'A setting, flowLogs: they cost money for every connection of every call.' });
  }

  #logFlows(): void {
    const logGroup = new LogGroup(this, 'FlowLogGroup', {
      retention: RetentionDays.ONE_MONTH,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    this.vpc.addFlowLog('FlowLog', {
      destination: FlowLogDestination.toCloudWatchLogs(logGroup),
      trafficType: FlowLogTrafficType.ALL,
    });
  }
}
