import { Template } from 'aws-cdk-lib/assertions';
import {
  dependenciesOf,
  makeStacks,
  resourcesOf,
  type DeployContext,
  type Resource,
} from '../support/stacks';

const template = (context: DeployContext): Template => Template.fromStack(makeStacks(context).relay);
const natGateways = (context: DeployContext): number =>
  resourcesOf(template(context), 'AWS::EC2::NatGateway').length;
const standard = template({});

test.each([
  ['nat', 1],
  ['nat-per-zone', 2],
  ['public', 0],
])('egress %s has %i NAT gateways', (egress, count) => {
  expect(natGateways({ egress })).toBe(count);
});

test.each([
  ['nat', 'DISABLED', 'Private'],
  ['nat-per-zone', 'DISABLED', 'Private'],
  ['public', 'ENABLED', 'Public'],
])(
  'with egress %s the public address of a task is %s, in %s subnets of two zones',
  (egress, address, kind) => {
    const [service] = resourcesOf(template({ egress }), 'AWS::ECS::Service');
    const { AssignPublicIp, Subnets } = service!.properties['NetworkConfiguration'].AwsvpcConfiguration;
    expect(AssignPublicIp).toBe(address);
    expect(Subnets).toHaveLength(2);
    expect(JSON.stringify(Subnets)).toContain(`${kind}Subnet1`);
    expect(JSON.stringify(Subnets)).toContain(`${kind}Subnet2`);
  },
);

test('subnets stay when egress changes, or everything in them would be replaced', () => {
  const subnets = (egress: string): unknown =>
    resourcesOf(template({ egress }), 'AWS::EC2::Subnet').map(({ id, properties }) => [
      id,
      properties['CidrBlock'],
    ]);
  expect(subnets('public')).toEqual(subnets('nat'));
  expect(subnets('nat-per-zone')).toEqual(subnets('nat'));
});

test('nothing gets a public address by itself', () => {
  for (const { properties } of resourcesOf(standard, 'AWS::EC2::Subnet'))
    expect(properties['MapPublicIpOnLaunch']).toBe(false);
});

test.each(['nat', 'nat-per-zone', 'public'])(
  'with egress %s the table is reached without leaving AWS',
  (egress) => {
    const all = resourcesOf(template({ egress }), 'AWS::EC2::RouteTable').length;
    const [endpoint, ...others] = resourcesOf(template({ egress }), 'AWS::EC2::VPCEndpoint');
    expect(others).toEqual([]);
    expect(endpoint!.properties['VpcEndpointType']).toBe('Gateway');
    expect(JSON.stringify(endpoint!.properties['ServiceName'])).toContain('.dynamodb');
    expect(endpoint!.properties['RouteTableIds']).toHaveLength(all);
  },
);

test.each([
  ['nat', 'Private'],
  ['nat-per-zone', 'Private'],
  ['public', 'Public'],
])('with egress %s tasks start after their ways out are there, and end before these go', (egress, kind) => {
  const from = template({ egress });
  const [service] = resourcesOf(from, 'AWS::ECS::Service');
  const ofTasks = ({ id }: Resource): boolean => id.includes(`${kind}Subnet`);
  const waysOut = [
    ...resourcesOf(from, 'AWS::EC2::Route').filter(ofTasks),
    ...resourcesOf(from, 'AWS::EC2::SubnetRouteTableAssociation').filter(ofTasks),
    ...resourcesOf(from, 'AWS::EC2::VPCEndpoint'),
  ];
  expect(waysOut).toHaveLength(5);
  expect(dependenciesOf(from, service!.id)).toEqual(expect.arrayContaining(waysOut.map(({ id }) => id)));
});

test('flow logs are a setting, and are kept for a month', () => {
  expect(resourcesOf(standard, 'AWS::EC2::FlowLog')).toEqual([]);
  const logged = template({ flowLogs: true });
  logged.hasResourceProperties('AWS::EC2::FlowLog', { ResourceType: 'VPC', TrafficType: 'ALL' });
  logged.allResourcesProperties('AWS::Logs::LogGroup', { RetentionInDays: 30 });
});

test('the default security group of the network lets nothing through', () => {
  expect(resourcesOf(standard, 'Custom::VpcRestrictDefaultSG')).toHaveLength(1);
});
