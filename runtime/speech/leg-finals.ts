import type { SpokenUtterance } from './speech-provider';

interface Period {
  readonly startMs: number;
  readonly endMs: number;
}

/** A final, without its words: a long call has thousands. */
interface Said {
  readonly sessionNumber: number;
  readonly channel: number;
  readonly inSession: Period;
  readonly inLeg: Period;
}

/** Where an utterance lies, by the session's clock and by the leg's. */
export interface PlacedUtterance extends Period {
  readonly session: { readonly number: number };
  readonly utterance: SpokenUtterance;
}

/** The finals of a leg, over all its sessions: a result of any of them is compared with these. */
export class LegFinals {
  readonly #said: Said[] = [];

  add(placed: PlacedUtterance): void {
    this.#said.push(toSaid(placed));
  }

  /**
   * Whether a final of the same channel covers most of an utterance: by the session's clock, or, since that may run over
   * the same words twice, by the leg's.
   */
  has(placed: PlacedUtterance): boolean {
    const wanted = toSaid(placed);
    return this.#said.some(
      (final) =>
        final.channel === wanted.channel &&
        (coversMost(final.inLeg, wanted.inLeg) ||
          (final.sessionNumber === wanted.sessionNumber && coversMost(final.inSession, wanted.inSession))),
    );
  }
}

function toSaid({ session, utterance, startMs, endMs }: PlacedUtterance): Said {
  const { channel } = utterance;
  const inSession = { startMs: utterance.startMs, endMs: utterance.endMs };
  return { sessionNumber: session.number, channel, inSession, inLeg: { startMs, endMs } };
}

function coversMost(one: Period, other: Period): boolean {
  const sharedMs = Math.min(one.endMs, other.endMs) - Math.max(one.startMs, other.startMs);
  const shorterMs = Math.min(one.endMs - one.startMs, other.endMs - other.startMs);
  return sharedMs >= 0 && sharedMs >= shorterMs / 2;
}
