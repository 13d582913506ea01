import { RemovalPolicy, Stack } from 'aws-cdk-lib';
import type { Distribution, VpcOrigin } from 'aws-cdk-lib/aws-cloudfront';
import { SecurityGroup, type ISecurityGroup, type IVpc } from 'aws-cdk-lib/aws-ec2';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { AwsCustomResource, AwsCustomResourcePolicy, PhysicalResourceId } from 'aws-cdk-lib/custom-resources';
import { Construct } from 'constructs';
import { acknowledge } from '../acknowledge';

export interface VpcOriginSecurityGroupProps {
  readonly vpc: IVpc;
  readonly origin: VpcOrigin;
  readonly distribution: Distribution;
}

/** CloudFront's name for the group that its network interfaces in a VPC have. */
const NAME = 'CloudFront-VPCOrigins-Service-SG';

/**
 * The security group of CloudFront's network interfaces. CloudFront makes it, one per VPC, with the first VPC origin;
 * no resource gives its id, so it is asked for while the stack is deployed.
 */
export class VpcOriginSecurityGroup extends Construct {
  readonly securityGroup: ISecurityGroup;

  constructor(scope: Construct, id: string, { vpc, origin, distribution }: VpcOriginSecurityGroupProps) {
    super(scope, id);
    const group = new AwsCustomResource(this, 'Find', {
      resourceType: 'Custom::VpcOriginSecurityGroup',
      onUpdate: {
        service: 'EC2',
        action: 'describeSecurityGroups',
        parameters: {
          Filters: [
            { Name: 'vpc-id', Values: [vpc.vpcId] },
            { Name: 'group-name', Values: [NAME] },
          ],
        },
        outputPaths: ['SecurityGroups.0.GroupId'],
        // Another origin may have another group: then it is asked for again.
        physicalResourceId: PhysicalResourceId.of(origin.vpcOriginId),
      },
      policy: AwsCustomResourcePolicy.fromSdkCalls({ resources: AwsCustomResourcePolicy.ANY_RESOURCE }),
      installLatestAwsSdk: false,
      logGroup: new LogGroup(this, 'Log', {
        retention: RetentionDays.ONE_MONTH,
        removalPolicy: RemovalPolicy.DESTROY,
      }),
    });
    acknowledge(group, {
      'IAM5[Resource::*]': 'ec2:DescribeSecurityGroups knows no resources.',
    });
    acknowledge(Stack.of(this), {
      'IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole]':
        "The CDK's own function, which looks the group up, writes its log with it.",
    });
    // The group may not be there before the distribution is.
    group.node.addDependency(distribution);
    const groupId = group.getResponseField('SecurityGroups.0.GroupId');
    this.securityGroup = SecurityGroup.fromSecurityGroupId(this, 'Group', groupId, { mutable: false });
  }
}
