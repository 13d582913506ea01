import type { LegEndReason } from '../model/call-event';
import type { Clock } from '../model/clock';
import type { LegSummary } from '../model/transcript-event';
import type { Logger } from '../observability/logger';
import type { Metrics } from '../observability/metrics';
import type { TranscriptSink } from '../sinks/transcript-sink';
import type { CallOrigins } from './call-clock';
import type { CallSession } from './call-session';

/** What a live leg is made of: what hears it, and what can close its socket. */
export interface LiveLeg {
  readonly session: CallSession;
  readonly stream: { close(reason: LegEndReason): void; readonly closed: Promise<void> };
}

export interface CallsOptions {
  readonly sinks: readonly TranscriptSink[];
  readonly origins: CallOrigins;
  /** Whether Twilio says that the call is over; `undefined` when nobody can be asked. Never rejects. */
  readonly isCallOver: (callSid: string) => Promise<boolean | undefined>;
  /** After a call's last leg: this long until the call is taken for over, or Twilio is asked. */
  readonly callEndGraceMs: number;
  /** While Twilio says that a call without legs goes on: between questions. */
  readonly callEndPollMs: number;
  readonly now: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

interface Call {
  readonly callSid: string;
  readonly legs: LegSummary[];
  liveLegs: number;
  origin: Promise<number> | undefined;
  endTimer: NodeJS.Timeout | undefined;
}

/** The calls and legs of this process: how many there are, when a call is over, and how to end them all. */
export class Calls {
  readonly #options: CallsOptions;
  readonly #legs = new Set<LiveLeg>();
  readonly #calls = new Map<string, Call>();

  constructor(options: CallsOptions) {
    this.#options = options;
  }

  /** Legs whose socket is taken and whose last word is not heard yet. */
  get liveLegs(): number {
    return this.#legs.size;
  }

  /** Live legs that still take audio. */
  get streamingLegs(): number {
    let streaming = 0;
    for (const { session } of this.#legs)
      if (session.state === 'waiting' || session.state === 'streaming') streaming += 1;
    return streaming;
  }

  /** Takes a leg until it has ended. */
  add(leg: LiveLeg): void {
    this.#legs.add(leg);
    this.#countLive();
    void leg.stream.closed.then(() => leg.session.abandon());
    void leg.session.ended.then((summary) => this.#onLegEnded(leg, summary));
  }

  /** A leg has said which call it is of: the call lives. */
  onLegStarted(callSid: string): void {
    const call = this.#callOf(callSid);
    call.liveLegs += 1;
    clearTimeout(call.endTimer);
  }

  /**
   * When the call's first audio was, ms since 1970. Asks the store once per call and process. A store that does not
   * answer costs the exact place of a second leg, never the transcript: this leg's own time is taken then.
   */
  claimOrigin(callSid: string, legOriginAtMs: number): Promise<number> {
    const call = this.#callOf(callSid);
    call.origin ??= this.#options.origins.claimOrigin(callSid, new Date(legOriginAtMs).toISOString()).then(
      (originAt) => Date.parse(originAt),
      (error: unknown) => {
        this.#options.logger.warn(
          { err: error, callSid },
          "The store did not tell a call's origin; this leg's start is taken",
        );
        return legOriginAtMs;
      },
    );
    return call.origin;
  }

  tick(): void {
    for (const { session } of this.#legs) session.tick();
  }

  /** Ends every leg: stops taking audio, hears the last words, within `timeoutMs`; what is left then is cut. */
  async drain(timeoutMs: number): Promise<void> {
    const legs = [...this.#legs];
    for (const { stream } of legs) stream.close('drained');
    const timer = setTimeout(() => legs.forEach(({ session }) => session.abort()), timeoutMs);
    await Promise.all(legs.map(({ session }) => session.ended));
    clearTimeout(timer);
    for (const call of this.#calls.values()) this.#endCall(call);
  }

  #onLegEnded(leg: LiveLeg, summary: LegSummary | undefined): void {
    this.#legs.delete(leg);
    this.#countLive();
    const { callSid } = leg.session;
    const call = callSid === undefined ? undefined : this.#calls.get(callSid);
    if (call === undefined) return;
    call.liveLegs -= 1;
    if (summary !== undefined) call.legs.push(summary);
    if (call.liveLegs === 0) this.#endLater(call, this.#options.callEndGraceMs);
  }

  #endLater(call: Call, waitMs: number): void {
    clearTimeout(call.endTimer);
    call.endTimer = setTimeout(() => void this.#endWhenOver(call), waitMs);
  }

  async #endWhenOver(call: Call): Promise<void> {
    const isOver = await this.#options.isCallOver(call.callSid);
    if (call.liveLegs > 0 || this.#calls.get(call.callSid) !== call) return;
    if (isOver === false) this.#endLater(call, this.#options.callEndPollMs);
    else this.#endCall(call);
  }

  #endCall(call: Call): void {
    clearTimeout(call.endTimer);
    this.#calls.delete(call.callSid);
    const last = call.legs.at(-1);
    if (last === undefined) return;
    const { callSid, legs } = call;
    for (const sink of this.#options.sinks) {
      sink.write({ type: 'call-ended', callSid, endedAt: last.endedAt, endReason: last.endReason, legs });
    }
  }

  #callOf(callSid: string): Call {
    let call = this.#calls.get(callSid);
    if (call === undefined) {
      call = { callSid, legs: [], liveLegs: 0, origin: undefined, endTimer: undefined };
      this.#calls.set(callSid, call);
    }
    return call;
  }

  #countLive(): void {
    this.#options.metrics.gauge('callsLive', this.#legs.size);
  }
}
