import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const COMMAND = resolve(__dirname, '../../local/start.ts');
const TSX = pathToFileURL(require.resolve('tsx')).href;

let directory: string;
let child: ChildProcess;
let stderr: string;

beforeEach(() => void (directory = mkdtempSync(join(tmpdir(), 'callscript-start-'))));
afterEach(() => {
  child.kill('SIGKILL');
  rmSync(directory, { recursive: true, force: true });
});

/** @returns its exit code */
function start(...args: string[]): Promise<unknown> {
  child = spawn(process.execPath, ['--import', TSX, COMMAND, ...args], {
    cwd: directory,
    env: { PATH: '/usr/bin:/bin' },
  });
  stderr = '';
  child.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  return once(child, 'close').then(([code]: unknown[]) => code);
}

test('ends quietly when nobody reads its output any more', async () => {
  const exitCode = start('--scripted');
  child.stdout?.once('data', () => child.stdout?.destroy());
  expect(await exitCode).toBe(0);
  expect(stderr).toBe('');
});

test('a file that cannot be read is an error without the usage', async () => {
  const exitCode = start('--wav', 'none.wav');
  child.stdout?.resume();
  expect(await exitCode).toBe(2);
  expect(stderr).toContain('none.wav');
  expect(stderr).not.toContain('--scripted');
});

test('a wrong option is an error with the usage', async () => {
  const exitCode = start('--calls', '0');
  child.stdout?.resume();
  expect(await exitCode).toBe(2);
  expect(stderr).toMatch(/--calls: must be[^]*--scripted/);
});
