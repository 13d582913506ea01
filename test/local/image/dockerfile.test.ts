import { execFile, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { healthCommand, nodeOptions } from '../../../local/image/dockerfile';
import { SETTINGS } from '../../../runtime/contract/settings';

const DOCKERFILE = readFileSync(join(__dirname, '../../../runtime/Dockerfile'), 'utf8');

/** Exit code of the HEALTHCHECK, while something on HTTP_PORT answers `/health` with this status. */
async function healthOf(status: number): Promise<number> {
  const server = createServer((request, response) => {
    response.writeHead(request.url === '/health' ? status : 404).end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const code = await check(port);
  server.closeAllConnections();
  await once(server.close(), 'close');
  return code;
}

function check(port: number): Promise<number> {
  const [, ...args] = healthCommand(DOCKERFILE);
  return new Promise((resolve) => {
    const child = execFile(process.execPath, args, { env: { HTTP_PORT: String(port) } }, () =>
      resolve(child.exitCode ?? -1),
    );
  });
}

test('the health check passes on 200 from /health, and on nothing else', async () => {
  expect([await healthOf(200), await healthOf(503)]).toEqual([0, 1]);
});

test('the health check fails where nobody listens', async () => {
  expect(await check(9)).toBe(1);
});

test('a Dockerfile without a health check is an error', () => {
  expect(() => healthCommand('FROM x\nHEALTHCHECK CMD curl localhost\n')).toThrow(/HEALTHCHECK/);
});

test('the image knows the port that is the default', () => {
  const { fallback } = SETTINGS.HTTP_PORT;
  expect(DOCKERFILE).toContain(`EXPOSE ${fallback}\n`);
  expect(DOCKERFILE).toContain(`process.env.HTTP_PORT || ${fallback}}`);
});

test('the image only copies, for one base image that can be chosen', () => {
  expect(DOCKERFILE).not.toMatch(/^(RUN|ADD)\b/m);
  expect(DOCKERFILE.match(/^FROM .*/gm)).toEqual(['FROM ${NODE_IMAGE}']);
  expect(DOCKERFILE).toMatch(/^ARG NODE_IMAGE=public\.ecr\.aws\/docker\/library\/node:24-slim$/m);
});

test("Node knows what the image gives to it, and lets the relay's heap grow", () => {
  const options = nodeOptions(DOCKERFILE);
  expect(options).toEqual(['--heap-growing-percent=300']);
  const { status, stderr } = spawnSync(process.execPath, [...options, '-e', ''], { encoding: 'utf8' });
  expect([status, stderr]).toEqual([0, '']);
});

test('an entry point of another form is an error', () => {
  expect(() => nodeOptions('ENTRYPOINT node main.js')).toThrow('runtime/Dockerfile');
});
