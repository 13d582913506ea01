import { once } from 'node:events';
import { startEmbeddedDynamoDb } from '../embedded-dynamodb';

/** The store of the bench, in a process of its own: says where it is, and ends with its parent. */
async function main(): Promise<void> {
  const store = await startEmbeddedDynamoDb();
  process.send?.(store.endpoint);
  await once(process, 'disconnect');
  await store.close();
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
});
