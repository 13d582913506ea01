/**
 * Prices in US dollars without tax, AWS in us-east-1 on demand without free tiers. None could be read on the seller's
 * live page when this was written: `read` is the day on which somebody else did and published the figure.
 */
export interface Price {
  readonly what: string;
  readonly usd: number;
  readonly per: string;
  /** The seller's own page. */
  readonly page: string;
  /** Year, month, day. */
  readonly read: string;
  /** The figure is quoted from the seller's page or price list by a source that says so and when. */
  readonly isQuoted: boolean;
}

const AWS = 'https://aws.amazon.com';
const FARGATE = `${AWS}/fargate/pricing/`;
const VPC = `${AWS}/vpc/pricing/`;
const BALANCER = `${AWS}/elasticloadbalancing/pricing/`;
const CLOUDFRONT = `${AWS}/cloudfront/pricing/`;
const CLOUDWATCH = `${AWS}/cloudwatch/pricing/`;
const DYNAMODB = `${AWS}/dynamodb/pricing/on-demand/`;
const SECRETS = `${AWS}/secrets-manager/pricing/`;
const TWILIO = 'https://www.twilio.com/en-us/voice/pricing/us';
const GLADIA = 'https://www.gladia.io/pricing';

const quoted = (what: string, usd: number, per: string, page: string, read: string): Price => ({
  what,
  usd,
  per,
  page,
  read,
  isQuoted: true,
});
const hearsay = (...price: Parameters<typeof quoted>): Price => ({ ...quoted(...price), isQuoted: false });

/** The one place where a price is changed. */
export const PRICES = {
  vcpu: quoted('Fargate, Graviton: vCPU', 0.03238, 'hour', FARGATE, '2026-09-23'),
  memory: quoted('Fargate, Graviton: memory', 0.00356, 'GB and hour', FARGATE, '2026-09-23'),
  balancer: quoted('Application Load Balancer', 0.0225, 'hour', BALANCER, '2026-09-20'),
  balancerUnit: quoted('its capacity unit: 1 GB in an hour', 0.008, 'unit and hour', BALANCER, '2026-09-20'),
  nat: quoted('NAT gateway', 0.045, 'hour', VPC, '2026-09-20'),
  natData: quoted('NAT gateway, both directions', 0.045, 'GB', VPC, '2026-09-20'),
  publicAddress: quoted('public IPv4 address', 0.005, 'hour', VPC, '2026-09-23'),
  internet: quoted(
    'data from AWS to the internet',
    0.09,
    'GB',
    `${AWS}/ec2/pricing/on-demand/`,
    '2026-09-23',
  ),
  cloudFrontToOrigin: hearsay(
    'CloudFront: data to the origin, US and Europe',
    0.02,
    'GB',
    CLOUDFRONT,
    '2026-10',
  ),
  secret: quoted('Secrets Manager: secret', 0.4, 'month', SECRETS, '2026-09-20'),
  secretRead: quoted('Secrets Manager: requests', 0.05, '10,000', SECRETS, '2026-09-20'),
  write: quoted('DynamoDB: write request units', 0.625, 'million', DYNAMODB, '2026-08-01'),
  read: hearsay('DynamoDB: read request units', 0.125, 'million', DYNAMODB, '2026-11'),
  storage: quoted('DynamoDB: storage (read for us-west-2)', 0.25, 'GB and month', DYNAMODB, '2026-09-05'),
  backup: quoted(
    'DynamoDB: point-in-time recovery (read for us-west-2)',
    0.2,
    'GB and month',
    DYNAMODB,
    '2026-09-05',
  ),
  metric: quoted('CloudWatch: custom metric', 0.3, 'month', CLOUDWATCH, '2026-05-05'),
  alarm: quoted('CloudWatch: alarm', 0.1, 'month', CLOUDWATCH, '2026-09'),
  dashboard: hearsay('CloudWatch: dashboard', 3, 'month', CLOUDWATCH, '2026-06-13'),
  logs: quoted('CloudWatch: logs taken in', 0.5, 'GB', CLOUDWATCH, '2026-09-23'),
  key: quoted('KMS: customer-managed key', 1, 'month', `${AWS}/kms/pricing/`, '2026-09-23'),
  twilioInbound: quoted('Twilio: inbound call to a local US number', 0.0085, 'minute', TWILIO, '2026-09-18'),
  twilioStream: quoted('Twilio: Media Streams', 0.0044, 'minute', TWILIO, '2026-09-18'),
  gladiaStarter: quoted('Gladia: real time, Starter', 0.75, 'hour and track', GLADIA, '2026-06-12'),
  gladiaGrowth: quoted(
    'Gladia: real time, Growth, "as low as"',
    0.25,
    'hour and track',
    GLADIA,
    '2026-06-12',
  ),
} as const satisfies Record<string, Price>;

/** Hours that AWS's own calculator takes for a month. */
export const HOURS_A_MONTH = 730;
