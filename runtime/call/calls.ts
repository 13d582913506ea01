import type { LegEndReason, LegStart } from '../model/call-event';
import type { Clock } from '../model/clock';
import { forgetOldest } from '../model/forget-oldest';
import type { LegId, LegSummary } from '../model/transcript-event';
import type { Logger } from '../observability/logger';
import type { Metrics } from '../observability/metrics';
import { tellSinks, type TranscriptSink } from '../sinks/transcript-sink';
import type { OutstandingAudio } from '../speech/recognition';
import type { CallOrigins } from './call-clock';
import type { CallSession, LegCheckpoint } from './call-session';
import type { LegLimits, LimitReason } from './leg-limits';
import { gapsBetween, inOrder } from './legs-of-call';
import { isAnnounced, replacedBy } from './fencing';

/** What a live leg is made of: what hears it, and what can close its socket. */
export interface LiveLeg {
  readonly session: CallSession;
  readonly stream: { close(reason: LegEndReason): void; readonly closed: Promise<void> };
}

/** The legs of a call, by streamSid, and those that began and have no end in the store yet. */
export interface StoredLegs {
  readonly ended: Readonly<Record<string, LegSummary>>;
  readonly open: readonly string[];
}

/** A leg that is over and that this process did not hear the end of. */
export interface AdoptedLeg extends LegId {
  readonly accountSid: string;
  /** The end of its call is in the table, so somebody has counted it. */
  readonly isCallEnded: boolean;
}

export interface CallsOptions {
  readonly sinks: readonly TranscriptSink[];
  readonly origins: CallOrigins;
  /** Whether Twilio says that the call is over; `undefined` when nobody can be asked. Never rejects. */
  readonly isCallOver: (callSid: string, accountSid: string) => Promise<boolean | 'no-answer' | undefined>;
  /** What the store has of a call's legs: other processes may have had some. `undefined`: it does not tell. Never rejects. */
  readonly storedLegs: (callSid: string) => Promise<StoredLegs | undefined>;
  /** Whether another process has a live leg of the call: then its end is not this one's to tell. Never rejects. */
  readonly isHeardElsewhere: (callSid: string) => Promise<boolean>;
  /** After a call's last leg: this long until the call is taken for over, or Twilio is asked. */
  readonly callEndGraceMs: number;
  /** While Twilio says that a call without legs goes on: between questions. */
  readonly callEndPollMs: number;
  readonly limits: LegLimits;
  /** A leg is more than it may be, and must end for this reason. */
  readonly onLimit: (leg: LiveLeg, reason: LimitReason) => void;
  /** Tells the time of day. */
  readonly wallNow: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

interface Call {
  readonly callSid: string;
  readonly accountSid: string;
  /** Those that have ended, by streamSid. */
  readonly legs: Map<string, LegSummary>;
  liveLegs: number;
  isOver: boolean;
  /** To another process, which tells its end. */
  isLeft: boolean;
  /** As started. */
  isCounted: boolean;
  isEndCounted: boolean;
  /** Questions to Twilio in a row without an answer. */
  unanswered: number;
  /** Looks for legs of other processes that have not ended in the store. */
  waits: number;
  origin: Promise<number> | undefined;
  endTimer: NodeJS.Timeout | undefined;
}

/**
 * A call may come back after it was taken for over, as after a pause of its stream: this many are remembered, 2 KB each.
 * Of others, what the table has is asked for.
 */
const REMEMBERED_CALLS = 1_000;
/** By name only. */
const REMEMBERED_STREAMS = 10_000;
/** Of legs that were heard out last: another task may yet tell that it heard them as well. */
const REMEMBERED_LEGS = 100;
/** A Twilio that does not answer this often does not keep a call open for ever. */
const MOST_UNANSWERED = 8;
/** Looks at the store for the ends of other processes' legs, before a call is ended without them. */
const MOST_WAITS = 8;
/** After the drain's time: for legs to write down what they lost. */
const ABORT_GRACE_MS = 1_000;

/** The calls and legs of this process: how many there are, when a call is over, and how to end them all. */
export class Calls {
  readonly #options: CallsOptions;
  readonly #legs = new Set<LiveLeg>();
  /** Legs that have ended, by streamSid. */
  readonly #heardOut = new Map<string, CallSession>();
  readonly #calls = new Map<string, Call>();
  /** Of those, the ones that nothing is to be done about, the longest first. */
  readonly #resting = new Set<string>();
  /** Those that have ended. */
  readonly #streams = new Set<string>();
  #liveCalls = 0;

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

  /** Audio of all legs and tracks that is on its way. */
  get outstanding(): OutstandingAudio {
    let [waitingMs, unacknowledgedMs] = [0, 0];
    for (const { session } of this.#legs) {
      waitingMs += session.outstanding.waitingMs;
      unacknowledgedMs += session.outstanding.unacknowledgedMs;
    }
    return { waitingMs, unacknowledgedMs };
  }

  /** Calls of an account that take audio now, but for one call, which may have another leg. */
  callsOf(accountSid: string, exceptCallSid: string): number {
    const callSids = this.streaming.flatMap(({ session: { start } }) =>
      start?.accountSid === accountSid ? [start.callSid] : [],
    );
    return new Set(callSids.filter((callSid) => callSid !== exceptCallSid)).size;
  }

  /** Takes a leg until it has ended. */
  add(leg: LiveLeg): void {
    this.#legs.add(leg);
    void leg.stream.closed.then(() => leg.session.abandon());
    void leg.session.ended.then((summary) => {
      // Where a fault of ours ended it, its stream goes on, and nobody hears it.
      leg.stream.close('stream-lost');
      this.#onLegEnded(leg, summary);
    });
  }

  /** Legs that take audio now. */
  get streaming(): readonly LiveLeg[] {
    return [...this.#legs].filter(({ session }) => session.state === 'streaming');
  }

  /** What other processes must know to go on with this one's legs. */
  checkpoints(): readonly LegCheckpoint[] {
    return [...this.#legs].map(({ session }) => session.checkpoint()).filter((each) => each !== undefined);
  }

  /** Of one call and track there is one leg here: this one. */
  replaceOthers(start: LegStart): void {
    for (const leg of replacedBy(start, this.streaming)) replace(leg, this.#options.wallNow());
  }

  /** Whether this process has, or remembers, such a leg. */
  hasHad(streamSid: string): boolean {
    return (
      this.#streams.has(streamSid) || [...this.#legs].some(({ session }) => session.streamSid === streamSid)
    );
  }

  /**
   * Another stream has the call: closes this one's, if it is one of this process's. One that was stopped or has ended
   * meanwhile is marked all the same.
   * @param fromMs wall clock: what is said from there on, the other one hears as well
   */
  replace(streamSid: string, fromMs: number): void {
    this.#heardOut.get(streamSid)?.heardElsewhereFrom(fromMs);
    for (const leg of this.#legs) if (leg.session.streamSid === streamSid) replace(leg, fromMs);
  }

  /** A leg that another process began and that is over counts for its call, which this process ends when it is over. */
  adopt({ callSid, streamSid, accountSid, isCallEnded }: AdoptedLeg, summary: LegSummary): void {
    const call = this.#callOf(callSid, accountSid);
    call.legs.set(streamSid, summary);
    this.#remember(streamSid);
    call.isEndCounted ||= isCallEnded;
    // It may have been ended without this leg, or before all was known of it.
    call.isOver = call.isLeft = false;
    if (call.liveLegs === 0) this.#endLater(call, this.#options.callEndGraceMs);
  }

  /** Whether the call's end is this process's to tell, and not told yet. */
  owesEnd(callSid: string): boolean {
    const call = this.#calls.get(callSid);
    return call !== undefined && call.liveLegs === 0 && call.legs.size > 0 && !call.isOver && !call.isLeft;
  }

  /** A leg has said which call it is of: the call lives. */
  onLegStarted(start: LegStart): void {
    const { callSid, accountSid } = start;
    // One that takes a call over has yet to prove that it is wanted.
    if (!isAnnounced(start)) this.replaceOthers(start);
    const call = this.#callOf(callSid, accountSid);
    call.liveLegs += 1;
    call.isOver = call.isLeft = false;
    clearTimeout(call.endTimer);
    if (call.liveLegs === 1) this.#countLive(1);
    if (!call.isCounted) this.#options.metrics.count('callsStarted');
    call.isCounted = true;
  }

  /**
   * When the call's first audio was, ms since 1970. Asks the store once per call and process. A store that does not
   * answer costs the exact place of a second leg, never the transcript.
   * @param otherwiseMs what holds when the store does not tell
   */
  claimOrigin(callSid: string, legOriginAtMs: number, otherwiseMs = legOriginAtMs): Promise<number> {
    const call = this.#calls.get(callSid);
    if (call === undefined) return Promise.resolve(otherwiseMs);
    call.origin ??= this.#askForOrigin(callSid, legOriginAtMs, otherwiseMs);
    return call.origin;
  }

  /** The call's first audio was said earlier than it came: its later legs go by that. */
  moveOrigin(callSid: string, originAtMs: number): void {
    const call = this.#calls.get(callSid);
    if (call !== undefined) call.origin = Promise.resolve(originAtMs);
  }

  async #askForOrigin(callSid: string, legOriginAtMs: number, otherwiseMs: number): Promise<number> {
    const { origins, logger } = this.#options;
    try {
      const originAtMs = Date.parse(
        await origins.claimOrigin(callSid, new Date(Math.min(legOriginAtMs, otherwiseMs)).toISOString()),
      );
      if (!Number.isNaN(originAtMs)) return originAtMs;
      logger.warn({ callSid }, 'The stored origin of a call is no time');
    } catch (error) {
      logger.warn({ err: error, callSid }, "The store did not tell a call's origin");
    }
    return otherwiseMs;
  }

  tick(): void {
    const { limits, onLimit } = this.#options;
    for (const leg of this.#legs) {
      leg.session.tick();
      const reason = leg.session.limitReached(limits);
      if (reason !== undefined) onLimit(leg, reason);
    }
  }

  /** Ends every leg: stops taking audio, hears the last words, within `timeoutMs`; what is left then is cut. */
  async drain(timeoutMs: number): Promise<void> {
    const legs = [...this.#legs];
    for (const { stream } of legs) stream.close('drained');
    const ended = Promise.all(legs.map(({ session }) => session.ended));
    if (!(await endsWithin(timeoutMs, ended))) {
      for (const { session } of legs) session.abort();
      if (!(await endsWithin(ABORT_GRACE_MS, ended)))
        for (const { callSid, streamSid } of [...this.#legs].map(({ session }) => session))
          this.#options.logger.error({ callSid, streamSid }, 'A leg did not end with the drain');
    }
    await Promise.all(
      [...this.#calls.values()].map((call) => this.#leaveCall(call).catch(this.#onFault(call))),
    );
  }

  #onLegEnded(leg: LiveLeg, summary: LegSummary | undefined): void {
    this.#legs.delete(leg);
    const { callSid, streamSid } = leg.session;
    const call = callSid === undefined ? undefined : this.#calls.get(callSid);
    if (call === undefined || streamSid === undefined) return;
    call.liveLegs -= 1;
    if (call.liveLegs === 0) this.#countLive(-1);
    if (summary !== undefined) call.legs.set(streamSid, summary);
    this.#remember(streamSid);
    // What another one hears of a call whose stream was lost comes after it.
    if (!leg.session.isLost) this.#heardOut.set(streamSid, leg.session);
    forgetOldest(this.#heardOut, REMEMBERED_LEGS);
    if (call.liveLegs === 0) this.#endLater(call, this.#options.callEndGraceMs);
  }

  #remember(streamSid: string): void {
    this.#streams.add(streamSid);
    forgetOldest(this.#streams, REMEMBERED_STREAMS);
  }

  #endLater(call: Call, waitMs: number): void {
    clearTimeout(call.endTimer);
    call.endTimer = setTimeout(() => void this.#endWhenOver(call).catch(this.#onFault(call)), waitMs);
  }

  #onFault({ callSid }: Call): (error: unknown) => void {
    return (err) => this.#options.logger.error({ err, callSid }, 'A call could not be ended');
  }

  async #endWhenOver(call: Call): Promise<void> {
    const isOver = await this.#options.isCallOver(call.callSid, call.accountSid);
    if (call.liveLegs > 0) return;
    call.unanswered = isOver === 'no-answer' ? call.unanswered + 1 : 0;
    const asksAgain = isOver === false || (isOver === 'no-answer' && call.unanswered < MOST_UNANSWERED);
    if (asksAgain) return this.#endLater(call, this.#options.callEndPollMs);
    const stored = await this.#options.storedLegs(call.callSid);
    // A task that handed the call over is still writing, or whoever finds it dead will.
    const isComplete = stored?.open.every((streamSid) => call.legs.has(streamSid)) === true;
    if (!isComplete && (call.waits += 1) < MOST_WAITS)
      return this.#endLater(call, this.#options.callEndPollMs);
    await this.#endCall(call, stored);
  }

  /** This process goes: a call that Twilio says goes on, and that another one hears, is that one's to end. */
  async #leaveCall(call: Call): Promise<void> {
    clearTimeout(call.endTimer);
    if (call.isOver || call.legs.size === 0) return;
    const { isCallOver, isHeardElsewhere, storedLegs } = this.#options;
    const isOver = await isCallOver(call.callSid, call.accountSid);
    call.isLeft = isOver !== true && (await isHeardElsewhere(call.callSid));
    if (call.isLeft) return;
    await this.#endCall(call, await storedLegs(call.callSid));
  }

  async #endCall(call: Call, stored: StoredLegs | undefined): Promise<void> {
    clearTimeout(call.endTimer);
    const { callSid } = call;
    const legs = inOrder({ ...Object.fromEntries(call.legs), ...newerLegs(call, stored) });
    const [, last] = legs.at(-1) ?? [];
    if (last === undefined) return;
    const wasGivenAway = last.endReason === 'handed-over';
    if (wasGivenAway) call.isLeft = await this.#isTaken(call, stored);
    if (call.liveLegs > 0) return;
    this.#rest(callSid);
    if (call.isLeft || call.isOver) return;
    call.isOver = true;
    for (const gap of gapsBetween(legs)) tellSinks(this.#options, { type: 'gap', callSid, ...gap });
    const { endedAt } = last;
    const endReason = wasGivenAway ? 'stream-lost' : last.endReason;
    if (!call.isEndCounted) this.#options.metrics.count('callsEnded', 1, endReason);
    call.isEndCounted = true;
    const summaries = legs.map(([, summary]) => summary);
    tellSinks(this.#options, { type: 'call-ended', callSid, endedAt, endReason, legs: summaries });
  }

  /** A leg that took the call over is another process's, and so is the call's end. It may never have come. */
  async #isTaken({ callSid, legs }: Call, stored: StoredLegs | undefined): Promise<boolean> {
    const isOpen = stored?.open.some((streamSid) => !legs.has(streamSid)) === true;
    return isOpen || this.#options.isHeardElsewhere(callSid);
  }

  #rest(callSid: string): void {
    this.#resting.add(callSid);
    const [oldest = callSid] = this.#resting;
    if (this.#resting.size <= REMEMBERED_CALLS) return;
    this.#resting.delete(oldest);
    this.#calls.delete(oldest);
  }

  #callOf(callSid: string, accountSid: string): Call {
    this.#resting.delete(callSid);
    let call = this.#calls.get(callSid);
    if (call === undefined) {
      call = {
        callSid,
        accountSid,
        legs: new Map(),
        liveLegs: 0,
        isOver: false,
        isLeft: false,
        isCounted: false,
        isEndCounted: false,
        unanswered: 0,
        waits: 0,
        origin: undefined,
        endTimer: undefined,
      };
      this.#calls.set(callSid, call);
    }
    return call;
  }

  #countLive(change: 1 | -1): void {
    this.#liveCalls += change;
    this.#options.metrics.gauge('callsLive', this.#liveCalls);
  }
}

function replace({ session, stream }: LiveLeg, fromMs: number): void {
  session.heardElsewhereFrom(fromMs);
  stream.close('replaced');
}

/** Those of other processes, and of this one's those that somebody has reconciled since. */
function newerLegs({ legs }: Call, { ended }: StoredLegs = { ended: {}, open: [] }): StoredLegs['ended'] {
  const newer = Object.entries(ended).filter(([sid, { reconciled }]) => reconciled || !legs.has(sid));
  return Object.fromEntries(newer);
}

async function endsWithin(timeoutMs: number, ended: Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => (timer = setTimeout(() => resolve(false), timeoutMs)));
  const inTime = await Promise.race([ended.then(() => true), late]);
  clearTimeout(timer);
  return inTime;
}
