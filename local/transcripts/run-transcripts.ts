import { storeErrorKind } from '../../runtime/store/store-error';
import { LOCAL_STORE_DIRECTORY } from '../embedded-dynamodb';
import { accessErrorText } from './access-error';
import { parseCommandLine, TRANSCRIPTS_USAGE, UsageError, type TranscriptsCommand } from './command-line';
import { callLegs } from './call-legs';
import { findCallSid } from './find-call-sid';
import { openStore, StoreAccessError, type OpenStore } from './open-store';
import { renderCall, segmentLines } from './render-call';
import { renderList } from './render-list';
import { tailCall, tailLiveCalls } from './tail-calls';
import { createStyled } from './text-style';

export interface TranscriptsRun {
  readonly environment: NodeJS.ProcessEnv;
  /** Takes one line. */
  readonly out: (line: string) => void;
  readonly err: (line: string) => void;
  readonly color: boolean;
  /** Ends `tail`. */
  readonly signal: AbortSignal;
  readonly pollMs?: number;
  /** Of the local store. */
  readonly directory?: string;
}

type Command = Exclude<TranscriptsCommand, { name: 'help' }>;
type CommandOf<Name extends Command['name']> = Extract<Command, { name: Name }>;

const POLL_MS = 500;

/** `npm run transcripts -- ...`. @returns the exit code: 1 for what could not be read, 2 for a wrong command line. */
export async function runTranscripts(args: readonly string[], run: TranscriptsRun): Promise<number> {
  let store: OpenStore | undefined;
  try {
    const command = parseCommandLine(args);
    if (command.name === 'help') {
      run.out(TRANSCRIPTS_USAGE);
      return 0;
    }
    const { directory = LOCAL_STORE_DIRECTORY, environment } = run;
    const { table } = command;
    store = await openStore({ directory, environment, ...(table === undefined ? {} : { table }) });
    return await runCommand(command, store, run);
  } catch (error) {
    if (run.signal.aborted) return 0;
    if (error instanceof UsageError) {
      run.err(`${error.message}\n\n${TRANSCRIPTS_USAGE}`);
      return 2;
    }
    run.err(accessErrorText(error));
    return 1;
  } finally {
    await store?.close();
  }
}

function runCommand(command: Command, store: OpenStore, run: TranscriptsRun): Promise<number> {
  switch (command.name) {
    case 'list':
      return list(command, store, run);
    case 'show':
      return show(command, store, run);
    case 'tail':
      return tail(command, store, run);
  }
}

async function list(command: CommandOf<'list'>, { reader }: OpenStore, run: TranscriptsRun): Promise<number> {
  const calls = await reader.listCalls(command);
  if (command.json) run.out(JSON.stringify(calls, null, 2));
  else if (calls.length > 0) renderList(calls).forEach(run.out);
  else run.out(`No calls in the last ${command.days} days.`);
  return 0;
}

async function show(
  { callSid: given, json }: CommandOf<'show'>,
  { reader }: OpenStore,
  run: TranscriptsRun,
): Promise<number> {
  const callSid = await findCallSid(reader, given);
  const stored = callSid === undefined ? undefined : await reader.readCall(callSid);
  if (stored === undefined) throw unknownCall(given);
  if (json) run.out(JSON.stringify({ ...stored, legs: callLegs(stored.call) }, null, 2));
  else renderCall(stored, run).forEach(run.out);
  return 0;
}

async function tail(command: CommandOf<'tail'>, store: OpenStore, run: TranscriptsRun): Promise<number> {
  const { callSid: given, json, table } = command;
  const { reader } = store;
  const callSid = given === undefined ? undefined : await findCallSid(reader, given);
  if (given !== undefined && callSid === undefined) throw unknownCall(given);
  if (callSid === undefined && table === undefined && !store.running) {
    throw new StoreAccessError(
      'Nothing runs here now, so there are no live calls: run npm start -- --stay first',
    );
  }
  const styled = createStyled(run.color);
  const options = {
    reader,
    pollMs: run.pollMs ?? POLL_MS,
    signal: run.signal,
    onFollowing: (): void => run.err(`Following ${callSid ?? 'all live calls'}. Ctrl-C ends.`),
    onSegment: (of: string, segment: Parameters<typeof segmentLines>[0]): void => {
      if (json) return run.out(JSON.stringify({ ...segment, callSid: of }));
      const label = callSid === undefined ? `${of.slice(-6)}  ` : '';
      for (const line of segmentLines(segment, styled)) run.out(label + line);
    },
  };
  try {
    await (callSid === undefined ? tailLiveCalls(options) : tailCall(callSid, options));
  } catch (error) {
    if (!store.running || storeErrorKind(error) !== 'retry') throw error;
    if (!run.signal.aborted) run.err('The program that had the store open has ended.');
  }
  return 0;
}

function unknownCall(callSid: string): StoreAccessError {
  return new StoreAccessError(
    `There is no call ${callSid}: npm run transcripts -- list shows those there are`,
  );
}
