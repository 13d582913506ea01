import { fork } from 'node:child_process';
import { once } from 'node:events';
import { constants, setPriority } from 'node:os';
import { join } from 'node:path';

/** The store in a process of its own, once for all measurements. */
export async function startStore(): Promise<{ readonly endpoint: string; end(): void }> {
  const child = fork(join(__dirname, 'bench-store.ts'), { execArgv: ['--import', 'tsx'] });
  // It shares a core with the load, which must not wait for it.
  if (child.pid !== undefined) setPriority(child.pid, constants.priority.PRIORITY_LOW);
  const [endpoint] = (await once(child, 'message')) as [string];
  return { endpoint, end: () => child.disconnect() };
}
