import { setTimeout } from 'node:timers/promises';
import { TRACKS } from '../../runtime/model/audio';
import { BenchCallers } from './bench-callers';
import type { Certificate } from './certificate';
import type { Cell, Subject } from './cell';
import type { Cores } from './cores';
import { FrameTimes } from './frame-tags';
import { SpeechSide } from './speech-side';
import { startSubject, type StartedSubject } from './start-subject';

export interface BenchWorld {
  readonly cores: Cores | undefined;
  readonly certificate: Certificate | undefined;
  readonly storeEndpoint: string;
  readonly nodeOptions?: readonly string[];
}

const LONGEST_WAIT_MS = 5_000;

/** The world of one measurement, with its load on it. */
export interface Trial {
  readonly subject: StartedSubject;
  readonly speech: SpeechSide;
  readonly callers: BenchCallers;
  readonly times: FrameTimes;
  /** From its start until it listened. */
  readonly startMs: number;
}

/** Starts speech side, subject and callers, and ends them after `play`. */
export async function withTrial<T>(
  { subject, cell, world }: { subject: Subject; cell: Cell; world: BenchWorld },
  play: (trial: Trial) => Promise<T>,
): Promise<T> {
  const times = new FrameTimes(cell.calls);
  const certificate = cell.tls ? world.certificate : undefined;
  const speech = new SpeechSide({ times, channels: cell.tracks, certificate });
  await speech.listen();
  const beganAtMs = performance.now();
  const started = await startSubject(subject, { ...world, cell, speech, certificate });
  const startMs = performance.now() - beganAtMs;
  const tracks = TRACKS.slice(0, cell.tracks);
  const callers = new BenchCallers({ port: started.port, path: '/media', calls: cell.calls, tracks, times });
  try {
    return await play({ subject: started, speech, callers, times, startMs });
  } finally {
    await callers.end();
    await started.end();
    await speech.close();
  }
}

/** Hangs up, and gives the last frames time to arrive. */
export async function endAndWait({ callers, speech }: Trial): Promise<void> {
  await callers.end();
  const untilMs = performance.now() + LONGEST_WAIT_MS;
  while (speech.receivedFrames < callers.sentFrames && performance.now() < untilMs) await setTimeout(50);
}
