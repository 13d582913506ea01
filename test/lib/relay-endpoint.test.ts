import { Match, Template } from 'aws-cdk-lib/assertions';
import {
  DEREGISTRATION_DELAY_MS,
  HEALTH_INTERVAL_MS,
  HEALTH_TIMEOUT_MS,
  IDLE_TIMEOUT_MS,
} from '../../runtime/contract/durations';
import {
  dependenciesOf,
  makeStacks,
  resourcesOf,
  WAYS,
  type DeployContext,
  type Resource,
} from '../support/stacks';

const templates = Object.fromEntries(
  Object.entries<DeployContext>(WAYS).map(([way, context]) => [
    way,
    Template.fromStack(makeStacks(context).relay),
  ]),
) as Record<keyof typeof WAYS, Template>;
const ways = Object.keys(WAYS) as (keyof typeof WAYS)[];
const onDomain = ['domain', 'certificate'] as const;
const LOAD_BALANCER = 'AWS::ElasticLoadBalancingV2::LoadBalancer';
const LISTENER = 'AWS::ElasticLoadBalancingV2::Listener';
const RULE = 'AWS::ElasticLoadBalancingV2::ListenerRule';
const TARGETS = 'AWS::ElasticLoadBalancingV2::TargetGroup';

function only(template: Template, type: string): Resource {
  const [resource, ...others] = resourcesOf(template, type);
  expect(others).toEqual([]);
  return resource!;
}
function publicUrl(template: Template): unknown {
  return (template.toJSON()['Outputs'] as Record<string, { Value: unknown }>)['PublicUrl']?.Value;
}
function variable(template: Template, name: string): unknown {
  const [container] = only(template, 'AWS::ECS::TaskDefinition').properties['ContainerDefinitions'];
  return container.Environment.find(({ Name }: { Name: string }) => Name === name)?.Value;
}

describe.each(ways)('%s', (way) => {
  const template = templates[way];

  test('the relay checks signatures against the URL that Twilio is told', () => {
    expect(publicUrl(template)).toBeDefined();
    expect(variable(template, 'PUBLIC_URL')).toEqual(publicUrl(template));
  });

  test('the three routes of Twilio are forwarded, and everything else is answered with 404', () => {
    const rule = only(template, RULE).properties;
    expect(rule['Conditions']).toEqual([
      { Field: 'path-pattern', PathPatternConfig: { Values: ['/media', '/voice', '/stream-status'] } },
    ]);
    expect(rule['Actions']).toEqual([
      { Type: 'forward', TargetGroupArn: { Ref: only(template, TARGETS).id } },
    ]);
    expect(only(template, LISTENER).properties['DefaultActions']).toEqual([
      { Type: 'fixed-response', FixedResponseConfig: { StatusCode: '404' } },
    ]);
  });

  test('tasks are asked for /health, get calls by how few they have, and keep their sockets while they hand them over', () => {
    const { properties } = only(template, TARGETS);
    expect(properties).toMatchObject({
      HealthCheckPath: '/health',
      HealthCheckIntervalSeconds: HEALTH_INTERVAL_MS / 1000,
      HealthCheckTimeoutSeconds: HEALTH_TIMEOUT_MS / 1000,
      TargetType: 'ip',
    });
    expect(properties['TargetGroupAttributes']).toEqual(
      expect.arrayContaining([
        { Key: 'deregistration_delay.timeout_seconds', Value: String(DEREGISTRATION_DELAY_MS / 1000) },
        { Key: 'load_balancing.algorithm.type', Value: 'least_outstanding_requests' },
      ]),
    );
  });

  test('a quiet stream is not closed between two pings', () => {
    template.hasResourceProperties(LOAD_BALANCER, {
      LoadBalancerAttributes: Match.arrayWith([
        { Key: 'idle_timeout.timeout_seconds', Value: String(IDLE_TIMEOUT_MS / 1000) },
      ]),
    });
  });
});

test('another path of the media socket is forwarded and told to Twilio', () => {
  const template = Template.fromStack(makeStacks({ relay: { MEDIA_PATH: '/calls/audio' } }).relay);
  expect(JSON.stringify(only(template, RULE).properties['Conditions'])).toContain('"/calls/audio"');
  expect(JSON.stringify(template.toJSON()['Outputs'].StreamUrl.Value)).toContain('/calls/audio');
});

describe('without a domain', () => {
  const template = templates.default;
  const { DistributionConfig } = only(template, 'AWS::CloudFront::Distribution').properties;
  const securityGroup = (port: number): Resource[] =>
    resourcesOf(template, 'AWS::EC2::SecurityGroupIngress').filter(
      ({ properties }) => properties['FromPort'] === port,
    );

  test('the load balancer has no public address', () => {
    const { properties } = only(template, LOAD_BALANCER);
    expect(properties['Scheme']).toBe('internal');
    expect(JSON.stringify(properties['Subnets'])).not.toContain('PublicSubnet');
  });

  test('CloudFront reaches it inside the network, and only it', () => {
    const origin = only(template, 'AWS::CloudFront::VpcOrigin');
    expect(origin.properties['VpcOriginEndpointConfig']).toMatchObject({
      Arn: { Ref: only(template, LOAD_BALANCER).id },
      HTTPPort: 80,
      OriginProtocolPolicy: 'http-only',
    });
    expect(DistributionConfig.Origins).toEqual([
      {
        Id: expect.any(String),
        DomainName: { 'Fn::GetAtt': [only(template, LOAD_BALANCER).id, 'DNSName'] },
        VpcOriginConfig: { VpcOriginId: { 'Fn::GetAtt': [origin.id, 'Id'] } },
      },
    ]);
  });

  test('webhooks and upgrades pass CloudFront: all methods, no cache, every header but Host, over TLS', () => {
    const AllViewerExceptHostHeader = 'b689b0a8-53d0-40ab-baf2-68738e2966ac';
    const CachingDisabled = '4135ea2d-6df8-44a3-9df3-4b5a84be39ad';
    expect(DistributionConfig.DefaultCacheBehavior).toMatchObject({
      AllowedMethods: ['GET', 'HEAD', 'OPTIONS', 'PUT', 'PATCH', 'POST', 'DELETE'],
      CachePolicyId: CachingDisabled,
      OriginRequestPolicyId: AllViewerExceptHostHeader,
      ViewerProtocolPolicy: 'https-only',
    });
    expect(DistributionConfig).not.toHaveProperty('CacheBehaviors');
    expect(DistributionConfig.HttpVersion).toBe('http1.1');
  });

  test('a refusal is for one request: CloudFront keeps no error, so that the next call reaches another task', () => {
    // The status codes that it caches by itself (CloudFront, Developer Guide: how it caches HTTP 4xx and 5xx).
    const cached = [400, 403, 404, 405, 414, 500, 501, 502, 503, 504];
    expect(DistributionConfig.CustomErrorResponses).toEqual(
      cached.map((ErrorCode) => ({ ErrorCode, ErrorCachingMinTTL: 0 })),
    );
  });

  test('the load balancer lets in CloudFront, by the security group that CloudFront makes, and nothing else', () => {
    const find = only(template, 'Custom::VpcOriginSecurityGroup');
    const [rule, ...others] = securityGroup(80);
    expect(others).toEqual([]);
    expect(rule!.properties).toMatchObject({
      IpProtocol: 'tcp',
      ToPort: 80,
      SourceSecurityGroupId: { 'Fn::GetAtt': [find.id, 'SecurityGroups.0.GroupId'] },
    });
    expect(rule!.properties).not.toHaveProperty('CidrIp');
    for (const { properties } of resourcesOf(template, 'AWS::EC2::SecurityGroup'))
      expect(properties).not.toHaveProperty('SecurityGroupIngress');
  });

  test('that group is looked for in this network, by its name, when CloudFront has made it', () => {
    const find = only(template, 'Custom::VpcOriginSecurityGroup');
    const call = JSON.stringify(find.properties['Create']);
    expect(call).toContain('CloudFront-VPCOrigins-Service-SG');
    expect(call).toContain(only(template, 'AWS::EC2::VPC').id);
    expect(call).toContain('describeSecurityGroups');
    expect(find.properties['Update']).toEqual(find.properties['Create']);
    const { DependsOn } = template.toJSON()['Resources'][find.id] as { DependsOn: string[] };
    expect(DependsOn).toContain(only(template, 'AWS::CloudFront::Distribution').id);
  });

  test('the origin waits until the internet gateway is attached: without one CloudFront refuses it', () => {
    const origin = only(template, 'AWS::CloudFront::VpcOrigin');
    const routes = resourcesOf(template, 'AWS::EC2::Route').filter(
      ({ properties }) => properties['GatewayId'],
    );
    expect(routes).toHaveLength(2);
    for (const { id } of routes) {
      expect(dependenciesOf(template, origin.id)).toContain(id);
      expect(dependenciesOf(template, id)).toContain(only(template, 'AWS::EC2::VPCGatewayAttachment').id);
    }
  });

  test('the URL is the one of CloudFront', () => {
    expect(publicUrl(template)).toEqual({
      'Fn::Join': [
        '',
        ['https://', { 'Fn::GetAtt': [only(template, 'AWS::CloudFront::Distribution').id, 'DomainName'] }],
      ],
    });
  });
});

describe.each(onDomain)('with a domain, by %s', (way) => {
  const template = templates[way];

  test('there is no CloudFront, and the load balancer is in public subnets', () => {
    expect(resourcesOf(template, 'AWS::CloudFront::Distribution')).toEqual([]);
    const { properties } = only(template, LOAD_BALANCER);
    expect(properties['Scheme']).toBe('internet-facing');
    expect(JSON.stringify(properties['Subnets'])).toContain('PublicSubnet1');
  });

  test('there is HTTPS only, with TLS 1.2 or later', () => {
    expect(only(template, LISTENER).properties).toMatchObject({
      Port: 443,
      Protocol: 'HTTPS',
      SslPolicy: 'ELBSecurityPolicy-TLS13-1-2-2021-06',
    });
  });

  test('the URL is the one of the domain', () => {
    expect(publicUrl(template)).toBe('https://calls.example.com');
  });
});

test('a hosted zone gets the record, and a certificate that it proves', () => {
  const { hostedZoneId, domainName } = WAYS.domain;
  const certificate = only(templates.domain, 'AWS::CertificateManager::Certificate');
  expect(certificate.properties).toMatchObject({
    DomainName: domainName,
    DomainValidationOptions: [{ DomainName: domainName, HostedZoneId: hostedZoneId }],
    ValidationMethod: 'DNS',
  });
  expect(only(templates.domain, LISTENER).properties['Certificates']).toEqual([
    { CertificateArn: { Ref: certificate.id } },
  ]);
  expect(only(templates.domain, 'AWS::Route53::RecordSet').properties).toMatchObject({
    Name: `${domainName}.`,
    Type: 'A',
    HostedZoneId: hostedZoneId,
  });
});

test('a certificate of the user is used, and the record is left to them, with its target told', () => {
  const template = templates.certificate;
  expect(only(template, LISTENER).properties['Certificates']).toEqual([
    { CertificateArn: WAYS.certificate.certificateArn },
  ]);
  expect(resourcesOf(template, 'AWS::CertificateManager::Certificate')).toEqual([]);
  expect(resourcesOf(template, 'AWS::Route53::RecordSet')).toEqual([]);
  template.hasOutput('DnsTarget', { Value: { 'Fn::GetAtt': [only(template, LOAD_BALANCER).id, 'DNSName'] } });
});

test('a target group never has two load balancers while the endpoint is changed', () => {
  const ids = (template: Template): string[] =>
    [LOAD_BALANCER, TARGETS].map((type) => only(template, type).id);
  const [before, after] = [ids(templates.default), ids(templates.domain)];
  expect(before.filter((id) => after.includes(id))).toEqual([]);
});
