import { CfnOutput, Stack, type StackProps } from 'aws-cdk-lib';
import type { TableV2 } from 'aws-cdk-lib/aws-dynamodb';
import type { Construct } from 'constructs';
import { TranscriptTable } from './constructs/transcript-table';

/** What holds data and is kept: the transcripts. Termination protection is part of it, not of how it is made. */
export class StoreStack extends Stack {
  readonly transcripts: TableV2;

  constructor(scope: Construct, id: string, props: StackProps = {}) {
    super(scope, id, {
      description: 'Callscript: the transcripts of calls',
      ...props,
      terminationProtection: true,
    });
    this.transcripts = new TranscriptTable(this, 'Transcripts').table;
    new CfnOutput(this, 'TranscriptsTable', {
      value: this.transcripts.tableName,
      description: 'Read it with: npm run transcripts -- list --table <this>',
    });
  }
}
