import { createDocumentClient } from '../../../runtime/store/dynamodb-client';

const endpoint = 'http://127.0.0.1:1';

test('A request is one attempt', async () => {
  const client = createDocumentClient({ region: 'eu-west-1', endpoint });
  expect(await client.config.maxAttempts()).toBe(1);
  expect(await client.config.region()).toBe('eu-west-1');
});

test('A local endpoint needs no credentials', async () => {
  const client = createDocumentClient({ region: 'us-east-1', endpoint, environment: {} });
  expect(await client.config.credentials()).toMatchObject({ accessKeyId: 'local' });
});

test('Where there are credentials, they are used for a local endpoint, too', async () => {
  const environment = { AWS_ACCESS_KEY_ID: 'AKIDTEST' };
  const client = createDocumentClient({ region: 'us-east-1', endpoint, environment });
  // What is found depends on the machine; the made-up ones it must not be.
  const found = await client.config.credentials().catch(() => undefined);
  expect(found?.accessKeyId).not.toBe('local');
});
