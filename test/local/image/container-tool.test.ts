import { findContainerTool, runCommand, type RunCommand } from '../../../local/image/container-tool';

/** Each of these answers `info`; every other one is a client without an engine. */
function machineWith(tools: Readonly<Record<string, string>>): RunCommand {
  return (command) => {
    const output = tools[command];
    return output === undefined
      ? { ok: false, output: `Client: 1\nCannot connect to the ${command} daemon\n` }
      : { ok: true, output };
  };
}

test.each([
  ['docker', { docker: '', finch: '', podman: '', buildah: '' }],
  ['finch', { finch: '', podman: '', buildah: '' }],
  ['podman', { podman: '', buildah: '' }],
  ['buildah', { buildah: '' }],
])('%s is taken when it is the first whose info succeeds', (name, tools) => {
  expect(findContainerTool(machineWith(tools), 'linux').name).toBe(name);
});

test('buildah builds but does not run', () => {
  expect(findContainerTool(machineWith({ buildah: '' }), 'linux').canRun).toBe(false);
  expect(findContainerTool(machineWith({ podman: '' }), 'linux').canRun).toBe(true);
});

test.each([
  ['linux', 'Operating System: Debian', '127.0.0.1'],
  ['linux', 'Operating System: Docker Desktop', 'host.docker.internal'],
  ['darwin', 'Operating System: Debian', 'host.docker.internal'],
  ['win32', '', 'host.docker.internal'],
] as const)('on %s with %j this machine is %s from within', (platform, info, hostName) => {
  expect(findContainerTool(machineWith({ docker: info }), platform).hostName).toBe(hostName);
});

test('without any the error says what each answered and what to install', () => {
  const find = (): unknown => findContainerTool(machineWith({}), 'linux');
  expect(find).toThrow(/docker: Cannot connect to the docker daemon/);
  expect(find).toThrow(/buildah: Cannot connect[\s\S]*apt-get install podman/);
});

test('a program that is not there has failed', () => {
  expect(runCommand('callscript-no-such-program', [])).toEqual({ ok: false, output: 'not installed' });
});

test('a command gives what it printed, and whether it succeeded', () => {
  const node = (program: string) => runCommand(process.execPath, ['-e', program]);
  expect(node('console.log("yes")')).toEqual({ ok: true, output: 'yes\n' });
  expect(node('console.log("a"); console.error("b"); process.exit(3)')).toEqual({
    ok: false,
    output: 'a\nb\n',
  });
});
