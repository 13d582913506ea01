import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { muLawToLinear } from '../audio/mu-law';
import { readWavAsMuLaw } from '../audio/wav';

export interface Voice {
  /** A voice of Debian's flite. */
  readonly name: string;
  /** The program; another path is for tests. */
  readonly command?: string;
}

/** About -42 dBFS: under it is the quiet that flite puts round its voice. */
const AUDIBLE = 256;
/** Kept on both sides of the voice, so that no soft consonant is cut. */
const MARGIN_BYTES = 30 * 8;

/**
 * Speaks a text: mu-law at 8 kHz, without the quiet before and after it.
 * @throws Error that names the command to install flite when it is missing.
 */
export function speak(text: string, { name, command = 'flite' }: Voice): Buffer {
  const folder = mkdtempSync(join(tmpdir(), 'sample-call-'));
  try {
    const file = join(folder, 'turn.wav');
    runFlite(command, ['-voice', name, '-t', text, '-o', file]);
    return trimQuiet(readWavAsMuLaw(file));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function runFlite(command: string, args: readonly string[]): void {
  try {
    execFileSync(command, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw new Error(
      `${command} is not installed, and the sample call is spoken by it. Install it with: sudo apt-get install flite`,
      { cause: error },
    );
  }
}

function trimQuiet(audio: Buffer): Buffer {
  const isAudible = (byte: number): boolean => Math.abs(muLawToLinear(byte)) > AUDIBLE;
  const first = audio.findIndex(isAudible);
  const last = audio.findLastIndex(isAudible);
  if (first < 0) return Buffer.alloc(0);
  return audio.subarray(Math.max(0, first - MARGIN_BYTES), last + MARGIN_BYTES);
}
