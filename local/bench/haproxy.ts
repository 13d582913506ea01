import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { freePort } from '../image/free-port';
import type { Cores } from './cores';
import type { ProbeReport, ProbeRequest } from './probe-messages';

/** Clock ticks of Linux in /proc. */
const TICK_MS = 10;
const PAGE_BYTES = 4_096;

export function haproxyVersion(): string | undefined {
  try {
    return /version (\S+)/.exec(execFileSync('haproxy', ['-v'], { encoding: 'utf8' }))?.[1];
  } catch {
    return undefined;
  }
}

/** HAProxy as a pass-through for TCP with one thread; measured from outside, so some figures are not there. */
export async function startHaproxy(
  speechPort: number,
  cores: Cores | undefined,
): Promise<{
  readonly port: number;
  ask(request: ProbeRequest): ProbeReport;
  end(): Promise<void>;
}> {
  const port = await freePort();
  const file = join(mkdtempSync(join(tmpdir(), 'callscript-haproxy-')), 'haproxy.cfg');
  writeFileSync(
    file,
    [
      'global\n  nbthread 1\n  maxconn 5000',
      'defaults\n  mode tcp\n  timeout connect 10s\n  timeout client 1h\n  timeout server 1h',
      `frontend media\n  bind 127.0.0.1:${port} backlog 4096\n  default_backend speech`,
      `backend speech\n  server speech 127.0.0.1:${speechPort}\n`,
    ].join('\n'),
  );
  const command = ['haproxy', '-db', '-f', file];
  const [program = '', ...args] =
    cores === undefined ? command : ['taskset', '-c', String(cores.subject), ...command];
  const child = spawn(program, args, { stdio: 'ignore' });
  process.on('exit', () => child.kill('SIGKILL'));
  await setTimeout(500);
  let cpuBeganMs = 0;
  let wallBeganMs = performance.now();
  return {
    port,
    ask(request) {
      const { cpuMs, rssBytes } = readProcess(child.pid ?? 0);
      if (request === 'begin') {
        cpuBeganMs = cpuMs;
        wallBeganMs = performance.now();
      }
      const wallMs = performance.now() - wallBeganMs;
      const unknown = {
        gcMs: 0,
        loopDelayP50Ms: NaN,
        loopDelayP99Ms: NaN,
        heapBytes: NaN,
        externalBytes: NaN,
      };
      return { cpuMs: cpuMs - cpuBeganMs, wallMs, rssBytes, ...unknown };
    },
    async end() {
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
}

function readProcess(pid: number): { cpuMs: number; rssBytes: number } {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // Behind the name, which may hold anything: the fields from the third on.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [userTicks, systemTicks, pages] = [fields[11], fields[12], fields[21]].map(Number);
  return {
    cpuMs: ((userTicks ?? 0) + (systemTicks ?? 0)) * TICK_MS,
    rssBytes: (pages ?? 0) * PAGE_BYTES,
  };
}
