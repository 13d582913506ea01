import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { TableV2, AttributeType } from 'aws-cdk-lib/aws-dynamodb';
import { Vpc, type IVpc } from 'aws-cdk-lib/aws-ec2';
import {
  Cluster,
  ContainerImage,
  FargateService,
  FargateTaskDefinition,
  type ICluster,
} from 'aws-cdk-lib/aws-ecs';
import {
  ApplicationLoadBalancer,
  ApplicationProtocol,
  ApplicationTargetGroup,
  TargetType,
} from 'aws-cdk-lib/aws-elasticloadbalancingv2';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import cdkJson from '../../../cdk.json';
import { rollbackAlarmNames } from '../../../lib/monitoring/alarms';
import { RelayMonitoring } from '../../../lib/monitoring/relay-monitoring';

/** A service as small as can be, monitored as the relay is. */
export function monitoredStack(props: { alarmEmail?: string } = {}): {
  stack: Stack;
  monitoring: RelayMonitoring;
  template: Template;
} {
  const app = new App({ context: cdkJson.context, builtinCloudFormationValidation: false });
  const stack = new Stack(app, 'Test');
  const vpc = new Vpc(stack, 'Vpc', { natGateways: 0 }) as IVpc;
  const cluster = new Cluster(stack, 'Cluster', { vpc }) as ICluster;
  const loadBalancer = new ApplicationLoadBalancer(stack, 'LoadBalancer', { vpc });
  const targetGroup = new ApplicationTargetGroup(stack, 'Targets', {
    vpc,
    port: 8080,
    protocol: ApplicationProtocol.HTTP,
    targetType: TargetType.IP,
  });
  loadBalancer.addListener('Listener', { port: 80, defaultTargetGroups: [targetGroup] });
  const taskDefinition = new FargateTaskDefinition(stack, 'Task');
  taskDefinition.addContainer('relay', {
    image: ContainerImage.fromRegistry('relay:test'),
    portMappings: [{ containerPort: 8080 }],
  });
  const service = new FargateService(stack, 'Service', {
    cluster,
    taskDefinition,
    assignPublicIp: true,
    minHealthyPercent: 100,
    circuitBreaker: { enable: true },
    deploymentAlarms: { alarmNames: rollbackAlarmNames('Test') },
  });
  service.attachToApplicationTargetGroup(targetGroup);
  const monitoring = new RelayMonitoring(stack, 'Monitoring', {
    cluster,
    service,
    targetGroup,
    loadBalancer,
    table: new TableV2(stack, 'Table', { partitionKey: { name: 'key', type: AttributeType.STRING } }),
    minTasks: 3,
    logGroup: new LogGroup(stack, 'Log'),
    ...props,
  });
  return { stack, monitoring, template: Template.fromStack(stack) };
}
