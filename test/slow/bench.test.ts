import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

const ROOT = join(__dirname, '..', '..');
const TIMEOUT_MS = 600_000;
const SHORT = ['--pairs', '3', '--seconds', '8', '--warm-up', '25'];

/** A process of its own: the bench keeps to one core, and so would all tests after it. */
const bench = (...args: string[]): void => {
  execFileSync('npm', ['run', '-s', 'bench', '--', ...args], { cwd: ROOT, stdio: 'inherit' });
};

test(
  'a call loses no frame and costs no more than it did, against the bare pipe',
  () => {
    bench('--only', 'ratio-ci', ...SHORT);
  },
  TIMEOUT_MS,
);

test(
  'memory does not grow while calls come and go',
  () => {
    bench('--only', 'soak-ci');
  },
  TIMEOUT_MS,
);
