import { parseArgs } from 'node:util';

export interface StartOptions {
  readonly customerWav?: string;
  readonly agentWav?: string;
  readonly calls: number;
  readonly stays: boolean;
  readonly isScripted: boolean;
  readonly wantsHelp: boolean;
}

export const START_USAGE = `Runs Callscript on this machine: store, Gladia server, relay, and a simulated call.

  npm start -- [options]

  --wav FILE        the customer's side: any mono WAV, instead of the sample call
  --wav-agent FILE  the agent's side
  --calls N         calls at the same time, 1 to 500 (default 1)
  --stay            keeps serving after the call
  --scripted        no speech model: the words come from a script, or are made up from the loudness
  --help            this text

Transcripts stay in .local/: npm run transcripts -- list`;

const MOST_CALLS = 500;

/** @throws Error with a sentence that names the option, what is wrong and what would be right */
export function parseStartOptions(args: readonly string[]): StartOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      wav: { type: 'string' },
      'wav-agent': { type: 'string' },
      calls: { type: 'string', default: '1' },
      stay: { type: 'boolean', default: false },
      scripted: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const calls = /^\d{1,4}$/.test(values.calls) ? Number(values.calls) : 0;
  if (calls < 1 || calls > MOST_CALLS)
    throw new Error(`--calls: must be a whole number from 1 to ${MOST_CALLS}`);
  if (values['wav-agent'] !== undefined && values.wav === undefined) {
    throw new Error('--wav-agent: needs --wav FILE with the customer as well');
  }
  return {
    ...(values.wav === undefined ? {} : { customerWav: values.wav }),
    ...(values['wav-agent'] === undefined ? {} : { agentWav: values['wav-agent'] }),
    calls,
    stays: values.stay,
    isScripted: values.scripted,
    wantsHelp: values.help,
  };
}
