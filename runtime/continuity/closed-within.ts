import type { LiveLeg } from '../call/calls';
import { pause } from './pause';

/** After Twilio was asked to stop a stream: what it sent before is on its way, and its own close comes behind that. */
export async function closedWithin({ stream }: LiveLeg, withinMs: number): Promise<void> {
  const closed = new AbortController();
  void stream.closed.then(() => closed.abort());
  await pause(withinMs, closed.signal).catch(() => undefined);
}
