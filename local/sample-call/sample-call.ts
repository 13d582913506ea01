import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Track } from '../../runtime/model/audio';

/** One thing said, as written in script.json. */
export interface ScriptTurn {
  /** inbound is the customer, outbound the agent. */
  readonly track: Track;
  /** Quiet before this turn, after the end of the one before. */
  readonly pauseMs: number;
  readonly text: string;
}

/** One thing said, with its place in the audio. */
export interface SampleTurn {
  readonly track: Track;
  /** From the start of the audio to where the voice is heard first. */
  readonly startMs: number;
  /** To where the voice is heard last. */
  readonly endMs: number;
  readonly text: string;
}

export interface SampleCall {
  /** The customer, mu-law 8 kHz; as long as `outbound`. */
  readonly inbound: Buffer;
  /** The agent, mu-law 8 kHz. */
  readonly outbound: Buffer;
  readonly durationMs: number;
  /** In the order spoken. */
  readonly turns: readonly SampleTurn[];
}

const FOLDER = __dirname;

/** The files of the sample call: `script` is written by people, the others by `npm run sample-call`. */
export const SAMPLE_CALL_FILES = {
  script: join(FOLDER, 'script.json'),
  inbound: join(FOLDER, 'inbound.ulaw'),
  outbound: join(FOLDER, 'outbound.ulaw'),
  timings: join(FOLDER, 'timings.json'),
} as const;

/** The committed conversation: a customer calls a bicycle workshop. Reads its files each time. */
export function loadSampleCall(): SampleCall {
  const inbound = readFileSync(SAMPLE_CALL_FILES.inbound);
  const outbound = readFileSync(SAMPLE_CALL_FILES.outbound);
  const turns = JSON.parse(readFileSync(SAMPLE_CALL_FILES.timings, 'utf8')) as SampleTurn[];
  return { inbound, outbound, durationMs: inbound.length / 8, turns };
}
