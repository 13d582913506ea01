import type { LiveLeg } from '../../../runtime/call/calls';
import { handAllOver, type HandAllOverOptions } from '../../../runtime/continuity/hand-all-over';

interface Leg {
  state: 'waiting' | 'streaming' | 'finishing';
}

const live = (leg: Leg): LiveLeg => leg as unknown as LiveLeg;

function callsOf(legs: readonly Leg[]): HandAllOverOptions['calls'] {
  return {
    get streaming() {
      return legs.filter(({ state }) => state === 'streaming').map(live);
    },
    get streamingLegs() {
      return legs.filter(({ state }) => state !== 'finishing').length;
    },
  };
}

/** Legs that are handed over at once, and what was done, in order. */
function played(legs: readonly Leg[], more: Partial<HandAllOverOptions['handOver']> = {}) {
  const handed: Leg[] = [];
  const stopped: Leg[] = [];
  const end = (leg: LiveLeg): Leg => Object.assign(leg as unknown as Leg, { state: 'finishing' });
  const handOver: HandAllOverOptions['handOver'] = {
    isUnanswered: false,
    handOver: async (leg) => void handed.push(end(leg)),
    async stopFirst(leg) {
      if ((leg as unknown as Leg).state === 'streaming') stopped.push(end(leg));
    },
    ...more,
  };
  const calls = callsOf(legs);
  return { options: { handOver, calls, reattaching: new Set<Promise<void>>(), pollMs: 1 }, handed, stopped };
}

/** As a hand-over that nobody takes. */
function untilTimeIsUp(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}

test('A stream whose start comes after all others were handed over is handed over, too', async () => {
  const [first, late]: [Leg, Leg] = [{ state: 'streaming' }, { state: 'waiting' }];
  const { options, handed } = played([first, late]);
  setTimeout(() => (late.state = 'streaming'), 20);
  await handAllOver({ ...options, timeoutMs: 20_000 });
  expect(handed).toEqual([first, late]);
});

test('A socket that closes before its start keeps nobody waiting', async () => {
  const leg: Leg = { state: 'waiting' };
  const { options, handed } = played([leg]);
  setTimeout(() => (leg.state = 'finishing'), 20);
  await handAllOver({ ...options, timeoutMs: 20_000 });
  expect(handed).toEqual([]);
});

test('A stream is stopped first when the time for its hand-over is up', async () => {
  const leg: Leg = { state: 'streaming' };
  const { options, stopped } = played([leg], { handOver: (_leg, signal) => untilTimeIsUp(signal) });
  await handAllOver({ ...options, timeoutMs: 20 });
  expect(stopped).toEqual([leg]);
});

test('Streams whose start comes when the time is up are stopped first at once', async () => {
  const [first, late]: [Leg, Leg] = [{ state: 'streaming' }, { state: 'waiting' }];
  const handOver = async (leg: LiveLeg, signal: AbortSignal): Promise<void> => {
    expect(leg).toBe(first);
    await untilTimeIsUp(signal);
    late.state = 'streaming';
  };
  const { options, stopped } = played([first, late], { handOver });
  await handAllOver({ ...options, timeoutMs: 100 });
  expect(stopped).toEqual([first, late]);
});

test('Streams that cannot be stopped, and calls that get no other, do not keep the task from ending', async () => {
  const never = new Promise<void>(() => undefined);
  const { options } = played([{ state: 'streaming' }], {
    handOver: (_leg, signal) => untilTimeIsUp(signal),
    stopFirst: () => never,
  });
  await handAllOver({ ...options, reattaching: new Set([never]), timeoutMs: 20 });
});

describe('When the time is up', () => {
  beforeEach(() => jest.useFakeTimers());
  afterEach(() => jest.useRealTimers());

  test.each([
    ['no stream is stopped first while Twilio gives no answer, for a while', true, [false, true]],
    ['hand-overs end, if Twilio answers', false, [true, true]],
  ])('%s', async (_, isUnanswered, isUp) => {
    const leg: Leg = { state: 'streaming' };
    let timeIsUp: AbortSignal | undefined;
    const handOver = (_leg: LiveLeg, signal: AbortSignal): Promise<void> => {
      timeIsUp = signal;
      return untilTimeIsUp(signal);
    };
    const { options } = played([leg], { isUnanswered, handOver });
    const done = handAllOver({ ...options, timeoutMs: 1_000 });
    await jest.advanceTimersByTimeAsync(1_000);
    const atFirst = timeIsUp?.aborted;
    await jest.advanceTimersByTimeAsync(200);
    expect([atFirst, timeIsUp?.aborted]).toEqual(isUp);
    await done;
  });
});
