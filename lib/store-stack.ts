import { CfnOutput, RemovalPolicy, Stack, type StackProps } from 'aws-cdk-lib';
import type { TableV2 } from 'aws-cdk-lib/aws-dynamodb';
import { Key } from 'aws-cdk-lib/aws-kms';
import type { ISecret } from 'aws-cdk-lib/aws-secretsmanager';
import type { Construct } from 'constructs';
import { Credentials } from './constructs/credentials';
import { TranscriptTable } from './constructs/transcript-table';

export interface StoreStackProps extends StackProps {
  /** Encrypts with a key of the user's own. Default: with the keys that AWS manages. */
  readonly customerManagedKey?: boolean;
}

/**
 * What holds data and is kept: the transcripts and the secrets. Termination protection is part of it, not of how it
 * is made.
 */
export class StoreStack extends Stack {
  readonly transcripts: TableV2;
  readonly gladiaSecret: ISecret;
  readonly twilioSecret: ISecret;
  readonly ticketSecret: ISecret;
  /** Of the table and the secrets; undefined: the keys that AWS manages. */
  readonly key: Key | undefined;

  constructor(scope: Construct, id: string, { customerManagedKey = false, ...props }: StoreStackProps = {}) {
    super(scope, id, {
      description: 'Callscript: the transcripts of calls, and the secrets',
      ...props,
      terminationProtection: true,
    });
    this.key = customerManagedKey ? this.#newKey() : undefined;
    const encryption = { key: this.key };
    const credentials = new Credentials(this, 'Credentials', encryption);
    this.transcripts = new TranscriptTable(this, 'Transcripts', encryption).table;
    this.gladiaSecret = credentials.gladia;
    this.twilioSecret = credentials.twilio;
    this.ticketSecret = credentials.ticket;
    new CfnOutput(this, 'TranscriptsTable', {
      value: this.transcripts.tableName,
      description: 'Read it with: npm run transcripts -- list --table <this>',
    });
  }

  #newKey(): Key {
    return new Key(this, 'Key', {
      description: 'Callscript: table and secrets',
      enableKeyRotation: true,
      removalPolicy: RemovalPolicy.RETAIN,
    });
  }
}
