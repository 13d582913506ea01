import type { CallItem } from '../../runtime/store/stored-call';

/** One media stream of a call. Times are milliseconds since the call's first audio. */
export interface CallLeg {
  /** From 1, in order of time. */
  readonly number: number;
  readonly streamSid: string;
  /** First audio; without audio, when the stream began. */
  readonly startMs?: number;
  /** Last audio. Absent while the leg lives. */
  readonly endMs?: number;
  readonly endReason?: string;
  readonly failure?: string;
  readonly segments?: number;
  /**
   * From the last audio of the legs before to this one's first, by wall clock: above 0 nobody heard the call, below 0
   * two legs heard it at once.
   */
  readonly sinceBeforeMs?: number;
}

type StoredLeg = CallItem['legs'][string];

/** The legs of a call in order of time, and how each follows the ones before. */
export function callLegs(call: CallItem): readonly CallLeg[] {
  const originMs = timeOf(call.originAt) ?? timeOf(call.startedAt) ?? 0;
  const legs = Object.entries(call.legs)
    .map(([streamSid, leg]) => ({ streamSid, leg, ...timesOf(leg) }))
    .sort((one, other) => (one.fromMs ?? Infinity) - (other.fromMs ?? Infinity));
  let heardUntilMs: number | undefined;
  return legs.map(({ streamSid, leg, fromMs, untilMs }, at) => {
    const sinceBeforeMs =
      heardUntilMs === undefined || fromMs === undefined ? undefined : fromMs - heardUntilMs;
    if (untilMs !== undefined) heardUntilMs = Math.max(untilMs, heardUntilMs ?? untilMs);
    const { endReason, failure, segments } = leg;
    return {
      number: at + 1,
      streamSid,
      ...(fromMs === undefined ? {} : { startMs: Math.max(0, fromMs - originMs) }),
      ...(untilMs === undefined ? {} : { endMs: Math.max(0, untilMs - originMs) }),
      ...(endReason === undefined ? {} : { endReason }),
      ...(failure === undefined ? {} : { failure }),
      ...(segments === undefined ? {} : { segments }),
      ...(sinceBeforeMs === undefined ? {} : { sinceBeforeMs }),
    };
  });
}

function timesOf(leg: StoredLeg): { fromMs: number | undefined; untilMs: number | undefined } {
  return {
    fromMs: timeOf(leg.firstAudioAt) ?? timeOf(leg.startedAt),
    untilMs: timeOf(leg.lastAudioAt) ?? timeOf(leg.endedAt),
  };
}

function timeOf(text: string | undefined): number | undefined {
  const ms = text === undefined ? NaN : Date.parse(text);
  return Number.isNaN(ms) ? undefined : ms;
}
