import type { AudioLedger } from '../model/audio-ledger';
import type { Secret } from '../model/secret';
import { BYTES_PER_MS, type Track } from '../model/audio';
import type { CallEvent, LegAudio, LegEndReason, LegStart } from '../model/call-event';
import type { Clock } from '../model/clock';
import type {
  CallParties,
  LegSummary,
  Segment,
  SessionFacts,
  TranscriptEvent,
} from '../model/transcript-event';
import type { Logger } from '../observability/logger';
import type { Metrics, Series } from '../observability/metrics';
import { tellSinks, type TranscriptSink } from '../sinks/transcript-sink';
import type {
  HeardUtterance,
  OutstandingAudio,
  Recognition,
  RecognitionListener,
} from '../speech/recognition';
import type { UtteranceLatency } from '../speech/receipts';
import type { SessionRequest, SpokenAddOn, SpokenWord } from '../speech/speech-provider';
import type { SpeechSession } from '../speech/speech-session';
import { forgetOldest } from '../model/forget-oldest';
import { CallClock } from './call-clock';
import { Latencies } from './latencies';
import { attemptOf } from './attempts';
import { isAnnounced } from './fencing';
import { legLedger } from './leg-ledger';
import { limitReached, type LegLimits, type LimitReason } from './leg-limits';
import { mergeParties, readLegParameters } from './leg-parameters';
import { LEG_MOVES, type LegState } from './leg-state';
import { RecentLeast } from './recent-least';
import { SilenceSupply } from './silence-supply';
import { speakerOf } from './speaker';
import { TrackAligner } from './track-aligner';
import { isUntranscribed } from './untranscribed';

export interface CallSessionOptions {
  readonly sinks: readonly TranscriptSink[];
  readonly recognise: (request: SessionRequest, listener: RecognitionListener, logger: Logger) => Recognition;
  /** The stream has said which call it is. */
  readonly onStarted: (start: LegStart) => void;
  /** Its first frame is here: the leg really has the call. */
  readonly onFirstAudio?: (start: LegStart, atMs: number) => void;
  /** No more audio comes. */
  readonly onFinishing?: (start: LegStart, reason: LegEndReason, firstAudioAt: string | undefined) => void;
  /** When the call's first audio was, given this leg's; `otherwiseMs` when nobody can tell. Resolves always. */
  readonly claimOrigin: (callSid: string, legOriginAtMs: number, otherwiseMs: number) => Promise<number>;
  /** It was earlier than the audio came. */
  readonly moveOrigin: (callSid: string, originAtMs: number) => void;
  /** What Twilio says of the call; `undefined` when nobody can be asked. Never rejects. */
  readonly describeCall: (callSid: string, accountSid: string) => Promise<CallParties | undefined>;
  readonly alignmentWindowMs: number;
  /** What piled up before a stream's first frame has come by then. */
  readonly beginningMs: number;
  /** Measures durations. */
  readonly now: Clock;
  /** Tells the time of day. */
  readonly wallNow: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** Add-ons follow their final closely: more segments than these need not be remembered. */
const REMEMBERED_SEGMENTS = 512;
/** The store tells a call's origin, or fails to, within seconds: more than these do not come in that time. */
const MOST_HELD = 10_000;

const NOTHING_OUTSTANDING: OutstandingAudio = { waitingMs: 0, unacknowledgedMs: 0 };

/** Endings that nobody wanted: the call may well be alive. */
const LOST: ReadonlySet<LegEndReason> = new Set(['stream-lost', 'protocol-error', 'task-died']);

/** Twilio may begin a stream with audio that is this much older (twilio-media-streams.md, 2.4). */
const START_BURST_MS = 400;
/** `<Parameter>` of a stream that goes on with a call: when the call's first audio came. */
const ORIGIN_PARAMETER = 'originAt';
/** Twilio ends a call then (twilio-media-streams.md). */
const LONGEST_CALL_MS = 24 * 3_600_000;
/** Audio that came so long ago has no silence behind it yet. */
const JUST_NOW_MS = 500;
/** A beginning that was so much earlier is told before all of it is known. */
const TOLD_AT_ONCE_MS = 50;
/** More do not come between a stream's first audio and the proof of it. */
const LAST_FINALS = 32;

/** What is known once the stream has said which call it is. */
interface Leg {
  readonly start: LegStart;
  readonly startedAt: string;
  readonly aligner: TrackAligner;
  readonly recognition: Recognition;
}

/** What another process needs to go on with a leg, or to close its books, should this one die. */
export interface LegCheckpoint {
  readonly start: LegStart;
  readonly startedAt: string;
  /** Wall-clock times, ISO 8601: of this leg's first audio, and of the call's. */
  readonly legOriginAt?: string;
  readonly originAt?: string;
  /** Silence that the leg's audio begins with, before its first frame. */
  readonly leadMs: number;
  readonly session?: OpenSession;
  /** No more audio comes, and somebody wanted it so: nothing to go on with. */
  readonly isStopped: boolean;
  /** So far. What is neither accepted, late, unconfirmed nor lost waits in this process. */
  readonly ledger: AudioLedger;
}

/** The speech session that a leg's audio goes to now. */
export interface OpenSession {
  readonly sessionId: string;
  readonly sessionNumber: number;
  /** A bearer token. */
  readonly url: Secret;
  readonly baseMs: number;
}

/**
 * One leg of a call from its first frame to its last word. A word's way through it:
 *
 *     accept(audio) -> TrackAligner -> Recognition.sendAudio ... Recognition -> final() -> segment -> every sink
 */
export class CallSession implements RecognitionListener {
  /** Resolves when the leg has ended: with its summary, or with nothing when it never started. */
  readonly ended: Promise<LegSummary | undefined>;
  // What each frame reads comes first, so that it lies together.
  #state: LegState = 'waiting';
  #leg: Leg | undefined = undefined;
  /** The leg's. */
  #aligner: TrackAligner | undefined = undefined;
  /** Wall clock, and `now`, of the first frame. */
  #firstAudio: { readonly atMs: number; readonly nowMs: number } | undefined = undefined;
  /** By `now`, in whole numbers. */
  #lastAudioMs = 0;
  /** Frames still say when the audio began. */
  #isBeginning = true;
  readonly #now: Clock;
  readonly #receivedMs: Series;
  readonly #metrics: Metrics;
  readonly #options: CallSessionOptions;
  readonly #silence = new SilenceSupply();
  readonly #latencies = new Latencies();
  /** Start times of the last segments, for the keys of their add-ons. */
  readonly #segmentStartsMs = new Map<string, number>();
  #resolveEnded: (summary: LegSummary | undefined) => void = () => undefined;
  #parties: CallParties = { direction: 'unknown' };
  #clock: CallClock | undefined;
  #originClaimed: Promise<void> = Promise.resolve();
  #originToldMs = -Infinity;
  /** Events whose times are not known until the call's origin is. */
  #held: (() => void)[] = [];
  #segments = 0;
  readonly #hasSaid = new Set<'firstPartial' | 'firstFinal'>();
  /** A proof of a hand-over may come after finals that the other leg hears as well. */
  #lastFinals: readonly Segment[] = [];
  readonly #results: SessionFacts[] = [];
  #unreconciledSessions = 0;
  #session: OpenSession | undefined;
  /** From the place of audio to when it came, by `now`. The least is the way it takes; clocks drift, so only of late. */
  readonly #offsetsMs = new RecentLeast();
  /** Wall clock: the earliest that its first audio can have been said. */
  #beganAtMs = Infinity;
  /** Wall clock: another leg has the call from here on. */
  #heardElsewhereFromMs: number | undefined;
  /** Whatever its stream says: somebody else has decided how it ends. */
  #endsAs: LegEndReason | undefined;
  #endReason: LegEndReason | undefined;
  #hasFault = false;

  constructor(options: CallSessionOptions) {
    this.#options = options;
    this.#now = options.now;
    this.#metrics = options.metrics;
    this.#receivedMs = options.metrics.counter('audioReceived');
    this.ended = new Promise((resolve) => (this.#resolveEnded = resolve));
  }

  get state(): LegState {
    return this.#state;
  }

  get callSid(): string | undefined {
    return this.#leg?.start.callSid;
  }

  get streamSid(): string | undefined {
    return this.#leg?.start.streamSid;
  }

  /** What its stream said at the start; nothing before. */
  get start(): LegStart | undefined {
    return this.#leg?.start;
  }

  /** Its audio ended, and nobody wanted that. */
  get isLost(): boolean {
    return this.#endReason !== undefined && LOST.has(this.#endReason);
  }

  /** Audio of all tracks that is on its way. */
  get outstanding(): OutstandingAudio {
    return this.#leg?.recognition.outstanding ?? NOTHING_OUTSTANDING;
  }

  /** @returns nothing before the start and after the end */
  checkpoint(): LegCheckpoint | undefined {
    const leg = this.#leg;
    if (leg === undefined || this.#state === 'ended') return undefined;
    const { start, startedAt, aligner, recognition } = leg;
    const originAtMs = this.#clock?.originAtMs;
    return {
      start,
      startedAt,
      ...legOrigin(this.#audioTimes().firstAudioAt),
      ...(originAtMs === undefined ? {} : { originAt: isoTime(originAtMs) }),
      leadMs: aligner.leadMs,
      ...(this.#session === undefined ? {} : { session: this.#session }),
      isStopped: this.#endReason !== undefined && !this.isLost,
      ledger: legLedger(start.tracks, aligner, recognition.account),
    };
  }

  /**
   * Another leg takes the call over, and this one ends as handed over.
   * @param atMs wall clock: the other leg's audio may begin here
   */
  handOver(atMs: number): void {
    this.#endsAs = 'handed-over';
    this.heardElsewhereFrom(atMs);
  }

  /** What of this leg is more than it may be, while it takes audio and nobody ends it yet. */
  limitReached(limits: LegLimits): LimitReason | undefined {
    if (this.#leg === undefined || this.#state !== 'streaming' || this.#endsAs !== undefined)
      return undefined;
    const { now, wallNow } = this.#options;
    const beganAtMs = this.#clock?.originAtMs ?? Date.parse(this.#leg.startedAt);
    return limitReached({ silentMs: now() - this.#lastAudioMs, callMs: wallNow() - beganAtMs }, limits);
  }

  /** It costs more than it may: it ends so, however its stream is ended. */
  endAs(reason: LimitReason): void {
    this.#endsAs = reason;
  }

  /**
   * What both legs hear is marked, also what was told already.
   * @param atMs wall clock: the other leg's audio may begin here
   */
  heardElsewhereFrom(atMs: number): void {
    this.#heardElsewhereFromMs = atMs - START_BURST_MS;
    for (const segment of this.#lastFinals) {
      const isHeardTwice = this.#isHeardTwice(segment.endMs);
      if (isHeardTwice)
        this.#tell({ type: 'heard-twice', ...this.#id(), segment: { ...segment, overlap: true } });
    }
  }

  #isHeardTwice(endMs: number): boolean {
    const originAtMs = this.#clock?.originAtMs;
    return (
      originAtMs !== undefined &&
      this.#heardElsewhereFromMs !== undefined &&
      originAtMs + endMs > this.#heardElsewhereFromMs
    );
  }

  /** Takes what the stream tells, in order. */
  accept(event: CallEvent): void {
    switch (event.type) {
      case 'started':
        return this.#guarded(() => this.#start(event));
      case 'audio':
        return this.#hear(event);
      case 'ended':
        return this.#guarded(() => this.#finish(event.reason));
    }
  }

  /** The stream is gone. Of no matter when the leg has started: then `ended` came before. */
  abandon(): void {
    if (this.#state === 'waiting') this.#endUntold();
  }

  /** Ends the leg now: what was not transcribed is lost, and written down so. */
  abort(): void {
    this.#leg?.recognition.abort('relay-stopped');
  }

  /** Called every now and then by the process's one timer. */
  tick(): void {
    const leg = this.#leg;
    if (leg === undefined || this.#state === 'ended') return;
    this.#guarded(() => {
      if (this.#state === 'streaming') {
        this.#supplySilence(leg);
        this.#noteOffset(leg);
        if (this.#hasBegun || this.#isOriginWellOff) this.#correctOrigin();
      }
      leg.recognition.tick();
    });
  }

  // --- from the stream

  #start(start: LegStart): void {
    if (!this.#enter('streaming')) return;
    const { callSid, streamSid, accountSid, tracks } = start;
    const { now, wallNow, logger } = this.#options;
    const { parties, languages, vocabulary } = readLegParameters(start.parameters);
    const startedAt = new Date(wallNow()).toISOString();
    this.#parties = parties;
    this.#lastAudioMs = Math.floor(now());
    const first = isAnnounced(start) || attemptOf(start.parameters) > 0;
    const request = { callSid, streamSid, channels: tracks.length, languages, vocabulary, first };
    const recognition = this.#options.recognise(request, this, logger.child({ callSid, streamSid }));
    const aligner = new TrackAligner({
      tracks,
      alignmentWindowMs: this.#options.alignmentWindowMs,
      now,
      taker: recognition,
    });
    this.#leg = { start, startedAt, aligner, recognition };
    this.#aligner = aligner;
    this.#metrics.count('legsStarted');
    logger.info(
      { callSid, streamSid, tracks: tracks.length, attempt: attemptOf(start.parameters) },
      'Leg started',
    );
    this.#options.onStarted(start);
    this.#tell({ type: 'leg-started', callSid, streamSid, accountSid, startedAt, tracks, parties });
    this.#describe(start).catch((error: unknown) => this.#onFault(error));
  }

  async #describe({ callSid, streamSid, accountSid }: LegStart): Promise<void> {
    const told = await this.#options.describeCall(callSid, accountSid);
    if (told === undefined) return;
    this.#parties = mergeParties(this.#parties, told);
    this.#tell({ type: 'call-described', callSid, streamSid, parties: this.#parties });
  }

  #hear({ track, timestampMs, payload }: LegAudio): void {
    const leg = this.#leg;
    const aligner = this.#aligner;
    if (leg === undefined || aligner === undefined || this.#state !== 'streaming') return;
    const nowMs = this.#now();
    if (this.#firstAudio === undefined) this.#beginAudio(leg.start, nowMs);
    this.#lastAudioMs = Math.floor(nowMs);
    if (this.#isBeginning) this.#noteBeginning(leg, track, nowMs);
    this.#receivedMs.add(payload.length / BYTES_PER_MS);
    this.#countFilled(aligner.push(track, timestampMs, payload));
  }

  #beginAudio(start: LegStart, nowMs: number): void {
    const atMs = this.#options.wallNow();
    this.#firstAudio = { atMs, nowMs };
    this.#offsetsMs.add(nowMs, nowMs);
    this.#originClaimed = this.#claimOrigin(start, atMs).catch((error: unknown) => this.#onFault(error));
    this.#options.onFirstAudio?.(start, atMs);
  }

  /**
   * The first frames of a stream may come late, all at once. The earliest beginning that the audio so far allows is when
   * it was said.
   */
  #noteBeginning({ aligner }: Leg, track: Track, nowMs: number): void {
    const first = this.#firstAudio;
    if (first === undefined) return;
    this.#isBeginning = nowMs - first.nowMs <= this.#options.beginningMs;
    if (!this.#isBeginning) return;
    const offsetMs = nowMs - aligner.placedMs(track).framesMs;
    this.#offsetsMs.add(offsetMs, nowMs);
    const beganAtMs = first.atMs + offsetMs - first.nowMs;
    this.#beganAtMs = Math.min(this.#beganAtMs, beganAtMs);
    this.#clock?.legBeganAt(this.#beganAtMs);
  }

  #supplySilence(leg: Leg): void {
    const { openedAtMs } = leg.recognition;
    if (openedAtMs !== undefined) this.#silence.sessionOpen(openedAtMs);
    const heardAtMs = this.#firstAudio === undefined ? undefined : this.#lastAudioMs;
    const owedMs = this.#silence.owedMs(this.#now(), heardAtMs);
    if (owedMs === 0) return;
    this.#countFilled(leg.aligner.supply(owedMs));
    this.#offsetsMs.clear();
  }

  #finish(reason: LegEndReason): void {
    const leg = this.#leg;
    if (leg === undefined || !this.#enter('finishing')) return;
    this.#endReason = this.#endsAs ?? reason;
    this.#countFilled(leg.aligner.flush());
    leg.recognition.finish();
    this.#options.onFinishing?.(leg.start, this.#endReason, this.#audioTimes().firstAudioAt);
    Promise.all([leg.recognition.closed, this.#originClaimed])
      .then(() => this.#end(leg, this.#endReason ?? reason))
      .catch((error: unknown) => this.#onFault(error));
  }

  async #claimOrigin({ callSid, parameters }: LegStart, legOriginAtMs: number): Promise<void> {
    const passedOnMs = Date.parse(parameters[ORIGIN_PARAMETER] ?? '');
    // Anybody's stream may have a parameter of that name.
    const isPlausible = passedOnMs <= legOriginAtMs && passedOnMs > legOriginAtMs - LONGEST_CALL_MS;
    const otherwiseMs = isPlausible ? passedOnMs : legOriginAtMs;
    const toldMs = await this.#options.claimOrigin(callSid, legOriginAtMs, otherwiseMs);
    // What an earlier leg has learnt of its beginning may not be in the table yet.
    const originAtMs = isPlausible ? Math.min(toldMs, passedOnMs) : toldMs;
    this.#clock = new CallClock(originAtMs, legOriginAtMs);
    this.#tellOrigin(originAtMs);
    this.#clock.legBeganAt(this.#beganAtMs);
    const held = this.#held;
    this.#held = [];
    for (const tell of held) tell();
  }

  /** A stream that goes on with the call shall know it, whether the store can tell then or not. */
  #tellOrigin(originAtMs: number): void {
    const leg = this.#leg;
    if (leg === undefined) return;
    const originAt = isoTime(originAtMs);
    this.#originToldMs = originAtMs;
    const parameters = { ...leg.start.parameters, [ORIGIN_PARAMETER]: originAt };
    this.#leg = { ...leg, start: { ...leg.start, parameters } };
    this.#tell({ type: 'audio-started', ...this.#id(), originAt });
  }

  /** What piled up before the first frame has come. */
  get #hasBegun(): boolean {
    const { now, beginningMs } = this.#options;
    return this.#firstAudio !== undefined && now() - this.#firstAudio.nowMs > beginningMs;
  }

  /** A leg that takes the call over right now must not wait to learn of it. */
  get #isOriginWellOff(): boolean {
    return this.#originToldMs - (this.#clock?.originAtMs ?? Infinity) >= TOLD_AT_ONCE_MS;
  }

  #correctOrigin(): void {
    const originAtMs = this.#clock?.originAtMs;
    if (originAtMs === undefined || originAtMs >= this.#originToldMs) return;
    this.#tellOrigin(originAtMs);
    this.#options.moveOrigin(this.#id().callSid, originAtMs);
  }

  // --- from the recognition

  sessionOpened(session: SpeechSession, baseMs: number): void {
    this.#session = { ...session.grant, sessionNumber: session.number, baseMs };
    this.#tell({ type: 'session-opened', ...this.#id(), ...this.#session });
  }

  partial(heard: HeardUtterance, latency: UtteranceLatency | undefined): void {
    this.#metrics.count('partials');
    if (latency !== undefined) {
      this.#metrics.observe('partialLatency', latency.totalMs);
      this.#latencies.addPartial(latency);
    }
    this.#noteFirstWords('firstPartial');
    if (this.#options.sinks.every(({ ignoresPartials }) => ignoresPartials === true)) return;
    this.#whenTimed((clock) =>
      this.#tell({ type: 'partial', ...this.#id(), segment: this.#segment(clock, heard, 'live') }),
    );
  }

  final(heard: HeardUtterance, source: 'live' | 'recovered', latency: UtteranceLatency | undefined): void {
    this.#metrics.count('segments');
    this.#segments += 1;
    if (latency !== undefined) {
      this.#metrics.observe('finalLatency', latency.totalMs);
      this.#metrics.observe('speechLatency', Math.max(0, latency.totalMs - latency.relayMs));
      this.#latencies.addFinal(latency);
    }
    if (source === 'live') this.#noteFirstWords('firstFinal');
    this.#whenTimed((clock) => {
      const segment = {
        ...this.#segment(clock, heard, source),
        ...(latency === undefined ? {} : { latencyMs: latency.totalMs, relayMs: latency.relayMs }),
      };
      this.#rememberStart(segment);
      this.#lastFinals = [...this.#lastFinals.slice(1 - LAST_FINALS), segment];
      this.#tell({ type: 'final', ...this.#id(), segment });
    });
  }

  addOn(session: SpeechSession, { kind, utteranceId, utterance, value }: SpokenAddOn): void {
    this.#whenTimed((clock) => {
      const { channel } = utterance;
      const id = { sessionId: session.grant.sessionId, sessionNumber: session.number, utteranceId, channel };
      const startMs =
        this.#segmentStartsMs.get(segmentName(id)) ??
        this.#toCallMs(clock, channel, session.timeline.toLegMs(utterance.startMs));
      this.#tell({ type: 'add-on', ...this.#id(), addOn: { ...id, kind, startMs, value } });
    });
  }

  summary(session: SpeechSession, text: string): void {
    this.#tell({ type: 'summary', ...this.#id(), sessionNumber: session.number, text });
  }

  sessionClosed(session: SpeechSession, facts: SessionFacts | undefined): void {
    const reconciled = facts !== undefined;
    if (facts === undefined) this.#unreconciledSessions += 1;
    else this.#results.push(facts);
    const { sessionId } = session.grant;
    this.#tell({
      type: 'session-closed',
      ...this.#id(),
      sessionId,
      sessionNumber: session.number,
      reconciled,
      ...(facts === undefined ? { mayBeOpen: true } : { facts }),
    });
  }

  // --- to the sinks

  #end(leg: Leg, reason: LegEndReason): void {
    if (this.#state === 'ended') return;
    const { wallNow } = this.#options;
    const { tracks } = leg.start;
    this.#correctOrigin();
    const summary = this.#summary(leg, reason, new Date(wallNow()).toISOString());
    this.#whenTimed((clock) => this.#tellGaps(leg, clock));
    for (const ledger of Object.values(summary.ledger.tracks)) {
      for (const [cause, ms] of Object.entries(ledger.lostMs)) this.#metrics.count('audioLost', ms, cause);
      if (ledger.lateMs > 0) this.#metrics.count('audioLate', ledger.lateMs);
    }
    this.#metrics.count('legsEnded', 1, reason);
    if (isUntranscribed(summary)) this.#metrics.count('legsUntranscribed');
    const { segments, latency, latencyParts, failure } = summary;
    this.#options.logger.info(
      { ...this.#id(), reason, failure, tracks: tracks.length, segments, latency, latencyParts },
      'Leg ended',
    );
    this.#tell({ type: 'leg-ended', ...this.#id(), summary });
    this.#enter('ended');
    this.#resolveEnded(summary);
  }

  #guarded(act: () => void): void {
    try {
      act();
    } catch (error) {
      this.#onFault(error);
    }
  }

  /**
   * The call's boundary: whatever went wrong, this leg is over and the others go on. What it had is written down, unless
   * that fails as well; its call gets another leg, as after any loss.
   */
  #onFault(error: unknown): void {
    this.#options.logger.error({ err: error, ...this.#id() }, 'A fault ended a leg');
    const leg = this.#leg;
    const failedBefore = this.#hasFault;
    this.#hasFault = true;
    if (this.#state === 'ended') return;
    if (!failedBefore) this.#metrics.count('callsFailed', 1, 'fault');
    if (leg === undefined || failedBefore) return this.#endUntold();
    leg.recognition.abort('transcription-failed');
    leg.recognition.closed
      .then(() => this.#end(leg, this.#endReason ?? 'stream-lost'))
      .catch((again: unknown) => this.#onFault(again));
    if (!this.#enter('finishing')) return;
    this.#endReason = this.#endsAs ?? 'stream-lost';
    const { firstAudioAt } = this.#audioTimes();
    this.#guarded(() =>
      this.#options.onFinishing?.(leg.start, this.#endReason ?? 'stream-lost', firstAudioAt),
    );
  }

  #endUntold(): void {
    if (this.#enter('ended')) this.#resolveEnded(undefined);
  }

  #summary(leg: Leg, endReason: LegEndReason, endedAt: string): LegSummary {
    const { recognition, start, aligner, startedAt } = leg;
    const latency = this.#latencies.summary();
    const latencyParts = this.#latencies.parts();
    const failure = this.#hasFault ? 'fault' : recognition.failure;
    return {
      startedAt,
      endedAt,
      endReason,
      ...(failure === undefined ? {} : { failure }),
      tracks: start.tracks,
      ...this.#audioTimes(),
      ...(aligner.leadMs > 0 ? { leadMs: aligner.leadMs } : {}),
      sessions: recognition.sessions,
      segments: this.#segments,
      ledger: legLedger(start.tracks, aligner, recognition.account),
      ...(latency === undefined ? {} : { latency }),
      ...(latencyParts === undefined ? {} : { latencyParts }),
      reconciled: this.#unreconciledSessions === 0,
      results: this.#results,
      billableSeconds: this.#results.reduce((sum, { billedSeconds = 0 }) => sum + billedSeconds, 0),
    };
  }

  #audioTimes(): { firstAudioAt?: string; lastAudioAt?: string } {
    if (this.#firstAudio === undefined) return {};
    const { atMs, nowMs } = this.#firstAudio;
    // What came late was said where it lies, and what comes after it was not.
    const saidToMs = this.#offsetsMs.value + (this.#aligner?.lengthMs ?? Infinity);
    return {
      firstAudioAt: isoTime(Math.min(atMs, this.#beganAtMs)),
      lastAudioAt: isoTime(atMs + Math.max(0, Math.min(this.#lastAudioMs, saidToMs) - nowMs)),
    };
  }

  /** Of audio that has just come: none was supplied behind it. */
  #noteOffset({ aligner }: Leg): void {
    const nowMs = this.#now();
    if (this.#firstAudio === undefined || nowMs - this.#lastAudioMs > JUST_NOW_MS) return;
    this.#offsetsMs.add(this.#lastAudioMs - aligner.lengthMs, nowMs);
  }

  #tellGaps({ start, recognition }: Leg, clock: CallClock): void {
    const bytesPerMs = BYTES_PER_MS * start.tracks.length;
    for (const { fromByte, toByte, fate } of recognition.account.stretches) {
      if (fate.kind !== 'lost') continue;
      start.tracks.forEach((track, channel) => {
        const startMs = this.#toCallMs(clock, channel, fromByte / bytesPerMs);
        const endMs = this.#toCallMs(clock, channel, toByte / bytesPerMs);
        this.#tell({ type: 'gap', ...this.#id(), track, startMs, endMs, cause: fate.cause });
      });
    }
  }

  #segment(clock: CallClock, heard: HeardUtterance, source: 'live' | 'recovered'): Segment {
    const { session, utteranceId, utterance, startMs, endMs } = heard;
    const channel = Math.min(utterance.channel, this.#tracks.length - 1);
    const track = this.#tracks[channel] ?? 'inbound';
    const start = this.#toCallMs(clock, channel, startMs);
    const end = this.#toCallMs(clock, channel, endMs);
    return {
      sessionId: session.grant.sessionId,
      sessionNumber: session.number,
      utteranceId,
      channel,
      track,
      speaker: speakerOf(track, this.#parties.direction),
      text: utterance.text,
      language: utterance.language,
      confidence: utterance.confidence,
      startMs: start,
      endMs: end,
      at: clock.at(start),
      words: utterance.words.map((word) => this.#word(clock, session, channel, word)),
      sessionStartMs: Math.round(utterance.startMs),
      sessionEndMs: Math.round(utterance.endMs),
      source,
      ...(this.#isHeardTwice(end) ? { overlap: true } : {}),
    };
  }

  #word(clock: CallClock, { timeline }: SpeechSession, channel: number, word: SpokenWord): SpokenWord {
    const toCallMs = (sessionMs: number): number =>
      this.#toCallMs(clock, channel, timeline.toLegMs(sessionMs));
    return { ...word, startMs: toCallMs(word.startMs), endMs: toCallMs(word.endMs) };
  }

  #toCallMs(clock: CallClock, channel: number, legAudioMs: number): number {
    const aligner = this.#leg?.aligner;
    const timestampMs = aligner?.toTimestampMs(channel, legAudioMs) ?? legAudioMs;
    return clock.toCallMs(timestampMs - (aligner?.originMs ?? 0));
  }

  /** Calls back at once when the call's origin is known, or as soon as it is. Without any audio there is no time to tell. */
  #whenTimed(tell: (clock: CallClock) => void): void {
    const clock = this.#clock;
    if (clock !== undefined) tell(clock);
    else if (this.#held.length < MOST_HELD)
      this.#held.push(() => this.#clock !== undefined && tell(this.#clock));
  }

  /** How long the leg's caller waited for the first text, from the first frame on. */
  #noteFirstWords(name: 'firstPartial' | 'firstFinal'): void {
    if (this.#hasSaid.has(name) || this.#firstAudio === undefined) return;
    this.#hasSaid.add(name);
    this.#metrics.observe(name, this.#now() - this.#firstAudio.nowMs);
  }

  #rememberStart(segment: Segment): void {
    this.#segmentStartsMs.set(segmentName(segment), segment.startMs);
    forgetOldest(this.#segmentStartsMs, REMEMBERED_SEGMENTS);
  }

  #tell(event: TranscriptEvent): void {
    tellSinks(this.#options, event);
  }

  #countFilled(ms: number): void {
    if (ms > 0) this.#metrics.count('audioFilled', ms);
  }

  #id(): { callSid: string; streamSid: string } {
    const start = this.#leg?.start;
    return { callSid: start?.callSid ?? '', streamSid: start?.streamSid ?? '' };
  }

  get #tracks(): LegStart['tracks'] {
    return this.#leg?.start.tracks ?? [];
  }

  #enter(next: LegState): boolean {
    if (!LEG_MOVES[this.#state].includes(next)) return false;
    this.#state = next;
    return true;
  }
}

function legOrigin(legOriginAt: string | undefined): { legOriginAt?: string } {
  return legOriginAt === undefined ? {} : { legOriginAt };
}

function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}

function segmentName(id: Pick<Segment, 'sessionNumber' | 'channel' | 'utteranceId'>): string {
  return `${id.sessionNumber}/${id.channel}/${id.utteranceId}`;
}
