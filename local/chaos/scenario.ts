import type { ExpectedAlarms, Trial } from './trial';

/** One way in which things go wrong (design 7), played with real processes and sockets. */
export interface Scenario extends ExpectedAlarms {
  /** For `--only`. */
  readonly name: string;
  /** What goes wrong. */
  readonly fault: string;
  /** What the relay promises nevertheless. */
  readonly promise: string;
  /** Part of `--quick`, and of `npm test`. */
  readonly isQuick?: true;
  /** Plays it. What it throws is a broken promise, as is every `trial.promise` that does not hold. */
  play(trial: Trial): Promise<void>;
}
