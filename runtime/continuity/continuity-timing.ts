/** How long things take that happen between tasks. */
export interface ContinuityTiming {
  /** A task shows so often that it lives, and is taken for dead after `leaseMs` without. */
  readonly renewEveryMs: number;
  /** After a renewal that failed. */
  readonly renewRetryMs: number;
  readonly leaseMs: number;
  readonly saveSoonMs: number;
  /** Between looks at what other tasks tell this one. */
  readonly readMailEveryMs: number;
  readonly lookEveryMs: number;
  readonly thoroughEvery: number;
  readonly retryMs: number;
  readonly reconcileAfterMs: number;
  readonly claimMs: number;
  readonly firstBackOffMs: number;
  readonly maxBackOffMs: number;
  readonly giveUpAfterMs: number;
  readonly startWithinMs: number;
  readonly startPollMs: number;
  readonly goodAfterMs: number;
  readonly proofPollMs: number;
  readonly proofWithinMs: number;
  readonly stopWithinMs: number;
  readonly backOffMs: number;
}

/** Design 4: renewed every 5 s, expired after 12 s; proof within 10 s, looked for every 250 ms. */
export const CONTINUITY_TIMING: ContinuityTiming = {
  renewEveryMs: 5_000,
  renewRetryMs: 500,
  leaseMs: 12_000,
  saveSoonMs: 100,
  readMailEveryMs: 1_000,
  lookEveryMs: 2_500,
  thoroughEvery: 12,
  retryMs: 5_000,
  reconcileAfterMs: 60_000,
  claimMs: 20_000,
  firstBackOffMs: 500,
  maxBackOffMs: 8_000,
  giveUpAfterMs: 60_000,
  startWithinMs: 10_000,
  startPollMs: 500,
  goodAfterMs: 30_000,
  proofPollMs: 250,
  proofWithinMs: 10_000,
  stopWithinMs: 5_000,
  backOffMs: 1_000,
};
