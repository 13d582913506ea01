import { DEPLOY_SETTINGS } from '../lib/deploy-settings';
import { CALL_HOUR } from '../local/costs/call-cost';
import { EGRESSES, ENDPOINTS, IDLE, ownLines } from '../local/costs/idle-cost';
import { makeStacks, resourcesOf, templatesOf, WAYS, type Resource } from './support/stacks';

function resources(context: object): (type: string) => readonly Resource[] {
  const { store, relay } = templatesOf(makeStacks({ ...context }));
  const all = [...resourcesOf(store), ...resourcesOf(relay)];
  return (type) => all.filter((resource) => resource.type === type);
}

const choices = ENDPOINTS.flatMap((endpoint) => EGRESSES.map((egress) => [endpoint, egress] as const));

test.each(choices)('what is counted for %s with %s is what the templates hold', (endpoint, egress) => {
  const found = resources({ ...(endpoint === 'own domain' ? WAYS.domain : {}), egress });
  const counted = new Map(ownLines(endpoint, egress).map(({ what, howMany }) => [what, Number(howMany)]));
  const gateways = found('AWS::EC2::NatGateway').length;
  expect(gateways).toBe(counted.get('NAT gateway with its public address') ?? 0);
  expect(found('AWS::EC2::EIP')).toHaveLength(gateways);
  const [balancer] = found('AWS::ElasticLoadBalancingV2::LoadBalancer');
  const isPublic = balancer?.properties['Scheme'] === 'internet-facing';
  const subnets = (balancer?.properties['Subnets'] as unknown[]).length;
  expect(isPublic ? subnets : 0).toBe(counted.get('public address of the load balancer') ?? 0);
  const [service] = found('AWS::ECS::Service');
  const addresses = service?.properties['NetworkConfiguration'].AwsvpcConfiguration.AssignPublicIp;
  expect(addresses === 'ENABLED' ? IDLE.tasks : 0).toBe(counted.get('public address of a task') ?? 0);
});

test('what every choice shares is what the templates hold', () => {
  const found = resources({});
  expect(found('AWS::ElasticLoadBalancingV2::LoadBalancer')).toHaveLength(1);
  expect(found('AWS::SecretsManager::Secret')).toHaveLength(IDLE.secrets);
  expect(found('AWS::KMS::Key')).toHaveLength(IDLE.keys);
  expect(found('AWS::CloudWatch::Dashboard')).toHaveLength(IDLE.dashboards);
  expect(found('AWS::CloudWatch::Alarm').length).toBeLessThanOrEqual(IDLE.alarms);
  const [task] = found('AWS::ECS::TaskDefinition');
  expect(task?.properties).toMatchObject({
    Cpu: String(IDLE.vcpuPerTask * 1024),
    Memory: String(IDLE.memoryGbPerTask * 1024),
    RuntimePlatform: { CpuArchitecture: 'ARM64' },
  });
  const [scaling] = found('AWS::ApplicationAutoScaling::ScalableTarget');
  expect(scaling?.properties['MinCapacity']).toBe(IDLE.tasks);
  const endpoints = found('AWS::EC2::VPCEndpoint').map(
    ({ properties }) => properties['VpcEndpointType'] as string,
  );
  expect(endpoints).toEqual(['Gateway']);
});

test('a task has as many calls in the page as by default', () => {
  expect(DEPLOY_SETTINGS.callsPerTask.fallback).toBe(String(CALL_HOUR.callsPerTask));
});
