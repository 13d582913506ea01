import { setTimeout as delay } from 'node:timers/promises';
import type { Cut, CutKind, SessionFaults } from '../gladia/faults';
import type { Recogniser } from '../gladia/recogniser';
import { createScriptedRecogniser } from '../gladia/scripted-recogniser';
import type { Trial } from './trial';

export const CUT_KINDS: readonly [CutKind, ...CutKind[]] = [
  'reset',
  'fin',
  { closeCode: 1001 },
  { closeCode: 1011 },
  { closeCode: 4500 },
];
/** Both sides of a call. */
export const BYTES_PER_MS = 16;
/** The frame with which the relay asks what Gladia has may be there twice. */
export const FRAME_MS = 20;

/** What is UNKNOWN of Gladia, drawn for each call. */
export function drawnWorld(trial: Trial): Partial<SessionFaults> {
  return {
    ackRelativeTo: trial.oneOf(['session', 'connection']),
    ackInclusiveEnd: trial.random() < 0.3,
    missedMessages: trial.oneOf(['lost', 'replayed']),
    duplicateFinals: trial.random() < 0.5,
    ackDelayMs: trial.whole(0, 40),
  };
}

export function drawnCuts(
  trial: Trial,
  count: number,
  [fromMs, toMs]: readonly [number, number],
): readonly Cut[] {
  return Array.from({ length: count }, () => ({
    afterBytes: trial.whole(fromMs * BYTES_PER_MS, toMs * BYTES_PER_MS),
    how: trial.oneOf(CUT_KINDS),
    ackLast: trial.random() < 0.5,
  })).toSorted((one, other) => one.afterBytes - other.afterBytes);
}

/** It needs a while for its last words, so that a socket can go between the stop and the end. */
export function slowToFinish(ms: number): Recogniser {
  const recogniser = createScriptedRecogniser();
  return {
    ...recogniser,
    openTrack: (options) => {
      const track = recogniser.openTrack(options);
      return {
        push: (audio) => track.push(audio),
        close: () => track.close(),
        finish: async () => {
          await delay(ms);
          await track.finish();
        },
      };
    },
  };
}
