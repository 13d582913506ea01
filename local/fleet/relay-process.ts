import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { spawnRelay, type RelaySpawn } from './spawn-relay';

/** A line of its stdout: log and metrics are JSON, one object a line. */
export type LogLine = Readonly<Record<string, unknown>>;

/** Exit code, or the signal that ended it. */
export type ExitReason = number | NodeJS.Signals;

export interface RelayProcessOptions extends RelaySpawn {
  /** Told after each line and when it has ended. */
  readonly onChange: () => void;
}

/** Relays that would outlive this process. */
const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** One process of a relay, read line by line. */
export class RelayProcess {
  readonly pid: number | undefined;
  /** Everything it has logged. */
  readonly lines: LogLine[] = [];
  readonly exited: Promise<ExitReason>;
  readonly #child: ChildProcess;
  #stderr = '';
  #exit: ExitReason | undefined;

  constructor({ onChange, ...own }: RelayProcessOptions) {
    const child = spawnRelay(own);
    this.#child = child;
    this.pid = child.pid;
    running.add(child);
    createInterface({ input: child.stdout }).on('line', (line) => {
      this.lines.push(parseLine(line));
      onChange();
    });
    child.stderr.on('data', (chunk: Buffer) => (this.#stderr += chunk.toString()));
    this.exited = once(child, 'close').then(([code, signal]: (ExitReason | null)[]) => {
      running.delete(child);
      this.#exit = code ?? signal ?? -1;
      onChange();
      return this.#exit;
    });
  }

  /** How it ended; undefined while it runs. */
  get exit(): ExitReason | undefined {
    return this.#exit;
  }

  /** What it says when it cannot start, or dies of itself. */
  get stderr(): string {
    return this.#stderr;
  }

  /** The first line with this message. */
  logged(message: string): LogLine | undefined {
    return this.lines.find(({ msg }) => msg === message);
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }
}

/** What is no JSON is kept to be looked at: the relay never says it. */
function parseLine(line: string): LogLine {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? (value as LogLine) : { notJson: line };
  } catch {
    return { notJson: line };
  }
}
