/** What a leg may cost, at most: each minute of it is paid, to Twilio and to the speech service. */
export interface LegLimits {
  /** Without one media frame. */
  readonly mediaTimeoutMs: number;
  /** From the call's first audio on, over all its legs. */
  readonly maxCallMs: number;
}

/** Why a leg is ended that goes on. */
export type LimitReason = 'idle' | 'too-long';

/** How long the leg has had no frame, and its call has been going on. */
export interface LegTimes {
  readonly silentMs: number;
  readonly callMs: number;
}

export function limitReached(times: LegTimes, limits: LegLimits): LimitReason | undefined {
  if (times.callMs >= limits.maxCallMs) return 'too-long';
  return times.silentMs >= limits.mediaTimeoutMs ? 'idle' : undefined;
}
