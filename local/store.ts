import { once } from 'node:events';
import { LOCAL_STORE_DIRECTORY, startEmbeddedDynamoDb } from './embedded-dynamodb';

// The AWS SDK warns about Node 20 on every client.
process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] = 'true';

const PORT = 8000;

/** `npm run store`: the embedded DynamoDB alone, for `npm run relay` on a laptop. */
async function main(): Promise<void> {
  const store = await startEmbeddedDynamoDb({ directory: LOCAL_STORE_DIRECTORY, port: PORT });
  console.log(
    `The embedded DynamoDB listens, its data is in ${LOCAL_STORE_DIRECTORY}. Ctrl-C ends it. For the relay's .env:`,
  );
  console.log(`AWS_ENDPOINT_URL_DYNAMODB=${store.endpoint}`);
  await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
  await store.close();
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
});
