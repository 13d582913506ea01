import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { bundleRelay } from '../../bin/bundle';
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
    environment: { HTTP_PORT: '0', ADMIN_PORT: '0', AWS_ENDPOINT_URL_DYNAMODB: 'http://127.0.0.1:9' },
  });
  const { port, adminPort } = await relay.started();
  expect((await fetch(`http://127.0.0.1:${port}/health`)).status).toBe(200);
  expect((await fetch(`http://127.0.0.1:${adminPort}/ready`)).status).toBe(503);
  relay.signal('SIGTERM');
  expect(await relay.exited).toBe(0);
  expect(relay.stderr).toBe('');
});
