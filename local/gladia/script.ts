import type { ScriptedAddOns } from './recogniser';

/** What is said on a channel between two times of its audio, in milliseconds. */
export interface ScriptedUtterance extends ScriptedAddOns {
  readonly startMs: number;
  readonly endMs: number;
  readonly text: string;
  /** Default: the session's language, else `en`. */
  readonly language?: string;
  /** Default 1. */
  readonly confidence?: number;
}

export interface Script {
  /** By channel, each in order of time. A channel left out makes its text from its audio. */
  readonly channels: readonly (readonly ScriptedUtterance[] | undefined)[];
  readonly summary?: string;
}
