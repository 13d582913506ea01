import type { Container } from './container';

/** Printed by a program in the container, of its first process. */
interface Found {
  readonly uid: string;
  readonly capabilities: string;
  readonly noNewPrivileges: string;
  readonly written: readonly string[];
  readonly memoryBytes: number;
}

const LOOK = `
const { readFileSync, writeFileSync, rmSync } = require('node:fs');
const status = readFileSync('/proc/1/status', 'utf8');
const field = (name) => new RegExp('^' + name + ':\\\\s*(\\\\S+)', 'm').exec(status)?.[1] ?? '';
const written = ['/relay/x', '/tmp/x', '/home/node/x', '/x'].filter((file) => {
  try { writeFileSync(file, ''); rmSync(file); return true; } catch { return false; }
});
console.log(JSON.stringify({ uid: field('Uid'), capabilities: field('CapEff'),
  noNewPrivileges: field('NoNewPrivs'), written, memoryBytes: process.constrainedMemory() }));`;

const MOST_MEMORY_BYTES = 1024 ** 3;

/**
 * Looks from the inside whether the container is as confined as a Fargate task of ours.
 *
 * @returns what was found, for people
 * @throws Error that says what is looser
 */
export async function checkConfinement(container: Pick<Container, 'exec'>): Promise<string> {
  const found = JSON.parse(await container.exec('node', '-e', LOOK)) as Found;
  const faults = [
    found.uid === '1000' ? '' : `the relay runs as uid ${found.uid}, not 1000`,
    /^0+$/.test(found.capabilities) ? '' : `it has the capabilities ${found.capabilities}`,
    found.noNewPrivileges === '1' ? '' : 'it may gain privileges',
    found.written.length === 0 ? '' : `it can write ${found.written.join(', ')}`,
    found.memoryBytes <= MOST_MEMORY_BYTES ? '' : 'its memory is not limited to 1 GB',
  ].filter((fault) => fault !== '');
  if (faults.length > 0) throw new Error(`The container is less confined than a task: ${faults.join('; ')}`);
  return 'uid 1000, no capabilities, no new privileges, nothing writable, 1 vCPU, 1 GB';
}
