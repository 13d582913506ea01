import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/** A line of its stdout: log and metrics are JSON, one object a line. */
export type LogLine = Readonly<Record<string, unknown>>;

/** Exit code, or the signal that ended it. */
export type ExitReason = number | NodeJS.Signals;

export interface RelayProcessOptions {
  /** What Node runs. */
  readonly program: readonly string[];
  /** The whole environment but PATH. */
  readonly environment: Readonly<Record<string, string>>;
  /** Without a `.env`, which it would read. */
  readonly directory: string;
  /** Told after each line and when it has ended. */
  readonly onChange: () => void;
}

/** Relays that would outlive this process. */
const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** `runtime/main.ts` as a container runs it: a process of its own, with nothing of ours in its environment. */
export class RelayProcess {
  readonly pid: number | undefined;
  /** Everything it has logged. */
  readonly lines: LogLine[] = [];
  readonly exited: Promise<ExitReason>;
  readonly #child: ChildProcess;
  #stderr = '';
  #exit: ExitReason | undefined;

  constructor({ program, environment, directory, onChange }: RelayProcessOptions) {
    this.#child = spawn(process.execPath, program, {
      cwd: directory,
      env: {
        PATH: '/usr/bin:/bin',
        AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
        AWS_EC2_METADATA_DISABLED: 'true',
        ...environment,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.pid = this.#child.pid;
    running.add(this.#child);
    const { stdout, stderr } = this.#child;
    if (stdout !== null)
      createInterface({ input: stdout }).on('line', (line) => {
        this.lines.push(parseLine(line));
        onChange();
      });
    stderr?.on('data', (chunk: Buffer) => (this.#stderr += chunk.toString()));
    this.exited = once(this.#child, 'close').then(([code, signal]: (ExitReason | null)[]) => {
      running.delete(this.#child);
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
