import { setTimeout as delay } from 'node:timers/promises';
import type { Attack } from './attack';
import { HTTP_ATTACKS, IDLE } from './http-attacks';
import { RawConnection } from './raw-connection';
import { STREAM_ATTACKS } from './stream-attacks';
import type { Target } from './target';

export const ATTACKS: readonly Attack[] = [...HTTP_ATTACKS, ...STREAM_ATTACKS];

/** How connections ended, counted by attack and end. */
export type WaveReport = Readonly<Record<string, Readonly<Record<string, number>>>>;

export interface WaveOptions {
  readonly target: Target;
  readonly connections: number;
  /** New connections in a second. */
  readonly perSecond: number;
  /** Only what anybody on the internet can do. Default: also what needs a signature. */
  readonly isOfStrangers?: boolean;
  /** As fast as they are taken, connections that say nothing; all of them are open at once. */
  readonly isSilent?: boolean;
}

const BURST_MS = 50;
/** Whoever is not to be held must be gone by then, however busy the machine is. */
const ANSWER_MS = 60_000;

/** A relay that is given no time by a busy machine must not be left with more than it can answer until then. */
const MOST_AT_ONCE = 1_000;

/** So many at once that a relay that is busy has room for them. */
const OPENED_AT_ONCE = 100;

/** Plays every attack in turn until so many connections were made. Resolves when the last one is over. */
export async function playWave(options: WaveOptions): Promise<WaveReport> {
  const { target, connections, perSecond, isOfStrangers = false, isSilent = false } = options;
  if (isSilent) return { [IDLE.name]: await playSilence(target, connections) };
  const attacks = isOfStrangers ? HTTP_ATTACKS : ATTACKS;
  const report: Record<string, Record<string, number>> = {};
  const underWay = new Set<Promise<void>>();
  const burst = Math.max(1, Math.round((perSecond * BURST_MS) / 1_000));
  for (let made = 0; made < connections; made += 1) {
    const attack = attacks[made % attacks.length];
    if (attack === undefined) break;
    const counts = (report[attack.name] ??= {});
    const played = playOne(attack, target).then((end) => {
      counts[end] = (counts[end] ?? 0) + 1;
      underWay.delete(played);
    });
    underWay.add(played);
    if (underWay.size >= MOST_AT_ONCE) await Promise.race(underWay);
    if (made % burst === burst - 1) await delay(BURST_MS);
  }
  await Promise.all(underWay);
  return report;
}

/** Who is not there any more when the last one comes ended too early. */
async function playSilence(target: Target, connections: number): Promise<Record<string, number>> {
  const silent: RawConnection[] = [];
  while (silent.length < connections) {
    const count = Math.min(OPENED_AT_ONCE, connections - silent.length);
    silent.push(...(await Promise.all(Array.from({ length: count }, () => RawConnection.open(target.port)))));
  }
  const ends = silent.map(async (connection) =>
    connection.isClosed ? 'too early' : connection.end(target.holdMs),
  );
  const counts: Record<string, number> = {};
  for (const end of await Promise.all(ends)) counts[end] = (counts[end] ?? 0) + 1;
  return counts;
}

async function playOne(attack: Attack, target: Target): Promise<string> {
  try {
    const connection = await RawConnection.open(target.port);
    await attack.play(connection, target);
    return await connection.end(attack.mayBeHeld === true ? target.holdMs : ANSWER_MS);
  } catch (error) {
    return `not connected: ${error instanceof Error && 'code' in error ? String(error.code) : 'failed'}`;
  }
}

/** Ends that should not have been, one sentence each. */
export function unexpectedEnds(report: WaveReport): readonly string[] {
  return ATTACKS.flatMap(({ name, ends, mayBeHeld }) =>
    Object.entries(report[name] ?? {})
      .filter(([end]) => !ends.includes(end) && !(mayBeHeld === true && end === 'held'))
      .map(([end, count]) => `${name}: ${count} ended with ${end} instead of ${ends.join(' or ')}`),
  );
}
