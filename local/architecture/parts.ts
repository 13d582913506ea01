/** Left, top, width, height. */
export type Area = readonly [x: number, y: number, width: number, height: number];

export interface Part {
  readonly name: string;
  readonly notes: readonly string[];
  readonly area: Area;
  /** CloudFormation types that this part stands for; none: it is outside of the account. */
  readonly types: readonly string[];
  /** `domain`: only with a domain of one's own, instead of CloudFront. */
  readonly when?: 'domain';
}

export interface Frame {
  readonly name: string;
  readonly area: Area;
  readonly types: readonly string[];
  readonly isTitleBelow?: boolean;
}

export interface Arrow {
  /** As in SVG; the head is at its end. */
  readonly path: string;
  readonly label?: readonly [text: string, x: number, y: number];
  /** `audio` is the path of a word, `domain` as in a part. */
  readonly kind: 'audio' | 'other' | 'domain';
}

/** What is in the picture of the architecture. test/docs-architecture.test.ts compares it with the templates. */
export const PARTS: readonly Part[] = [
  { name: 'Twilio', notes: ['Media Streams,', 'webhooks'], area: [20, 164, 116, 76], types: [] },
  {
    name: 'CloudFront',
    notes: ['*.cloudfront.net,', 'VPC origin'],
    area: [188, 164, 140, 76],
    types: ['AWS::CloudFront::Distribution', 'AWS::CloudFront::VpcOrigin'],
  },
  {
    name: 'your domain',
    notes: ['ACM, Route 53,', 'not CloudFront'],
    area: [188, 284, 140, 76],
    types: ['AWS::CertificateManager::Certificate', 'AWS::Route53::RecordSet'],
    when: 'domain',
  },
  {
    name: 'Load balancer',
    notes: ['internal; public', 'with your domain'],
    area: [382, 164, 122, 76],
    types: [
      'AWS::ElasticLoadBalancingV2::LoadBalancer',
      'AWS::ElasticLoadBalancingV2::Listener',
      'AWS::ElasticLoadBalancingV2::TargetGroup',
    ],
  },
  {
    name: 'Relay',
    notes: ['Fargate service,', '2 to 20 tasks,', 'scales on live calls'],
    area: [560, 152, 146, 100],
    types: [
      'AWS::ECS::Cluster',
      'AWS::ECS::Service',
      'AWS::ECS::TaskDefinition',
      'AWS::ApplicationAutoScaling::ScalableTarget',
      'AWS::ApplicationAutoScaling::ScalingPolicy',
    ],
  },
  {
    name: 'NAT gateway',
    notes: ['one, one per zone,', 'or none'],
    area: [740, 164, 124, 76],
    types: ['AWS::EC2::NatGateway'],
  },
  { name: 'Gladia', notes: ['live speech', 'to text'], area: [920, 164, 100, 76], types: [] },
  { name: 'Twilio', notes: ['REST: starts,', 'stops streams'], area: [920, 284, 100, 76], types: [] },
  {
    name: 'VPC endpoint',
    notes: ['for DynamoDB'],
    area: [598, 306, 136, 54],
    types: ['AWS::EC2::VPCEndpoint'],
  },
  {
    name: 'CloudWatch Logs',
    notes: ['logs, and the metrics', 'that travel in them'],
    area: [452, 412, 146, 76],
    types: ['AWS::Logs::LogGroup'],
  },
  {
    name: 'CloudWatch',
    notes: ['alarms,', 'dashboard'],
    area: [316, 412, 104, 76],
    types: ['AWS::CloudWatch::Alarm', 'AWS::CloudWatch::Dashboard'],
  },
  {
    name: 'SNS topic',
    notes: ['e-mail,', 'if you want'],
    area: [188, 412, 98, 76],
    types: ['AWS::SNS::Topic', 'AWS::KMS::Key'],
  },
  {
    name: 'DynamoDB table',
    notes: ['transcripts, gaps,', 'ledger'],
    area: [592, 542, 148, 76],
    types: ['AWS::DynamoDB::GlobalTable'],
  },
  {
    name: 'Secrets',
    notes: ['Gladia, Twilio,', 'stream tickets'],
    area: [756, 542, 120, 76],
    types: ['AWS::SecretsManager::Secret'],
  },
];

export const FRAMES: readonly Frame[] = [
  { name: 'CallscriptRelay', area: [168, 56, 724, 452], types: [] },
  {
    name: 'VPC, two zones',
    area: [346, 96, 530, 284],
    types: ['AWS::EC2::VPC', 'AWS::EC2::InternetGateway'],
  },
  {
    name: 'CallscriptStore: stays when you destroy',
    area: [576, 526, 316, 124],
    types: [],
    isTitleBelow: true,
  },
];

export const ARROWS: readonly Arrow[] = [
  { path: 'M136 202 H188', label: ['wss', 151, 195], kind: 'audio' },
  { path: 'M328 202 H382', label: ['ws', 362, 195], kind: 'audio' },
  { path: 'M504 202 H560', label: ['ws', 530, 195], kind: 'audio' },
  { path: 'M706 202 H740', kind: 'audio' },
  { path: 'M864 202 H920', label: ['wss', 906, 195], kind: 'audio' },
  { path: 'M78 240 V322 H188', label: ['wss', 120, 315], kind: 'domain' },
  { path: 'M328 322 H443 V240', label: ['wss', 400, 315], kind: 'domain' },
  { path: 'M666 252 V306', kind: 'audio' },
  { path: 'M666 360 V542', label: ['https', 686, 456], kind: 'audio' },
  { path: 'M580 252 V412', kind: 'other' },
  { path: 'M452 450 H420', kind: 'other' },
  { path: 'M316 450 H286', kind: 'other' },
  { path: 'M848 240 V322 H920', kind: 'other' },
  { path: 'M816 542 V240', label: ['https', 836, 456], kind: 'other' },
];
