import { setMaxListeners } from 'node:events';
import type { Calls, LiveLeg } from '../call/calls';
import type { HandOver } from './hand-over';
import { pause } from './pause';

export interface HandAllOverOptions {
  readonly handOver: Pick<HandOver, 'handOver' | 'stopFirst' | 'isUnanswered'>;
  readonly calls: Pick<Calls, 'streaming' | 'streamingLegs'>;
  /** Streams that are being made for lost ones: waited for until the time for hand-overs is up. */
  readonly reattaching: ReadonlySet<Promise<void>>;
  /** For hand-overs. */
  readonly timeoutMs: number;
  /** Between looks for legs that began meanwhile. */
  readonly pollMs: number;
}

/** Times `timeoutMs`: hand-overs are tried for so long while Twilio gives no answer. Stopping first needs one, too. */
const WITHOUT_ANSWER = 1.1;
/** Times `timeoutMs`: stopping streams first is waited for until then, and goes on after it. */
const AT_MOST = 1.2;

/**
 * Hands every leg over, also those whose stream says only meanwhile which call it is of, and stops the others first
 * when the time is up. Resolves when none takes audio any more, at the latest after 1.2 times `timeoutMs`. Never rejects.
 */
export async function handAllOver(options: HandAllOverOptions): Promise<void> {
  const { handOver, reattaching, timeoutMs } = options;
  const [timeIsUp, isOver] = [new AbortController(), new AbortController()];
  setMaxListeners(Infinity, timeIsUp.signal, isOver.signal);
  const timers = [
    setTimeout(() => {
      if (!handOver.isUnanswered) timeIsUp.abort();
    }, timeoutMs),
    setTimeout(() => timeIsUp.abort(), timeoutMs * WITHOUT_ANSWER),
    setTimeout(() => isOver.abort(), timeoutMs * AT_MOST),
  ];
  await giveEach(options, timeIsUp.signal, isOver.signal);
  // Streams that the load balancer cut meanwhile are being made anew.
  await Promise.race([aborted(timeIsUp.signal), Promise.all(reattaching)]);
  timers.forEach(clearTimeout);
}

async function giveEach(
  { handOver, calls, pollMs }: HandAllOverOptions,
  timeIsUp: AbortSignal,
  isOver: AbortSignal,
): Promise<void> {
  const tried = new Set<LiveLeg>();
  const underWay = new Set<Promise<void>>();
  const give = async (leg: LiveLeg): Promise<void> => {
    if (!timeIsUp.aborted) await handOver.handOver(leg, timeIsUp);
    await handOver.stopFirst(leg);
  };
  while (!isOver.aborted) {
    const { streaming } = calls;
    for (const leg of streaming.filter((each) => !tried.has(each))) {
      tried.add(leg);
      const done = give(leg).finally(() => underWay.delete(done));
      underWay.add(done);
    }
    // One that waits for its stream's `start` may turn out to be a call.
    if (underWay.size === 0 && calls.streamingLegs <= streaming.length) return;
    await Promise.race([pause(pollMs, isOver).catch(() => undefined), ...underWay]);
  }
}

function aborted(signal: AbortSignal): Promise<unknown> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
}
