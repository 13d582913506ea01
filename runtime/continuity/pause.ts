import { setTimeout as wait } from 'node:timers/promises';

/** @throws when `signal` aborts first, or has */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await wait(ms, undefined, { signal });
}
