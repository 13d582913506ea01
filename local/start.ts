import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { onEndSignals } from '../runtime/end-signals';
import { createLogger } from '../runtime/observability/logger';
import { ConsoleSink } from '../runtime/sinks/console-sink';
import { Terminal } from '../runtime/sinks/terminal';
import { CallReader } from '../runtime/store/call-reader';
import { createDocumentClient } from '../runtime/store/dynamodb-client';
import type { StoredCall } from '../runtime/store/stored-call';
import { LOCAL_REGION, LOCAL_STORE_DIRECTORY } from './embedded-dynamodb';
import { loadMoonshine } from './gladia/moonshine-recogniser';
import type { Recogniser } from './gladia/recogniser';
import { createScriptedRecogniser } from './gladia/scripted-recogniser';
import { CallWatch } from './start/call-watch';
import { isWhole, report } from './start/report';
import { startAudio, type StartAudio } from './start/start-audio';
import { parseStartOptions, START_USAGE, type StartOptions } from './start/start-options';
import type { Call } from './twilio/twilio-caller';
import { startWorld, type World } from './world';

// The AWS SDK warns about Node 20 on every client; the container runs Node 24.
process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] = 'true';

const CALL_END_GRACE_MS = 500;
/** For the last writes to reach the store. */
const STORED_WITHIN_MS = 10_000;
const STORED_POLL_MS = 100;

const terminal = new Terminal(process.stdout, process.env);
/** Nobody reads the output any more, such as `head`: that ends the calls as Ctrl-C does. */
const outputClosed = new AbortController();
process.stdout.on('error', () => outputClosed.abort());

async function main(): Promise<number> {
  let options: StartOptions;
  try {
    options = parseStartOptions(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`${errorText(error)}\n\n${START_USAGE}\n`);
    return 2;
  }
  if (options.wantsHelp) {
    terminal.line(START_USAGE);
    return 0;
  }
  let audio: StartAudio;
  try {
    audio = startAudio(options);
  } catch (error) {
    process.stderr.write(`${errorText(error)}\n`);
    return 2;
  }
  const recogniser = await createRecogniser(options, audio);
  const watch = new CallWatch();
  let world: World | undefined;
  try {
    world = await startWorld({
      gladia: { recogniser, keep: 'digest' },
      storeDirectory: LOCAL_STORE_DIRECTORY,
      // One recorded side is one track: the other has nobody on it.
      settings: audio.outbound === undefined ? { TRACKS: 'inbound' } : {},
      sinks: [watch, new ConsoleSink(terminal)],
      timing: { callEndGraceMs: CALL_END_GRACE_MS },
      // Whoever brings a client of his own must see what becomes of it.
      logger: createLogger(options.stays ? 'warn' : 'error', 2),
    });
    return await run(world, watch, options, audio);
  } finally {
    await world?.close();
    await recogniser.close();
  }
}

async function createRecogniser({ isScripted }: StartOptions, { script }: StartAudio): Promise<Recogniser> {
  if (isScripted) return createScriptedRecogniser(() => script);
  const showProgress = (share: number): void =>
    terminal.live('model', `Loading the speech model: ${Math.round(share * 100)} %`);
  showProgress(0);
  if (!terminal.isInteractive) terminal.line('Loading the speech model ...');
  const recogniser = await loadMoonshine({ onProgress: showProgress });
  terminal.live('model', undefined);
  return recogniser;
}

async function run(
  world: World,
  watch: CallWatch,
  options: StartOptions,
  audio: StartAudio,
): Promise<number> {
  const live = new Set<Call>();
  const interrupted = onInterrupt(() => live.forEach((call) => call.hangUp()));
  const place = async (): Promise<Call> => {
    const call = world.call({
      audio: { inbound: audio.inbound, ...(audio.outbound && { outbound: audio.outbound }) },
    });
    live.add(call);
    const { end, error } = await call.done;
    if (error !== undefined) throw error;
    if (end === 'stopped') await watch.whenEnded(call.callSid);
    live.delete(call);
    return call;
  };

  introduce(world, options, audio);
  const count = interrupted.signal.aborted ? 0 : options.calls;
  const calls = await Promise.all(Array.from({ length: count }, place));
  if (outputClosed.signal.aborted) return 0;
  const stored = await readStored(world, calls);
  report(terminal, stored);
  const isComplete = stored.length === calls.length && stored.every(isWhole);
  const placeAndReport = async (): Promise<void> =>
    report(terminal, await readStored(world, [await place()]));
  if (options.stays && !interrupted.signal.aborted) await stay(world, placeAndReport, interrupted.signal);
  terminal.line();
  terminal.line(terminal.styled('Again any time: npm run transcripts -- list', 'dim'));
  return isComplete || interrupted.signal.aborted ? 0 : 1;
}

function introduce(world: World, { calls }: StartOptions, { title, inbound }: StartAudio): void {
  const seconds = Math.round(inbound.length / 8_000);
  const dim = (text: string): void => terminal.line(terminal.styled(text, 'dim'));
  terminal.line(terminal.styled('Callscript on this machine', 'bold'));
  dim(`store    embedded DynamoDB, kept in ${LOCAL_STORE_DIRECTORY}`);
  dim(`speech   local Gladia server: ${world.gladia.recogniserName}`);
  dim(`relay    listening on port ${world.relay.port}, metrics on ${metricsUrl(world)}`);
  dim(`call     ${calls === 1 ? '' : `${calls} times `}${title}, ${seconds} s, at real pace`);
  terminal.line();
}

function metricsUrl({ relay }: World): string {
  return `http://127.0.0.1:${relay.adminPort}/metrics`;
}

/** The first Ctrl-C ends the calls and with them the command; a second one ends at once. */
function onInterrupt(end: () => void): AbortController {
  const interrupted = new AbortController();
  const onFirst = (): void => {
    interrupted.abort();
    end();
  };
  onEndSignals(onFirst, () => process.exit(1));
  if (outputClosed.signal.aborted) onFirst();
  else outputClosed.signal.addEventListener('abort', onFirst);
  return interrupted;
}

/** The calls as the store has them, once each is there as a whole. */
async function readStored(world: World, calls: readonly Call[]): Promise<StoredCall[]> {
  const client = createDocumentClient({ region: LOCAL_REGION, endpoint: world.store.endpoint, attempts: 3 });
  const reader = new CallReader({ client, tableName: world.config.store.table });
  const until = Date.now() + STORED_WITHIN_MS;
  try {
    for (;;) {
      const stored = await Promise.all(calls.map(({ callSid }) => reader.readCall(callSid)));
      const found = stored.filter((call) => call !== undefined);
      const isDone = found.length === calls.length && found.every(({ call }) => call.status === 'completed');
      if (isDone || Date.now() > until) return found;
      await new Promise((resolve) => setTimeout(resolve, STORED_POLL_MS));
    }
  } finally {
    client.destroy();
  }
}

async function stay(
  world: World,
  placeAndReport: () => Promise<void>,
  interrupted: AbortSignal,
): Promise<void> {
  const port = world.relay.port;
  terminal.line();
  terminal.line('Still serving. Enter places another call, Ctrl-C ends.');
  terminal.line(`  watch    npm run transcripts -- tail        (in another terminal)`);
  terminal.line(`  health   curl http://127.0.0.1:${port}/health`);
  terminal.line(`  metrics  curl ${metricsUrl(world)}`);
  terminal.line(
    `  your own client: POST http://127.0.0.1:${port}/voice and ws://127.0.0.1:${port}${world.config.mediaPath}`,
  );
  terminal.line(
    `           signed for ${world.publicUrl} with the token ${world.authToken} (of this run only)`,
  );
  terminal.line(`           and AccountSid ${world.accountSid}`);
  terminal.line();
  const input = createInterface({ input: process.stdin });
  input.on('line', () => {
    placeAndReport().catch((error: unknown) => terminal.line(`The call failed: ${errorText(error)}`));
  });
  if (!interrupted.aborted) await once(interrupted, 'abort');
  input.close();
}

function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

main().then(
  (exitCode) => process.exit(exitCode),
  (error: unknown) => {
    process.stderr.write(`${errorText(error)}\n`);
    process.exit(1);
  },
);
