import { spawnSync } from 'node:child_process';

export const CONTAINER_TOOLS = ['docker', 'finch', 'podman', 'buildah'] as const;
export type ContainerToolName = (typeof CONTAINER_TOOLS)[number];

export interface ContainerTool {
  readonly name: ContainerToolName;
  /** Buildah builds images and runs no service. */
  readonly canRun: boolean;
  /**
   * How a container reaches this machine's loopback: by being on the host's own network, or by a name where the engine
   * is in a virtual machine (macOS, Windows, Docker Desktop).
   */
  readonly hostName: '127.0.0.1' | 'host.docker.internal';
}

/** What a command said. */
export interface CommandResult {
  readonly ok: boolean;
  readonly output: string;
}
export type RunCommand = (command: string, args: readonly string[]) => CommandResult;

const INSTALL = `Install one and start it: Docker (docs.docker.com/get-docker), Finch (runfinch.com), or on Debian and Ubuntu: apt-get install podman`;

/**
 * The first tool whose `info` succeeds: a client without an engine behind it is on many machines.
 *
 * @throws Error that says what each of them answered and what to install
 */
export function findContainerTool(
  run: RunCommand = runCommand,
  platform: NodeJS.Platform = process.platform,
): ContainerTool {
  const answers: string[] = [];
  for (const name of CONTAINER_TOOLS) {
    const { ok, output } = run(name, ['info']);
    if (ok) {
      const isOnHost = platform === 'linux' && !output.includes('Docker Desktop');
      const hostName = isOnHost ? '127.0.0.1' : 'host.docker.internal';
      return { name, canRun: name !== 'buildah', hostName };
    }
    answers.push(`  ${name}: ${output.trim().split('\n').at(-1) ?? ''}`);
  }
  throw new Error(`No container tool answers to \`info\`:\n${answers.join('\n')}\n${INSTALL}`);
}

/** Runs a command to its end. Never throws: one that is not installed is one that failed. */
export function runCommand(command: string, args: readonly string[]): CommandResult {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8' });
  if (error !== undefined)
    return {
      ok: false,
      output: 'code' in error && error.code === 'ENOENT' ? 'not installed' : error.message,
    };
  return status === 0 ? { ok: true, output: stdout } : { ok: false, output: `${stdout}${stderr}` };
}
