import { Duration } from 'aws-cdk-lib';
import {
  AllowedMethods,
  CachePolicy,
  Distribution,
  HttpVersion,
  OriginProtocolPolicy,
  OriginRequestPolicy,
  ViewerProtocolPolicy,
  VpcOrigin,
  VpcOriginEndpoint,
} from 'aws-cdk-lib/aws-cloudfront';
import { VpcOrigin as OriginInVpc } from 'aws-cdk-lib/aws-cloudfront-origins';
import { Port, type SecurityGroup } from 'aws-cdk-lib/aws-ec2';
import {
  ApplicationProtocol,
  type ApplicationListener,
  type ApplicationLoadBalancer,
} from 'aws-cdk-lib/aws-elasticloadbalancingv2';
import { Construct } from 'constructs';
import { acknowledge } from '../acknowledge';
import type { Network } from './network';
import { notFound } from './not-found';
import { VpcOriginSecurityGroup } from './vpc-origin-security-group';

const HTTP = 80;
/** What CloudFront keeps for ten seconds if nobody says otherwise, also where nothing else is cached. */
const CACHED_ERRORS = [400, 403, 404, 405, 414, 500, 501, 502, 503, 504];

export interface CloudFrontDoorProps {
  readonly network: Network;
  /** Internal. */
  readonly loadBalancer: ApplicationLoadBalancer;
  /** The load balancer's; it lets in what CloudFront sends, and nothing else. */
  readonly securityGroup: SecurityGroup;
}

/**
 * A public name without owning a domain: `*.cloudfront.net`, which passes everything on to a load balancer that has no
 * public address. TLS ends at CloudFront; from there it is plain HTTP on CloudFront's own way into the network
 * (docs/decisions/004-endpoint.md).
 */
export class CloudFrontDoor extends Construct {
  readonly hostName: string;
  readonly listener: ApplicationListener;

  constructor(scope: Construct, id: string, { network, loadBalancer, securityGroup }: CloudFrontDoorProps) {
    super(scope, id);
    this.listener = loadBalancer.addListener('Http', {
      port: HTTP,
      protocol: ApplicationProtocol.HTTP,
      open: false,
      defaultAction: notFound(),
    });
    const origin = new VpcOrigin(this, 'VpcOrigin', {
      endpoint: VpcOriginEndpoint.applicationLoadBalancer(loadBalancer),
      protocolPolicy: OriginProtocolPolicy.HTTP_ONLY,
      httpPort: HTTP,
    });
    // CloudFront's way in needs the network's internet gateway, though nothing is routed through it.
    origin.node.addDependency(network.internetGateway);
    const distribution = new Distribution(this, 'Distribution', {
      comment: 'Callscript: the way from Twilio to the relay',
      // An upgrade is of HTTP/1.1; CloudFront refuses one from a client that was offered HTTP/2 and took it.
      httpVersion: HttpVersion.HTTP1_1,
      defaultBehavior: {
        origin: OriginInVpc.withVpcOrigin(origin, { domainName: loadBalancer.loadBalancerDnsName }),
        // GET and HEAD alone, the default, would refuse Twilio's webhooks.
        allowedMethods: AllowedMethods.ALLOW_ALL,
        cachePolicy: CachePolicy.CACHING_DISABLED,
        // With the viewer's Host, upgrades behind a load balancer were refused.
        originRequestPolicy: OriginRequestPolicy.ALL_VIEWER_EXCEPT_HOST_HEADER,
        viewerProtocolPolicy: ViewerProtocolPolicy.HTTPS_ONLY,
        compress: false,
      },
      // One task that is full or drains would answer for all others: an upgrade is a GET.
      errorResponses: CACHED_ERRORS.map((httpStatus) => ({ httpStatus, ttl: Duration.seconds(0) })),
    });
    const cloudFront = new VpcOriginSecurityGroup(this, 'OriginSecurityGroup', {
      vpc: network.vpc,
      origin,
      distribution,
    });
    securityGroup.addIngressRule(cloudFront.securityGroup, Port.tcp(HTTP), 'CloudFront');
    acknowledge(distribution, {
      CFR1: 'Twilio calls from anywhere.',
      CFR2: 'The relay takes nothing without a signature of Twilio; a firewall would add cost and no check.',
      CFR3: 'The relay counts and logs every refusal; what it takes is a call in the table.',
      CFR4: "CloudFront's own name comes with its own certificate and TLS versions. Twilio uses TLS 1.2 or later.",
    });
    this.hostName = distribution.distributionDomainName;
  }
}
