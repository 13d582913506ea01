import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';

/** Where a running store says how to reach it: next to its directory. Two processes cannot open the same files. */
export function storeEndpointFile(directory: string): string {
  return join(dirname(directory), 'store-endpoint.json');
}

const announcement = z.object({ endpoint: z.url(), processId: z.number() });
const ANSWER_TIMEOUT_MS = 1_000;

export async function announceStore(directory: string, endpoint: string): Promise<void> {
  const file = storeEndpointFile(directory);
  const draft = `${file}.${process.pid}`;
  await writeFile(draft, `${JSON.stringify({ endpoint, processId: process.pid })}\n`);
  // At once, so that no reader finds half a file.
  await rename(draft, file);
}

export async function withdrawStore(directory: string): Promise<void> {
  await rm(storeEndpointFile(directory), { force: true });
}

/** The endpoint of the process that has this store open, if there is one and it answers. */
export async function runningStore(directory: string): Promise<string | undefined> {
  const endpoint = await announcedEndpoint(directory);
  if (endpoint === undefined) return undefined;
  try {
    const response = await fetch(endpoint, { signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS) });
    // Another program may have the port by now.
    return (await response.text()).startsWith('healthy: dynamodb') ? endpoint : undefined;
  } catch {
    return undefined;
  }
}

async function announcedEndpoint(directory: string): Promise<string | undefined> {
  try {
    const text = await readFile(storeEndpointFile(directory), 'utf8');
    return announcement.parse(JSON.parse(text)).endpoint;
  } catch {
    return undefined;
  }
}
