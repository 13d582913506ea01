import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Cores } from './cores';
import type { ProbeReport, ProbeRequest } from './probe-messages';

export interface MeasuredProcessOptions {
  /** What Node runs. */
  readonly program: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly cores: Cores | undefined;
  /** For Node itself, such as `--cpu-prof`. */
  readonly nodeOptions?: readonly string[];
}

const PROBE = pathToFileURL(join(__dirname, 'probe.mjs')).href;
const LONGEST_END_MS = 20_000;

/** Programs that would outlive this one. */
const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** A Node program that is measured: on a core of its own, with the probe in it. */
export class MeasuredProcess {
  /** Of its stdout, the first line with a `port`: where it listens. */
  readonly port: Promise<number>;
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;

  constructor({ program, environment, cores, nodeOptions = [] }: MeasuredProcessOptions) {
    const command = [process.execPath, '--import', PROBE, ...nodeOptions, ...program];
    const pinned = cores === undefined ? command : ['taskset', '-c', String(cores.subject), ...command];
    const [file = '', ...args] = pinned;
    this.#child = spawn(file, args, {
      env: { PATH: '/usr/bin:/bin', AWS_EC2_METADATA_DISABLED: 'true', ...environment },
      stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    });
    running.add(this.#child);
    this.#exited = once(this.#child, 'exit').then(() => running.delete(this.#child));
    this.port = this.#readPort();
    this.port.catch(() => undefined);
  }

  /** @throws Error when the process is not there any more */
  async ask(request: ProbeRequest): Promise<ProbeReport> {
    const answered = once(this.#child, 'message');
    this.#child.send(request);
    const [report] = (await Promise.race([
      answered,
      this.#exited.then(() => Promise.reject(new Error('The measured process ended by itself'))),
    ])) as [ProbeReport];
    return report;
  }

  /** As ECS ends a task. */
  async end(): Promise<void> {
    this.#child.kill('SIGTERM');
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), LONGEST_END_MS);
    await this.#exited;
    clearTimeout(timer);
  }

  async #readPort(): Promise<number> {
    if (this.#child.stdout === null) throw new Error('The measured process has no stdout');
    return new Promise((resolve, reject) => {
      createInterface({ input: this.#child.stdout ?? process.stdin }).on('line', (line) => {
        const port = portIn(line);
        if (port !== undefined) resolve(port);
      });
      void this.#exited.then(() => reject(new Error('The measured process did not start')));
    });
  }
}

function portIn(line: string): number | undefined {
  if (!line.includes('"port":')) return undefined;
  const { port } = JSON.parse(line) as { port?: unknown };
  return typeof port === 'number' ? port : undefined;
}
