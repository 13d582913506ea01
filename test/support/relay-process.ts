import type { ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { pathToFileURL } from 'node:url';
import { spawnRelay } from '../../local/fleet/spawn-relay';

const MAIN = resolve(__dirname, '../../runtime/main.ts');
// Found from here: the working directory is another one, so that no .env of the developer is read.
const TSX = pathToFileURL(require.resolve('tsx')).href;

const SOURCES = ['--import', TSX, MAIN];

export type LogLine = Readonly<Record<string, unknown>>;

export interface RelayProcessOptions {
  /** The whole environment but PATH. */
  readonly environment: Readonly<Record<string, string>>;
  /** Default: an empty one. */
  readonly directory?: string;
  /** What Node runs. Default: the sources. */
  readonly program?: readonly string[];
}

/** One process of a relay, with everything that it has said. */
export class RelayProcess {
  readonly pid: number | undefined;
  /** Resolves with the exit code, or with the signal that ended it. */
  readonly exited: Promise<number | NodeJS.Signals>;
  stdout = '';
  stderr = '';
  readonly #child: ChildProcessByStdio<null, Readable, Readable>;
  readonly #waiting = new Set<() => void>();
  #hasExited = false;

  constructor({ environment, directory = emptyDirectory(), program = SOURCES }: RelayProcessOptions) {
    this.#child = spawnRelay({ program, environment, directory });
    this.pid = this.#child.pid;
    running.add(this);
    this.#child.stdout.on('data', (chunk: Buffer) => this.#heard('stdout', chunk));
    this.#child.stderr.on('data', (chunk: Buffer) => this.#heard('stderr', chunk));
    this.exited = once(this.#child, 'close').then(([code, signal]: (number | NodeJS.Signals | null)[]) => {
      this.#hasExited = true;
      running.delete(this);
      for (const check of [...this.#waiting]) check();
      return code ?? signal ?? -1;
    });
  }

  /** Every whole line of stdout; each must be JSON. */
  get lines(): LogLine[] {
    const whole = this.stdout.slice(0, this.stdout.lastIndexOf('\n') + 1);
    return whole
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as LogLine);
  }

  /** Resolves when it has said what makes this true. Rejects when the process ends before. */
  heard(isHeard: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const check = (): void => {
        const found = isHeard();
        if (!found && !this.#hasExited) return;
        this.#waiting.delete(check);
        if (found) resolve();
        else reject(new Error(`the relay ended too early; it said: ${this.stdout}${this.stderr}`));
      };
      this.#waiting.add(check);
      check();
    });
  }

  /** Nobody reads its stdout from now on. */
  stopListening(): void {
    this.#child.stdout.destroy();
  }

  /** The first log line with this message, now or later. Rejects when the process ends without it. */
  logged(message: string): Promise<LogLine> {
    return new Promise((resolve, reject) => {
      const check = (): void => {
        const found = this.lines.find(({ msg }) => msg === message);
        if (found === undefined && !this.#hasExited) return;
        this.#waiting.delete(check);
        if (found !== undefined) resolve(found);
        else reject(new Error(`the relay ended without "${message}"; it said: ${this.stdout}${this.stderr}`));
      };
      this.#waiting.add(check);
      check();
    });
  }

  /** Its two ports, once it listens. */
  async started(): Promise<{ port: number; adminPort: number }> {
    const { port, adminPort } = await this.logged('Relay started');
    return { port: Number(port), adminPort: Number(adminPort) };
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  #heard(stream: 'stdout' | 'stderr', chunk: Buffer): void {
    this[stream] += chunk.toString();
    for (const check of [...this.#waiting]) check();
  }
}

const running = new Set<RelayProcess>();
const directories: string[] = [];

/** A working directory for one process, gone after the test. */
export function emptyDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'callscript-relay-'));
  directories.push(directory);
  return directory;
}

afterEach(async () => {
  const left = [...running];
  for (const relay of left) relay.signal('SIGKILL');
  await Promise.all(left.map(({ exited }) => exited));
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true });
});
