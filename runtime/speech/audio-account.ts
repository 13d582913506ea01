import type { LossCause } from '../model/audio-ledger';

/** What became of a stretch of audio. `session` is the number of the session that has it. */
export type Fate =
  /** Acknowledged in time, or later than it should have been. */
  | { readonly kind: 'acknowledged' | 'acknowledged-late'; readonly session: number }
  /** Sent, never acknowledged, not kept to be sent again. */
  | { readonly kind: 'sent'; readonly session: number }
  | { readonly kind: 'accepted' | 'late' | 'unconfirmed' }
  | { readonly kind: 'lost'; readonly cause: LossCause };

export interface Stretch {
  readonly fromByte: number;
  readonly toByte: number;
  readonly fate: Fate;
}

/** The last one grows with every acknowledgment. */
interface GrowingStretch extends Stretch {
  toByte: number;
}

/** How a session ended, for the audio it took. */
export type SessionVerdict = 'accepted' | 'unconfirmed' | 'lost';

/**
 * The fate of every byte of a leg's audio: disjoint stretches from 0 on, without a hole, in order.
 * Bytes behind the last stretch have no fate yet. One value per leg, not per track: tracks travel interleaved.
 */
export class AudioAccount {
  /** The one that grows. */
  #last: GrowingStretch | undefined;
  #stretches: GrowingStretch[] = [];

  get endByte(): number {
    return this.#last?.toByte ?? 0;
  }

  get stretches(): readonly Stretch[] {
    return this.#stretches;
  }

  /** Everything without a fate up to `toByte` gets this one. What has one keeps it. */
  settle(toByte: number, fate: Fate): void {
    const last = this.#last;
    const fromByte = last?.toByte ?? 0;
    if (toByte <= fromByte) return;
    if (last !== undefined && isSameFate(last.fate, fate)) last.toByte = toByte;
    else this.#push({ fromByte, toByte, fate });
  }

  /** Audio from `byte` on will be sent again by another session: its fate is open again. */
  reopen(byte: number): void {
    const kept = this.#stretches.filter((stretch) => stretch.fromByte < byte);
    const last = kept.at(-1);
    if (last !== undefined && last.toByte > byte) kept[kept.length - 1] = { ...last, toByte: byte };
    this.#replace(kept);
  }

  /**
   * A session is over: what it took is accepted, or not known to be, or lost.
   * @param heldToByte what comes before is accepted, also of a session that lost the rest
   */
  closeSession(session: number, verdict: SessionVerdict, heldToByte = 0): void {
    if (verdict === 'lost') this.#split(heldToByte);
    this.#change(session, ({ kind }, { toByte }) =>
      fateAfter(kind, verdict === 'lost' && toByte <= heldToByte ? 'accepted' : verdict),
    );
  }

  /** What was sent and is not kept will not be sent again: its socket is lost, and nobody acknowledges it any more. */
  doubt(session: number): void {
    this.#change(session, (fate) => (fate.kind === 'sent' ? { kind: 'unconfirmed' } : fate));
  }

  /** Bytes by kind of fate. */
  total(kind: Fate['kind'], cause?: LossCause): number {
    let bytes = 0;
    for (const { fromByte, toByte, fate } of this.#stretches) {
      if (fate.kind === kind && (fate.kind !== 'lost' || fate.cause === cause)) bytes += toByte - fromByte;
    }
    return bytes;
  }

  #split(byte: number): void {
    this.#replace(
      this.#stretches.flatMap((stretch) =>
        stretch.fromByte < byte && byte < stretch.toByte
          ? [
              { ...stretch, toByte: byte },
              { ...stretch, fromByte: byte },
            ]
          : [stretch],
      ),
    );
  }

  #change(session: number, change: (fate: OpenFate, stretch: Stretch) => Fate): void {
    const before = this.#stretches;
    this.#replace([]);
    for (const stretch of before) {
      const { fate } = stretch;
      const isItsOwn = 'session' in fate && fate.session === session;
      this.#append(isItsOwn ? { ...stretch, fate: change(fate, stretch) } : stretch);
    }
  }

  #append(stretch: Stretch): void {
    const last = this.#last;
    if (last !== undefined && isSameFate(last.fate, stretch.fate)) last.toByte = stretch.toByte;
    else this.#push({ ...stretch });
  }

  #push(stretch: GrowingStretch): void {
    this.#stretches.push(stretch);
    this.#last = stretch;
  }

  #replace(stretches: GrowingStretch[]): void {
    this.#stretches = stretches;
    this.#last = stretches.at(-1);
  }
}

/** The session decides about it. */
type OpenFate = Extract<Fate, { readonly session: number }>;

function fateAfter(kind: OpenFate['kind'], verdict: SessionVerdict): Fate {
  switch (verdict) {
    case 'accepted':
      return { kind: kind === 'acknowledged-late' ? 'late' : 'accepted' };
    case 'unconfirmed':
      return { kind: 'unconfirmed' };
    case 'lost':
      return { kind: 'lost', cause: 'session-ended' };
  }
}

function isSameFate(a: Fate, b: Fate): boolean {
  if (a === b) return true;
  if (a.kind !== b.kind) return false;
  if ('session' in a) return 'session' in b && a.session === b.session;
  return a.kind !== 'lost' || (b.kind === 'lost' && a.cause === b.cause);
}
