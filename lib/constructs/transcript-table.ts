import { RemovalPolicy } from 'aws-cdk-lib';
import {
  AttributeType,
  Billing,
  ProjectionType,
  TableEncryptionV2,
  TableV2,
  type CfnGlobalTable,
  type GlobalSecondaryIndexPropsV2,
} from 'aws-cdk-lib/aws-dynamodb';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';
import {
  CALL_INDEXES,
  INDEX_ATTRIBUTES,
  PARTITION_KEY,
  SORT_KEY,
  TTL_ATTRIBUTE,
} from '../../runtime/contract/transcripts-table';

export interface TranscriptTableProps {
  readonly key?: IKey | undefined;
}

/**
 * The one table. What is in it cannot be had again, so it outlives its stack, cannot be deleted by mistake, and any
 * second of the last days can be restored. Encrypted with a key whose
 * use CloudTrail shows: the account's own for DynamoDB, or the one given.
 */
export class TranscriptTable extends Construct {
  readonly table: TableV2;

  constructor(scope: Construct, id: string, { key }: TranscriptTableProps = {}) {
    super(scope, id);
    this.table = new TableV2(this, 'Table', {
      partitionKey: text(PARTITION_KEY),
      sortKey: text(SORT_KEY),
      billing: Billing.onDemand(),
      encryption: TableEncryptionV2.awsManagedKey(),
      globalSecondaryIndexes: CALL_INDEXES.map(indexProps),
      timeToLiveAttribute: TTL_ATTRIBUTE,
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      deletionProtection: true,
      removalPolicy: RemovalPolicy.RETAIN,
    });
    if (key !== undefined) this.#encryptWith(key);
  }

  /** `TableEncryptionV2.customerManagedKey` wants to know the region; the one replica of this table needs none. */
  #encryptWith(key: IKey): void {
    const table = this.table.node.defaultChild as CfnGlobalTable;
    table.addPropertyOverride('Replicas.0.SSESpecification', { KMSMasterKeyId: key.keyArn });
  }
}

function indexProps(index: (typeof CALL_INDEXES)[number]): GlobalSecondaryIndexPropsV2 {
  return {
    indexName: index.name,
    partitionKey: text(index.partitionKey),
    sortKey: text(index.sortKey),
    projectionType: ProjectionType.INCLUDE,
    nonKeyAttributes: [...INDEX_ATTRIBUTES],
  };
}

function text(name: string): { name: string; type: AttributeType } {
  return { name, type: AttributeType.STRING };
}
