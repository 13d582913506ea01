import type { ObservedSession } from '../gladia/observed-session';
import type { Call } from '../twilio/twilio-caller';
import type { Trial } from './trial';

const LOOK_EVERY_MS = 5;
const FRAME_BYTES = 160;

/** In milliseconds. */
export interface Latency {
  readonly p50: number;
  readonly p99: number;
}

/** One call's audio, with what of it is under way. */
interface Flow {
  readonly call: Call;
  readonly session: ObservedSession;
  readonly underWay: { readonly endByte: number; readonly sentAt: number }[];
  sentBytes: number;
}

/**
 * How long audio takes from the caller's socket to the speech server, counted at both ends.
 *
 * @param calls of one track, each in its only session
 * @param during resolves when it is enough
 */
export async function audioLatency(
  trial: Trial,
  calls: readonly Call[],
  during: Promise<unknown>,
): Promise<Latency> {
  const latencies: number[] = [];
  const flows = calls.flatMap((call) =>
    trial
      .sessionsOf(call)
      .slice(0, 1)
      .map((session): Flow => ({ call, session, underWay: [], sentBytes: sentBytes(call) })),
  );
  const look = (): void => {
    const now = performance.now();
    for (const flow of flows) latencies.push(...arrived(flow, now));
  };
  const timer = setInterval(look, LOOK_EVERY_MS);
  const stopListening = trial.fleet.gladia.onChange(look);
  await during;
  clearInterval(timer);
  stopListening();
  const sorted = Float64Array.from(latencies).sort();
  const at = (share: number): number => sorted[Math.floor(sorted.length * share)] ?? NaN;
  return { p50: at(0.5), p99: at(0.99) };
}

/** @returns how long what has come since the last look was under way */
function arrived(flow: Flow, now: number): readonly number[] {
  const { call, session, underWay } = flow;
  const endByte = sentBytes(call);
  if (endByte > flow.sentBytes) underWay.push({ endByte, sentAt: now });
  flow.sentBytes = endByte;
  const there = underWay.findIndex((piece) => piece.endByte > session.acceptedBytes);
  return underWay.splice(0, there === -1 ? underWay.length : there).map(({ sentAt }) => now - sentAt);
}

function sentBytes({ sent }: Call): number {
  return sent.frames.inbound * FRAME_BYTES;
}
