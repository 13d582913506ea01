import { startEmbeddedDynamoDb, type EmbeddedDynamoDb } from '../../local/embedded-dynamodb';
import { startStoreFaults, type StoreFaults } from '../../local/store-faults/store-faults';

export interface StoreBehindFaults {
  store: EmbeddedDynamoDb;
  faults: StoreFaults;
}

/** A store behind a proxy that can break it, another one for each test of the file or group that says so. */
export function storeBehindFaults(): Readonly<StoreBehindFaults> {
  const table = {} as StoreBehindFaults;
  beforeEach(async () => {
    table.store = await startEmbeddedDynamoDb();
    table.faults = await startStoreFaults({ target: table.store.endpoint });
  });
  afterEach(async () => {
    await table.faults.close();
    await table.store.close();
  });
  return table;
}
