import { once } from 'node:events';
import { readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { bundleRelay } from '../../bin/bundle';
import { startSecretsManager } from '../../local/secrets-manager';
import { emptyDirectory, RelayProcess } from '../support/relay-process';

const MOST_BYTES = 5_000_000;

function bundleInto(directory: string): string {
  const file = join(directory, 'dist', 'main.js');
  bundleRelay(file);
  return file;
}

test('the same sources give the same bytes, under 5 MB and without a path of this machine', () => {
  const [one, other] = [bundleInto(emptyDirectory()), bundleInto(emptyDirectory())].map((file) =>
    readFileSync(file),
  );
  expect(one!.equals(other!)).toBe(true);
  expect(one!.length).toBeLessThan(MOST_BYTES);
  expect(one!.includes(join(__dirname, '..', '..'))).toBe(false);
});

test('nothing of OpenTelemetry is in the file that every relay reads; it is beside it', () => {
  const file = bundleInto(emptyDirectory());
  const later = join(dirname(file), 'tracing', 'otlp-exporter.js');
  const isIn = (path: string): boolean => readFileSync(path).includes('BatchSpanProcessor');
  expect([isIn(file), isIn(later)]).toEqual([false, true]);
});

test('a bundle that is there already is left alone', () => {
  const directory = emptyDirectory();
  const before = statSync(bundleInto(directory));
  expect(statSync(bundleInto(directory))).toMatchObject({ ino: before.ino, mtimeMs: before.mtimeMs });
});

test('the bundle alone is the relay: it starts, is healthy, says what is missing and ends on SIGTERM', async () => {
  const directory = emptyDirectory();
  const relay = new RelayProcess({
    program: [bundleInto(directory)],
    directory,
    environment: {
      HTTP_PORT: '0',
      ADMIN_PORT: '0',
      AWS_ENDPOINT_URL_DYNAMODB: 'http://127.0.0.1:9',
      // What is loaded for it lies beside the bundle.
      OTLP_TRACES_URL: 'http://127.0.0.1:9/v1/traces',
    },
  });
  const { port, adminPort } = await relay.started();
  expect((await fetch(`http://127.0.0.1:${port}/health`)).status).toBe(200);
  expect((await fetch(`http://127.0.0.1:${adminPort}/ready`)).status).toBe(503);
  relay.signal('SIGTERM');
  expect(await relay.exited).toBe(0);
  expect(relay.stderr).toBe('');
});

test('in the bundle the AWS SDK takes the credentials of a task, and reads secrets with them', async () => {
  const asked: string[] = [];
  // What ECS has at this address in a task.
  const agent = createServer((request, response) => {
    asked.push(request.url ?? '');
    const credentials = {
      AccessKeyId: 'A',
      SecretAccessKey: 's',
      Token: 't',
      Expiration: '2100-01-01T00:00:00Z',
    };
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(credentials));
  }).listen(0, '127.0.0.1');
  await once(agent, 'listening');
  const aws = await startSecretsManager();
  aws.secrets.set('callscript/gladia', '{"apiKey":"key"}');

  const directory = emptyDirectory();
  const relay = new RelayProcess({
    program: [bundleInto(directory)],
    directory,
    environment: {
      HTTP_PORT: '0',
      ADMIN_PORT: '0',
      AWS_ENDPOINT_URL_DYNAMODB: 'http://127.0.0.1:9',
      AWS_ENDPOINT_URL_SECRETS_MANAGER: aws.endpoint,
      AWS_CONTAINER_CREDENTIALS_FULL_URI: `http://127.0.0.1:${(agent.address() as AddressInfo).port}/task`,
      GLADIA_SECRET_ARN: 'callscript/gladia',
    },
  });
  expect(await relay.logged('Secret read')).toMatchObject({ setting: 'GLADIA_SECRET_ARN' });
  expect(asked).toContain('/task');
  agent.closeAllConnections();
  agent.close();
  await aws.close();
});
