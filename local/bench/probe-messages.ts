/** `begin`: measures from now on. `collected`: reports after a collection of garbage. Each is answered with a report. */
export type ProbeRequest = 'begin' | 'report' | 'collected';

/** What a measured process tells of itself, since `begin` where it is a sum. */
export interface ProbeReport {
  /** User and system. */
  readonly cpuMs: number;
  readonly wallMs: number;
  readonly gcMs: number;
  readonly loopDelayP50Ms: number;
  readonly loopDelayP99Ms: number;
  readonly rssBytes: number;
  readonly heapBytes: number;
  /** Buffers and other memory outside of the heap. */
  readonly externalBytes: number;
}
