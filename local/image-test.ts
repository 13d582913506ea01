import { readFileSync } from 'node:fs';
import { checkConfinement } from './image/confinement';
import { Container } from './image/container';
import { findContainerTool, runCommand, type ContainerTool } from './image/container-tool';
import { healthCommand } from './image/dockerfile';
import { freePort } from './image/free-port';
import { appLayerBytes, HISTORY_FORMAT } from './image/image-layers';
import { startImageWorld, type ImageWorld } from './image/image-world';
import { isWhole } from './start/report';

// The AWS SDK warns about Node 20 on every client; the container runs Node 24.
process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] = 'true';

const CONTEXT = 'runtime';
const IMAGE = 'callscript-relay:test';
const MOST_APP_BYTES = 5_000_000;
/** As the task definition has it: the most that Fargate grants. */
const STOP_TIMEOUT_SECONDS = 120;
/** Of the second call's audio, at SIGTERM. */
const TURNS_BEFORE_STOP = 4;
const WAIT_MS = 60_000;
/** Program: the most memory that the container's first process has had, in KiB. */
const PEAK_MEMORY = "/VmHWM:\\s+(\\d+)/.exec(fs.readFileSync('/proc/1/status'))[1]";

const say = (line: string): void => console.log(line);
const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`;
const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;

async function main(): Promise<void> {
  const tool = findContainerTool();
  say(`Testing the relay's image with ${tool.name}`);
  build(tool);
  if (!tool.canRun)
    throw new Error('buildah builds the image, but cannot run it as Fargate would: install podman as well');
  const world = await startImageWorld();
  const port = await freePort();
  const container = new Container({
    tool,
    image: IMAGE,
    name: `callscript-image-test-${process.pid}`,
    port,
    environment: world.environment({ hostName: tool.hostName, port }),
  });
  const remove = (): never => {
    container.remove();
    process.exit(1);
  };
  process.once('SIGINT', remove).once('SIGTERM', remove);
  try {
    await testContainer(container, world, port);
  } catch (error) {
    say(`\nThe container's last lines:\n${container.lines.slice(-20).join('\n')}\n`);
    throw error;
  } finally {
    container.remove();
    await world.close();
  }
}

function build(tool: ContainerTool): void {
  const startedAt = performance.now();
  // The OCI format has no HEALTHCHECK.
  const format = tool.name === 'podman' || tool.name === 'buildah' ? ['--format', 'docker'] : [];
  const built = runCommand(tool.name, ['build', ...format, '--tag', IMAGE, CONTEXT]);
  if (!built.ok) throw new Error(`The build of ${CONTEXT}/Dockerfile failed:\n${built.output}`);
  say(`  built           ${seconds(performance.now() - startedAt)}`);
  if (tool.name === 'buildah') return;
  const history = runCommand(tool.name, ['history', '--no-trunc', '--format', HISTORY_FORMAT, IMAGE]);
  if (!history.ok) throw new Error(`The image's history cannot be read:\n${history.output}`);
  const bytes = appLayerBytes(history.output);
  if (bytes === 0 || bytes >= MOST_APP_BYTES)
    throw new Error(
      `The relay's layers are ${megabytes(bytes)}; allowed is up to ${megabytes(MOST_APP_BYTES)}`,
    );
  say(`  relay's layers  ${megabytes(bytes)} on top of the base image`);
}

async function testContainer(container: Container, world: ImageWorld, port: number): Promise<void> {
  const { adminPort } = await container.logged('Relay started');
  say(`  confined        ${await checkConfinement(container)}`);
  await container.exec(...healthCommand(readFileSync(`${CONTEXT}/Dockerfile`, 'utf8')));
  say('  healthy         the HEALTHCHECK of the Dockerfile says so');
  const ready = await container.exec(
    'node',
    '-e',
    `fetch('http://127.0.0.1:${String(adminPort)}/ready').then((answer) => answer.text()).then(console.log)`,
  );
  if (!ready.includes('"ready":true')) throw new Error(`The relay is not ready: ${ready}`);
  say('  ready           keys read from Secrets Manager, table found');

  await wholeCall(world, port);
  await stopInCall(container, world, port);
  say('The image does what it should.');
}

/** A signed call from its first word to its last. */
async function wholeCall(world: ImageWorld, port: number): Promise<void> {
  const call = world.call(port);
  const { end, error } = await call.done;
  if (error !== undefined || end !== 'stopped')
    throw error ?? new Error(`The call's stream ended so: ${end}`);
  const stored = await untilWhole(world, call.callSid);
  const heard = stored.segments.map(({ text }) => text);
  if (heard.join('\n') !== world.turns.join('\n'))
    throw new Error(
      `The call is stored with ${heard.length} of its ${world.turns.length} turns, or in another order`,
    );
  say(`  a call          ${heard.length} of ${heard.length} turns stored in order, ledger complete`);
}

/** A deployment while somebody speaks. */
async function stopInCall(container: Container, world: ImageWorld, port: number): Promise<void> {
  const call = world.call(port);
  await world.gladia.waitFor(({ sessions }) => (sessions[1]?.finals.length ?? 0) >= TURNS_BEFORE_STOP, {
    timeoutMs: WAIT_MS,
    what: `${TURNS_BEFORE_STOP} finals of the second call`,
  });
  const peak = await container.exec('node', '-p', PEAK_MEMORY);
  say(`  memory          ${megabytes(1_024 * Number(peak))} at most so far`);
  const { exitCode, tookMs } = await container.stop(STOP_TIMEOUT_SECONDS);
  if (exitCode !== 0) throw new Error(`After SIGTERM the relay exited with ${exitCode}, not 0`);
  if (tookMs > STOP_TIMEOUT_SECONDS * 1_000)
    throw new Error(`After SIGTERM the relay took ${seconds(tookMs)}`);
  const stored = await world.read(call.callSid);
  const count = stored.segments.length;
  // Nobody can take the call over: the relay keeps it as long as it may, perhaps to its end.
  const isEnded = ['drained', 'stopped'].includes(stored.call.endReason ?? '');
  if (!isWhole(stored) || !isEnded || count < TURNS_BEFORE_STOP)
    throw new Error(`After SIGTERM the live call is not finished: ${JSON.stringify(stored.call)}`);
  await call.done;
  say(
    `  SIGTERM         in a second call: exit code 0 after ${seconds(tookMs)}, its ${count} turns stored, ledger complete`,
  );
}

/** The last writes may still be on their way when the caller hangs up. */
async function untilWhole(
  world: ImageWorld,
  callSid: string,
): Promise<Awaited<ReturnType<ImageWorld['read']>>> {
  const until = performance.now() + WAIT_MS;
  for (;;) {
    const stored = await world.read(callSid);
    if (isWhole(stored)) return stored;
    if (performance.now() > until)
      throw new Error(`The call is not whole in the store: ${JSON.stringify(stored.call)}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

main().then(
  () => process.exit(0),
  (error: unknown) => {
    process.stderr.write(`FAILED: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  },
);
