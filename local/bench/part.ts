import type { BenchOptions } from './bench-options';
import type { BenchWorld } from './trial';

/** A sentence that holds or does not. */
export interface Verdict {
  readonly what: string;
  readonly measured: string;
  readonly target: string;
  readonly holds: boolean;
}

export interface PartResult {
  readonly verdicts: readonly Verdict[];
  /** For the JSON. */
  readonly data: unknown;
}

export interface PartRun {
  readonly options: BenchOptions;
  readonly world: BenchWorld;
  readonly out: (line: string) => void;
}

/** One question that the bench answers. */
export interface Part {
  readonly name: string;
  readonly what: string;
  run(run: PartRun): Promise<PartResult>;
}
