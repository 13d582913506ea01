/** One setting of the deployment: a key of CDK's context, from `-c key=value` or from `cdk.json`. */
export interface DeploySetting {
  /** What is allowed, in words: part of the error for a wrong value. */
  readonly allowed: string;
  /** The value when the key is absent or empty; without it the setting is off. */
  readonly fallback?: string;
  readonly meaning: string;
}

const settings = {
  domainName: {
    allowed: 'a host name in lower case, such as calls.example.com',
    meaning:
      "Your own name for the relay, with `hostedZoneId` or `certificateArn`. Without it: CloudFront's name",
  },
  hostedZoneId: {
    allowed: 'the id of a Route 53 hosted zone, such as Z0123456789ABCDEFGHIJ',
    meaning: 'The zone that `domainName` is in: the certificate and the DNS record are made there',
  },
  certificateArn: {
    allowed: 'the ARN of an ACM certificate in the region of the stack',
    meaning:
      'A certificate for `domainName`, instead of `hostedZoneId`: you point the name at the load balancer',
  },
  egress: {
    allowed: 'nat, nat-per-zone or public',
    fallback: 'nat',
    meaning:
      'How the tasks reach Gladia and Twilio: one NAT gateway, one in each zone, or public addresses without NAT',
  },
  flowLogs: {
    allowed: 'true or false',
    fallback: 'false',
    meaning: 'Logs the connections of the network to CloudWatch',
  },
  alarmEmail: {
    allowed: 'an e-mail address',
    meaning: 'Gets the alarms, after it has confirmed the subscription',
  },
  customerManagedKey: {
    allowed: 'true or false',
    fallback: 'false',
    meaning: 'Encrypts table and secrets with a KMS key of your own instead of the keys that AWS manages',
  },
  cpuArchitecture: {
    allowed: 'arm64 or x86_64',
    fallback: 'arm64',
    meaning: 'Processor of the tasks',
  },
  baseImage: {
    allowed: 'an image with Node 24, such as public.ecr.aws/docker/library/node:24-slim',
    fallback: 'public.ecr.aws/docker/library/node:24-slim',
    meaning: 'What the image of the relay starts from; may be pinned by digest',
  },
  traceCollector: {
    allowed:
      "an image of AWS's OpenTelemetry collector, such as public.ecr.aws/aws-observability/aws-otel-collector:v0.45.0",
    meaning: 'Runs it beside the relay in each task, and sends a trace of each call through it to X-Ray',
  },
  tasks: {
    allowed: 'the least and the most tasks, such as 2-20; at least 2',
    fallback: '2-20',
    meaning: 'How many tasks run: one in each of two zones at least',
  },
  callsPerTask: {
    allowed: 'a whole number from 1 to 50000',
    // A vCPU carries 287 calls of two tracks over TLS: twice as many as this, when a task has to take over another's.
    fallback: '140',
    meaning: 'Live calls per task that scaling aims at. A task refuses calls above twice as many',
  },
  relay: {
    allowed:
      'a JSON object of settings of the relay, such as {"DIAL_NUMBER":"+15005550006","TRACKS":"inbound"}',
    fallback: '{}',
    meaning: 'Settings of the relay by their names',
  },
} as const satisfies Record<string, DeploySetting>;

export type DeploySettingName = keyof typeof settings;
export const DEPLOY_SETTINGS: Readonly<Record<DeploySettingName, DeploySetting>> = settings;
