import { spawn, type ChildProcessByStdio } from 'node:child_process';
import type { Readable } from 'node:stream';

export interface RelaySpawn {
  /** What Node runs. */
  readonly program: readonly string[];
  /** The whole environment but PATH and what the AWS SDK needs to stay quiet. */
  readonly environment: Readonly<Record<string, string>>;
  /** Without a `.env`, which it would read. */
  readonly directory: string;
}

/** Runs `runtime/main.ts` as a container does: a process of its own, with nothing of ours in its environment. */
export function spawnRelay({
  program,
  environment,
  directory,
}: RelaySpawn): ChildProcessByStdio<null, Readable, Readable> {
  return spawn(process.execPath, program, {
    cwd: directory,
    env: {
      PATH: '/usr/bin:/bin',
      AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
      AWS_EC2_METADATA_DISABLED: 'true',
      ...environment,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}
