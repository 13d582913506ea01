import type { EcsTask } from '../ecs/local-ecs';
import type { ExitReason, LogLine, RelayProcess } from './relay-process';

/** One of the relays of a fleet, from its start to its end and after. */
export class FleetRelay {
  /** In order of start, from 0: its number in `kill`, `terminate` and `replace`. */
  readonly index: number;
  /** Its task in the eyes of the fake ECS. */
  readonly task: EcsTask;
  readonly port: number;
  readonly adminPort: number;
  readonly #process: RelayProcess;

  constructor(own: {
    readonly index: number;
    readonly task: EcsTask;
    readonly ports: { readonly port: number; readonly adminPort: number };
    readonly process: RelayProcess;
  }) {
    this.index = own.index;
    this.task = own.task;
    this.port = own.ports.port;
    this.adminPort = own.ports.adminPort;
    this.#process = own.process;
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  /** Resolves with the exit code, or with the signal that ended it. */
  get exited(): Promise<ExitReason> {
    return this.#process.exited;
  }

  get isRunning(): boolean {
    return this.#process.exit === undefined;
  }

  /** Everything it has said on stdout: log lines and embedded metrics. */
  get lines(): readonly LogLine[] {
    return this.#process.lines;
  }

  get stderr(): string {
    return this.#process.stderr;
  }

  /** The first line with this message. */
  logged(message: string): LogLine | undefined {
    return this.#process.logged(message);
  }

  signal(name: NodeJS.Signals): void {
    this.#process.signal(name);
  }

  /** Its metrics in Prometheus text, as its admin port gives them. */
  async scrape(): Promise<string> {
    return (await fetch(`http://127.0.0.1:${this.adminPort}/metrics`)).text();
  }
}
