import { execFileSync } from 'node:child_process';
import { cpus } from 'node:os';

/** Which core whom: the measured process has the first for itself, everything else is on the last. */
export interface Cores {
  readonly subject: number;
  readonly world: number;
}

/** Puts this process, and what it starts from now on, on the last core. @returns `undefined` where that cannot be */
export function takeCores(): Cores | undefined {
  const cores = { subject: 0, world: cpus().length - 1 };
  if (cores.world === 0) return undefined;
  try {
    execFileSync('taskset', ['-a', '-p', '-c', String(cores.world), String(process.pid)], {
      stdio: 'ignore',
    });
    return cores;
  } catch {
    return undefined;
  }
}
