import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Fleet } from '../fleet';

/** Bytes, after garbage collection. */
export interface RelayMemory {
  readonly heapBytes: number;
  readonly rssBytes: number;
}

const TSX = pathToFileURL(require.resolve('tsx')).href;
const PROBE = pathToFileURL(join(__dirname, '../abuse/heap-probe.ts')).href;

/** What Node runs for a relay that tells its memory when it is asked. */
export function withMemoryProbe(program: readonly string[]): readonly string[] {
  return ['--expose-gc', '--import', TSX, '--import', PROBE, ...program];
}

/** Asks the fleet's first relay, which must have been started with the probe. */
export async function memoryOf(fleet: Fleet): Promise<RelayMemory> {
  const [relay] = fleet.relays;
  if (relay === undefined) throw new Error('the fleet has no relay');
  const told = (): readonly object[] => relay.lines.filter(({ msg }) => msg === 'Memory');
  const before = told().length;
  relay.signal('SIGUSR2');
  return (await fleet.waitFor(() => told()[before], { what: 'the memory of the relay' })) as RelayMemory;
}
