import { Secret } from '../../../runtime/model/secret';
import { Rollover } from '../../../runtime/speech/rollover';
import type { MintedSession, MintRefused } from '../../../runtime/speech/session-mint';

const TIMING = {
  rolloverAfterMs: 1_000,
  rolloverPauseMs: 500,
  rolloverWaitMs: 3_000,
  rolloverOverlapMs: 200,
};

function minted(sessionId: string): MintedSession {
  const slot = { ticket: 1, release: () => undefined, answered: () => undefined, refused: () => undefined };
  return { grant: { sessionId, url: new Secret('ws://x') }, slot, atMs: 0 };
}

function rollover() {
  const time = { nowMs: 0 };
  const asked: {
    answer: (minted: MintedSession | MintRefused | undefined) => void;
    unwanted: AbortSignal;
  }[] = [];
  const discarded: string[] = [];
  const target = new Rollover({
    timing: TIMING,
    mint: (unwanted) => new Promise((answer) => asked.push({ answer, unwanted })),
    discard: ({ grant }) => discarded.push(grant.sessionId),
    onFault: (error) => {
      throw error;
    },
    now: () => time.nowMs,
  });
  const answer = async (result: MintedSession | MintRefused | undefined): Promise<void> => {
    asked.at(-1)!.answer(result);
    await new Promise(setImmediate);
  };
  target.begin(0);
  return { target, time, asked, discarded, answer };
}

test('a young session stays, however quiet it is', () => {
  const { target, time, asked } = rollover();
  time.nowMs = 999;
  expect(target.step(60_000)).toBe('stay');
  expect(target.isDue).toBe(false);
  expect(asked).toHaveLength(0);
});

test('an old session hands on in the first pause in which its successor is there', async () => {
  const { target, time, asked, answer } = rollover();
  time.nowMs = 1_000;
  expect(target.step(900)).toBe('stay');
  expect(target.step(900)).toBe('stay');
  expect(asked).toHaveLength(1);
  await answer(minted('next'));
  expect(target.step(499)).toBe('stay');
  expect(target.step(500)).toBe('hand-on-in-pause');
  expect(target.take()?.grant.sessionId).toBe('next');
  expect(target.take()).toBeUndefined();
});

test('without a pause it hands on when it has waited long enough', async () => {
  const { target, time, answer } = rollover();
  time.nowMs = 5_000;
  target.step(0);
  await answer(minted('next'));
  time.nowMs = 7_999;
  expect(target.step(0)).toBe('stay');
  time.nowMs = 8_000;
  expect(target.step(0)).toBe('hand-on-now');
});

test('without a successor it stays, and asks no second time after a refusal for good', async () => {
  const { target, time, asked, answer } = rollover();
  time.nowMs = 1_000;
  target.step(0);
  await answer({ refusedAs: 'http-402' });
  time.nowMs = 100_000;
  expect(target.step(60_000)).toBe('stay');
  expect(asked).toHaveLength(1);
});

test('a successor that is not needed any more is ended, whenever it comes', async () => {
  const { target, time, asked, discarded, answer } = rollover();
  time.nowMs = 1_000;
  target.step(0);
  await answer(minted('there'));
  target.begin(1_000);
  expect(discarded).toEqual(['there']);
  time.nowMs = 2_000;
  target.step(0);
  target.close();
  target.close();
  expect(asked[1]!.unwanted.aborted).toBe(true);
  await answer(minted('late'));
  expect(discarded).toEqual(['there', 'late']);
  expect(target.isDue).toBe(false);
});
