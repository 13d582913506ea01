import { Certificate, CertificateValidation, type ICertificate } from 'aws-cdk-lib/aws-certificatemanager';
import { Peer, Port, type SecurityGroup } from 'aws-cdk-lib/aws-ec2';
import {
  SslPolicy,
  type ApplicationListener,
  type ApplicationLoadBalancer,
} from 'aws-cdk-lib/aws-elasticloadbalancingv2';
import { ARecord, HostedZone, RecordTarget } from 'aws-cdk-lib/aws-route53';
import { LoadBalancerTarget } from 'aws-cdk-lib/aws-route53-targets';
import { Construct } from 'constructs';
import { acknowledge } from '../acknowledge';
import type { EndpointSettings } from '../settings';
import { notFound } from './not-found';

const HTTPS = 443;

export interface DomainDoorProps {
  readonly endpoint: Exclude<EndpointSettings, { kind: 'cloudfront' }>;
  /** Internet-facing. */
  readonly loadBalancer: ApplicationLoadBalancer;
  /** The load balancer's; it lets in HTTPS from everywhere. */
  readonly securityGroup: SecurityGroup;
}

/** A name of the user's own, with TLS at the load balancer. With a hosted zone, certificate and record are made too. */
export class DomainDoor extends Construct {
  readonly hostName: string;
  readonly listener: ApplicationListener;

  constructor(scope: Construct, id: string, { endpoint, loadBalancer, securityGroup }: DomainDoorProps) {
    super(scope, id);
    this.hostName = endpoint.domainName;
    const certificate =
      endpoint.kind === 'hosted-zone'
        ? this.#inHostedZone(endpoint, loadBalancer)
        : Certificate.fromCertificateArn(this, 'Certificate', endpoint.certificateArn);
    securityGroup.addIngressRule(Peer.anyIpv4(), Port.tcp(HTTPS), 'Twilio, whose addresses are not fixed');
    acknowledge(securityGroup, {
      EC23: 'It is the door for Twilio, whose addresses are not fixed. Every request must carry its signature.',
    });
    this.listener = loadBalancer.addListener('Https', {
      port: HTTPS,
      certificates: [certificate],
      sslPolicy: SslPolicy.RECOMMENDED_TLS,
      open: false,
      defaultAction: notFound(),
    });
  }

  #inHostedZone(
    { domainName, hostedZoneId }: Extract<EndpointSettings, { kind: 'hosted-zone' }>,
    loadBalancer: ApplicationLoadBalancer,
  ): ICertificate {
    // Records have their whole name, so the name of the zone is not needed: the relay's own stands for it.
    const zone = HostedZone.fromHostedZoneAttributes(this, 'Zone', { hostedZoneId, zoneName: domainName });
    new ARecord(this, 'Alias', {
      zone,
      target: RecordTarget.fromAlias(new LoadBalancerTarget(loadBalancer)),
    });
    return new Certificate(this, 'Certificate', {
      domainName,
      validation: CertificateValidation.fromDns(zone),
    });
  }
}
