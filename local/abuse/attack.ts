import type { RawConnection } from './raw-connection';
import type { Target } from './target';

/** One way in which a connection can be hostile. */
export interface Attack {
  readonly name: string;
  /** How the relay must end it: HTTP statuses, WebSocket close codes, `closed` without a word. */
  readonly ends: readonly string[];
  /** The relay lets it be for longer than the attack lasts: it is `held` then. */
  readonly mayBeHeld?: true;
  /** Resolves when everything is said; whoever plays it waits for the end. */
  play(connection: RawConnection, target: Target): Promise<unknown>;
}
