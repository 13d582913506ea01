import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

/** The store in a process of its own, once for all measurements. */
export async function startStore(): Promise<{ readonly endpoint: string; end(): void }> {
  const child = fork(join(__dirname, 'bench-store.ts'), { execArgv: ['--import', 'tsx'] });
  const [endpoint] = (await once(child, 'message')) as [string];
  return { endpoint, end: () => child.disconnect() };
}
