import type { SpeechDetector } from '../../../runtime/speech/speech-detector';
import { StallWatch } from '../../../runtime/speech/stall-watch';

const TIMING = { stallAfterMs: 20_000, stallSpeechMs: 6_000, stallAtMostMs: 60_000 };

function watched() {
  const time = { nowMs: 0 };
  const heard = { speechMs: 0, resets: 0 };
  const detector = {
    get speechMs() {
      return heard.speechMs;
    },
    reset: () => {
      heard.resets += 1;
      heard.speechMs = 0;
    },
  } as unknown as SpeechDetector;
  const watch = new StallWatch({ timing: TIMING, detector, now: () => time.nowMs });
  /** Time passes in which a share of the audio is speech. @returns whether it was found stalled, and when */
  const pass = (ms: number, share: number): number | undefined => {
    for (const until = time.nowMs + ms; time.nowMs < until;) {
      time.nowMs += 250;
      if (watch.isListening) heard.speechMs += 250 * share;
      if (watch.tick()) return time.nowMs;
    }
    return undefined;
  };
  return { watch, time, heard, pass };
}

test('speech without a word about it for the whole time is a stall', () => {
  expect(watched().pass(30_000, 1)).toBe(20_000);
});

test('silence and music are none, however long', () => {
  expect(watched().pass(3_600_000, 0)).toBeUndefined();
});

test('a little speech in a long time becomes one when it is enough', () => {
  expect(watched().pass(120_000, 0.1)).toBeGreaterThan(60_000);
});

test('a transcript begins the time anew, and a conversation is not listened to at all', () => {
  const { watch, pass } = watched();
  for (let i = 0; i < 100; i += 1) {
    expect(pass(4_500, 1)).toBeUndefined();
    expect(watch.isListening).toBe(false);
    watch.heard();
  }
  expect(pass(19_000, 1)).toBeUndefined();
});

test('new sessions that are mute, too, get more and more time, up to a bound, until one speaks', () => {
  const { watch, time, pass } = watched();
  const waits: number[] = [];
  for (let i = 0; i < 4; i += 1) {
    const fromMs = time.nowMs;
    waits.push(pass(100_000, 1)! - fromMs);
    watch.recycled();
  }
  expect(waits).toEqual([20_000, 40_000, 60_000, 60_000]);
  watch.heard();
  expect(pass(100_000, 1)! - time.nowMs).toBe(0);
});
