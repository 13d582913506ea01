import { parseArgs } from 'node:util';

export const TRANSCRIPTS_USAGE = `Reads stored calls.

Usage: npm run transcripts -- <command> [options]

Commands
  list              calls, newest first
  show CALLSID      one call: its legs, the conversation, its gaps, the audio ledger, the latency
  tail [CALLSID]    new lines of all live calls, or of one call until it is over

CALLSID may be the end of one, at least 6 characters, as tail prints it.

Options
  --table NAME      a DynamoDB table in AWS, with the credentials and the AWS_REGION of the environment;
                    without it the store of npm start is read
  --days N          list: days to look back (30)
  --limit N         list: most calls shown (20)
  --json            for programs: list and show give one document, tail a line per segment;
                    npm run -s keeps npm's own lines out: npm run -s transcripts -- list --json
  --help            this text`;

interface Common {
  readonly table?: string;
  readonly json: boolean;
}
export type TranscriptsCommand =
  | { readonly name: 'help' }
  | (Common & { readonly name: 'list'; readonly days: number; readonly limit: number })
  | (Common & { readonly name: 'show'; readonly callSid: string })
  | (Common & { readonly name: 'tail'; readonly callSid?: string });

/** The command line is wrong; the message says how. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** @throws UsageError */
export function parseCommandLine(args: readonly string[]): TranscriptsCommand {
  const { values, positionals } = parse(args);
  const [name, callSid, ...more] = positionals;
  if (values.help === true) return { name: 'help' };
  const common = {
    json: values.json === true,
    ...(values.table === undefined ? {} : { table: values.table }),
  };
  const most = name === 'list' ? 0 : 1;
  if (more.length > 0 || (most === 0 && callSid !== undefined)) {
    throw new UsageError(`There is an argument too many: ${positionals.slice(most + 1).join(' ')}`);
  }
  switch (name) {
    case 'list':
      return { name, ...common, days: count('--days', values.days), limit: count('--limit', values.limit) };
    case 'show':
      if (callSid === undefined)
        throw new UsageError('show needs the CallSid of a call, such as those that list shows');
      return { name, ...common, callSid };
    case 'tail':
      return { name, ...common, ...(callSid === undefined ? {} : { callSid }) };
    case undefined:
      throw new UsageError('A command is missing: list, show or tail');
    default:
      throw new UsageError(`There is no command ${JSON.stringify(name)}: use list, show or tail`);
  }
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        table: { type: 'string' },
        days: { type: 'string', default: '30' },
        limit: { type: 'string', default: '20' },
        json: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function count(option: string, text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0 && value <= 10_000) return value;
  throw new UsageError(`${option} is ${JSON.stringify(text)}: it must be a whole number from 1 to 10000`);
}
