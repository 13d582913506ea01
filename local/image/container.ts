import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { runCommand, type ContainerTool } from './container-tool';

export interface ContainerOptions {
  readonly tool: ContainerTool;
  readonly image: string;
  readonly name: string;
  /** Published on this machine's loopback under the same number. */
  readonly port: number;
  readonly environment: Readonly<Record<string, string>>;
}

/** As the task definition has it: one vCPU, and the least memory Fargate gives with it is above this. */
const LIKE_FARGATE = [
  ...['--cpus', '1', '--memory', '1g'],
  ...['--read-only', '--cap-drop', 'ALL', '--security-opt', 'no-new-privileges'],
];

/** A container in the foreground of a client: its output is the client's, and so is its exit code. */
export class Container {
  readonly lines: string[] = [];
  /** Resolves with the exit code, once everything it said is in `lines`. */
  readonly exited: Promise<number>;
  readonly #options: ContainerOptions;
  readonly #client: ChildProcess;
  readonly #output = new EventEmitter<{ line: [] }>();

  constructor(options: ContainerOptions) {
    this.#options = options;
    this.#client = spawn(options.tool.name, runArguments(options), { stdio: ['ignore', 'pipe', 'pipe'] });
    this.exited = once(this.#client, 'close').then(([code]: (number | null)[]) => code ?? -1);
    for (const stream of [this.#client.stdout, this.#client.stderr])
      if (stream !== null) createInterface(stream).on('line', (line) => this.#onLine(line));
  }

  /** The first log line with this message, now or later. Rejects when the container ends without it. */
  logged(message: string): Promise<Readonly<Record<string, unknown>>> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        const line = this.lines.find((each) => each.includes(`"msg":"${message}"`));
        if (line !== undefined) resolve(JSON.parse(line) as Record<string, unknown>);
      };
      this.#output.on('line', look);
      look();
      void this.exited.then(() =>
        reject(new Error(`The container ended without "${message}":\n${this.lines.join('\n')}`)),
      );
    });
  }

  /**
   * Runs a program inside. This process goes on meanwhile: what runs there may ask the servers here.
   *
   * @returns what it printed
   * @throws Error when it fails
   */
  async exec(...command: readonly string[]): Promise<string> {
    const { tool, name } = this.#options;
    const { stdout } = await promisify(execFile)(tool.name, ['exec', name, ...command]);
    return stdout;
  }

  /** SIGTERM, and SIGKILL after the time ECS gives a task. @returns the exit code, and how long it took */
  async stop(graceSeconds: number): Promise<{ readonly exitCode: number; readonly tookMs: number }> {
    const { tool, name } = this.#options;
    const startedAt = performance.now();
    // Not waited for here: this process must go on serving the container.
    const stop = spawn(tool.name, ['stop', '-t', String(graceSeconds), name], { stdio: 'ignore' });
    const [exitCode] = await Promise.all([this.exited, once(stop, 'close')]);
    return { exitCode, tookMs: performance.now() - startedAt };
  }

  /** Ends it at once, whatever its state. Safe to call twice. */
  remove(): void {
    runCommand(this.#options.tool.name, ['rm', '-f', this.#options.name]);
    this.#client.kill('SIGKILL');
  }

  #onLine(line: string): void {
    this.lines.push(line);
    this.#output.emit('line');
  }
}

function runArguments({ tool, image, name, port, environment }: ContainerOptions): string[] {
  const network =
    tool.hostName === '127.0.0.1'
      ? ['--network', 'host']
      : ['--publish', `127.0.0.1:${port}:${port}`, '--add-host', 'host.docker.internal:host-gateway'];
  const variables = Object.entries(environment).flatMap(([key, value]) => ['--env', `${key}=${value}`]);
  return [
    'run',
    '--rm',
    '--name',
    name,
    ...LIKE_FARGATE,
    ...ownArguments(tool),
    ...network,
    ...variables,
    image,
  ];
}

/** ECS looks at no HEALTHCHECK of an image, and its read-only file system has no writable /tmp. */
function ownArguments({ name }: ContainerTool): readonly string[] {
  if (name === 'podman') return ['--no-healthcheck', '--read-only-tmpfs=false'];
  return name === 'docker' ? ['--no-healthcheck'] : [];
}
