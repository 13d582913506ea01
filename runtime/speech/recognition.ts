import { BYTES_PER_MS } from '../model/audio';
import type { LossCause } from '../model/audio-ledger';
import type { Clock } from '../model/clock';
import type { Secret } from '../model/secret';
import type { SessionFacts } from '../model/transcript-event';
import type { Distribution } from '../observability/distribution';
import type { Logger } from '../observability/logger';
import type { Metrics } from '../observability/metrics';
import { AudioAccount, type SessionVerdict } from './audio-account';
import { AudioBacklog, SLAB_BYTES, type BacklogBudget } from './audio-backlog';
import { CatchUpPace } from './catch-up-pace';
import { endSession } from './end-session';
import { pause } from './final-result';
import { LegFinals } from './leg-finals';
import { Receipts, type UtteranceLatency } from './receipts';
import { Attempts } from './reconnect-policy';
import type { RecognitionTiming } from './recognition-timing';
import { Reconciliation } from './reconciliation';
import { RECOGNITION_STATES, type RecognitionState } from './recognition-state';
import { Rollover } from './rollover';
import { SessionLink, type LinkEnd, type SessionLinkListener } from './session-link';
import { mintSession, type MintedSession, type MintRefused } from './session-mint';
import type { SessionSlot, SessionSlots } from './session-slots';
import { SettledMarks } from './settled-marks';
import { SpeechDetector } from './speech-detector';
import type {
  SessionRequest,
  SpeechEvent,
  SpeechProvider,
  SpokenAddOn,
  SpokenUtterance,
} from './speech-provider';
import { SpeechSession } from './speech-session';
import { StallWatch } from './stall-watch';

/**
 * When the audio was received that a `sendAudio` of some leg is taking right now; one ends before the next begins. Not a
 * leg's own, for memory that is read with each frame of each leg costs more than the rest of the frame.
 */
let takenAtMs = NaN;

/** A session is handed on only when the service has nearly all of what was sent. */
const MOST_UNACKNOWLEDGED_MS = 2_000;

export interface RecognitionOptions {
  readonly provider: SpeechProvider;
  readonly request: SessionRequest;
  readonly chunkMs: number;
  readonly backlogCallMs: number;
  readonly budget: BacklogBudget;
  readonly slots: SessionSlots;
  /** Audio that had to wait is sent at most this many times faster than it was spoken. Default: no limit. */
  readonly catchUpFactor?: number;
  readonly timing: RecognitionTiming;
  readonly now: Clock;
  /** Told when a session whose socket was lost has another one. */
  readonly onResumed?: ((lostForMs: number) => void) | undefined;
  /** 0 (included) to 1 (excluded) */
  readonly random: () => number;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** An utterance with its place in the leg's audio. */
export interface HeardUtterance {
  readonly session: SpeechSession;
  readonly utteranceId: string;
  readonly utterance: SpokenUtterance;
  /** Milliseconds of leg audio. */
  readonly startMs: number;
  readonly endMs: number;
}

/** Audio that is on its way, milliseconds of all tracks together. */
export interface OutstandingAudio {
  /** Never sent to the service. */
  readonly waitingMs: number;
  readonly unacknowledgedMs: number;
}

/** A session that is neither over nor given up. */
export interface OpenSession {
  readonly sessionId: string;
  /** Sessions of a leg are numbered from 1. */
  readonly sessionNumber: number;
  /** A bearer token. */
  readonly url: Secret;
  /** Leg audio, in ms, that came before this session's first byte. */
  readonly baseMs: number;
}

export interface RecognitionListener {
  sessionOpened(session: SpeechSession, baseMs: number): void;
  /** No latency, also of a final, for what was recovered. */
  partial(heard: HeardUtterance, latency: UtteranceLatency | undefined): void;
  final(heard: HeardUtterance, source: 'live' | 'recovered', latency: UtteranceLatency | undefined): void;
  addOn(session: SpeechSession, addOn: SpokenAddOn): void;
  summary(session: SpeechSession, text: string): void;
  /** `facts` and `reconciled` only when the final result could be had. */
  sessionClosed(session: SpeechSession, facts: SessionFacts | undefined): void;
}

/**
 * One leg's audio being turned into text: mints sessions, holds the socket, resends what was not acknowledged, opens
 * a new session when one is beyond help, and compares the final result with what came live.
 * This is the one layer that retries. Nothing here ever slows the caller of `sendAudio`.
 */
export class Recognition implements SessionLinkListener {
  // What each frame and each acknowledgment reads comes first, so that it lies together.
  #state: RecognitionState = 'connecting';
  #receivedByte = 0;
  /** What comes before was sent once, or dropped. */
  #sentByte = 0;
  /** When the first audio behind it was received; `undefined` while there is none, or it has only just come. */
  #waitsSinceMs: number | undefined = undefined;
  #link: SessionLink | undefined = undefined;
  /** The detector is given the audio; decided with each tick. */
  #isListening = false;
  /** When so much is acknowledged, memory may be free. */
  #releaseDueAtByte = 0;
  readonly #receipts = new Receipts();
  readonly account = new AudioAccount();
  readonly #backlog: AudioBacklog;
  readonly #latenciesMs: Distribution;
  readonly #lateAfterMs: number;
  readonly #now: Clock;
  readonly #metrics: Metrics;
  readonly #options: RecognitionOptions;
  readonly #listener: RecognitionListener;
  readonly #bytesPerMs: number;
  readonly #chunkBytes: number;
  readonly #abort = new AbortController();
  readonly #finals = new LegFinals();
  readonly #reconciliation: Reconciliation;
  readonly #closed: Promise<void>;
  #resolveClosed: () => void = () => undefined;
  /** Links whose session has handed on, and is being heard out. */
  readonly #retiring = new Set<SessionLink>();
  /** Slots of sessions in use. */
  readonly #slots = new Map<SessionLink, SessionSlot>();
  /** Of a session that is over: its successor needs one. */
  #spareSlot: SessionSlot | undefined;
  readonly #attempts: Attempts;
  /** No further session is wanted. */
  readonly #unwanted = new AbortController();
  #finishBeganAtMs = 0;
  /** Since when the session in use has had no socket, although it had one. */
  #lostAtMs: number | undefined;
  readonly #settled: SettledMarks;
  #failure: string | undefined;
  readonly #detector: SpeechDetector;
  readonly #stall: StallWatch;
  readonly #rollover: Rollover;
  /** The last session is over; others may still be heard out. */
  #isOver = false;
  #hasToldOfDrop = false;
  /** What audio that comes after the end is lost to. */
  #causeAfterEnd: LossCause = 'session-ended';

  constructor(options: RecognitionOptions, listener: RecognitionListener) {
    this.#options = options;
    this.#listener = listener;
    this.#bytesPerMs = BYTES_PER_MS * options.request.channels;
    this.#chunkBytes = options.chunkMs * this.#bytesPerMs;
    this.#lateAfterMs = options.timing.lateAfterMs;
    this.#now = options.now;
    this.#metrics = options.metrics;
    this.#latenciesMs = options.metrics.distribution('relayLatency');
    this.#attempts = new Attempts(options.random);
    this.#settled = new SettledMarks(
      options.request.channels,
      options.timing.keepUnsettledMs * this.#bytesPerMs,
    );
    this.#backlog = new AudioBacklog({
      budget: options.budget,
      maxBytes: options.backlogCallMs * this.#bytesPerMs,
      onDropped: (_from, to) => this.#onDropped(to),
    });
    this.#reconciliation = new Reconciliation({
      ...options,
      signal: this.#abort.signal,
      account: this.account,
      recover: (session, utterance, index) => this.#recover(session, utterance, index),
      summary: (session, text) => this.#onSummary(session, text),
      closed: (session, facts) => this.#listener.sessionClosed(session, facts),
      onFault: (error) => this.#onFault(error),
    });
    const { timing, now } = options;
    this.#detector = new SpeechDetector(options.request.channels);
    this.#stall = new StallWatch({ timing, detector: this.#detector, now });
    this.#rollover = new Rollover({
      timing,
      now,
      mint: (unwanted) => this.#mint(unwanted),
      discard: (minted) => this.#discard(minted),
      onFault: (error) => this.#onFault(error),
    });
    this.#closed = new Promise((resolve) => (this.#resolveClosed = resolve));
    this.#openSession(0);
  }

  get state(): RecognitionState {
    return this.#state;
  }

  /** Why the transcription was given up, if it was. */
  get failure(): string | undefined {
    return this.#failure;
  }

  /** When the socket in use was opened; `undefined` while there is none. */
  get openedAtMs(): number | undefined {
    return this.#link?.openedAtMs;
  }

  /** What another process needs to end and reconcile the session in use; `undefined` while there is none. */
  get currentSession(): OpenSession | undefined {
    const session = this.#link?.session;
    if (session === undefined || session.isOver || this.#state === 'closed') return undefined;
    const { sessionId, url } = session.grant;
    return { sessionId, sessionNumber: session.number, url, baseMs: session.baseByte / this.#bytesPerMs };
  }

  get outstanding(): OutstandingAudio {
    const session = this.#link?.session;
    const isClosed = this.#state === 'closed';
    const unacknowledged = session === undefined || isClosed ? 0 : session.sentByte - session.ackedByte;
    return {
      waitingMs: isClosed ? 0 : (this.#receivedByte - this.#sentByte) / BYTES_PER_MS,
      unacknowledgedMs: Math.max(0, unacknowledged) / BYTES_PER_MS,
    };
  }

  get sessions(): number {
    return this.#link?.session.number ?? 0;
  }

  /** Resolves once no more will be heard. */
  get closed(): Promise<void> {
    return this.#closed;
  }

  /**
   * Takes whole samples of all channels. Never throws, never waits.
   * @param receivedAtMs when they came from Twilio, by the clock `now`
   */
  sendAudio(bytes: Buffer, receivedAtMs: number): void {
    this.#receivedByte += bytes.length;
    if (this.#state === 'closed') {
      this.#lose(this.#receivedByte, this.#causeAfterEnd);
      return;
    }
    this.#receipts.add(this.#receivedByte, receivedAtMs);
    this.#backlog.append(bytes);
    takenAtMs = receivedAtMs;
    this.#link?.pump();
    if (this.#sentByte < this.#receivedByte) this.#waitsSinceMs ??= receivedAtMs;
  }

  /** No more audio comes: sends what is left, says so, and hears what is left. `closed` resolves when that is done. */
  finish(): void {
    if (this.#state === 'closed' || this.#state === 'finishing') return;
    this.#setState('finishing');
    this.#finishBeganAtMs = this.#options.now();
    this.#rollover.close();
    if (this.#receivedByte === 0 && this.#link === undefined) this.#close();
    else this.#link?.finish(Infinity);
  }

  /** Ends at once, also the wait for final results; what the service has not acknowledged is lost. Safe to call twice. */
  abort(cause: LossCause): void {
    this.#abort.abort(new Error('The recognition was aborted'));
    this.#giveUp(cause);
  }

  /** Called every now and then by the process's one timer. */
  tick(): void {
    const { now, timing } = this.#options;
    if (this.#state === 'closed') return;
    this.#link?.tick();
    for (const link of this.#retiring) link.tick();
    this.#decideListening();
    if (this.#state === 'open') this.#watch();
    if (this.#isFinishing && now() - this.#finishBeganAtMs >= timing.finishForMs)
      this.#fail('speech-unreachable');
  }

  // --- sessions

  #openSession(afterMs: number): void {
    const successor = this.#rollover.take();
    if (successor !== undefined) {
      this.#spareSlot?.release();
      this.#spareSlot = undefined;
      this.#take(successor);
      return;
    }
    const paused = afterMs > 0 ? pause(afterMs, this.#unwanted.signal) : Promise.resolve();
    paused
      .then(() => this.#mint(this.#unwanted.signal))
      .then((minted) => minted !== undefined && this.#take(minted))
      .catch((error: unknown) => this.#onFault(error));
  }

  #mint(unwanted: AbortSignal): Promise<MintedSession | MintRefused | undefined> {
    const slot = this.#spareSlot;
    this.#spareSlot = undefined;
    return mintSession({
      ...this.#options,
      ...(slot === undefined ? {} : { slot }),
      first: this.#options.request.first === true || this.sessions > 0,
      attempts: this.#attempts,
      unwanted,
      abort: this.#abort.signal,
    });
  }

  #take(minted: MintedSession | MintRefused): void {
    if (!('grant' in minted)) this.#fail(minted.refusedAs);
    else if (this.#state === 'closed') this.#discard(minted);
    else this.#beginSession(minted, this.#restartByte());
  }

  #beginSession({ grant, slot, atMs }: MintedSession, baseByte: number): SpeechSession {
    const { timing } = this.#options;
    this.#lose(baseByte, 'session-ended');
    this.account.reopen(baseByte);
    this.#link?.session.endExtent(baseByte);
    const session = new SpeechSession({
      number: this.sessions + 1,
      grant,
      baseByte,
      bytesPerMs: this.#bytesPerMs,
    });
    const link = new SessionLink(
      {
        ...this.#options,
        session,
        backlog: this.#backlog,
        pace: this.#pace(),
        attempts: this.#attempts,
        chunkBytes: this.#chunkBytes,
        timing,
      },
      this,
    );
    this.#link = link;
    this.#lostAtMs = undefined;
    this.#slots.set(link, slot);
    this.#metrics.count('sessionsOpened');
    this.#listener.sessionOpened(session, baseByte / this.#bytesPerMs);
    if (this.#isFinishing) link.finish(Infinity);
    else this.#rollover.begin(atMs);
    return session;
  }

  #decideListening(): void {
    const isListening = this.#stall.isListening || this.#rollover.isDue;
    // A pause that was heard long ago is none now.
    if (isListening && !this.#isListening) this.#detector.reset();
    this.#isListening = isListening;
  }

  /** The session in use is well, as far as its socket goes. */
  #watch(): void {
    const link = this.#link;
    if (link === undefined) return;
    const { ackedByte, sentByte } = link.session;
    if (sentByte - ackedByte > MOST_UNACKNOWLEDGED_MS * this.#bytesPerMs) return;
    if (this.#stall.tick()) this.#recycle(link);
    else this.#rollOver(link);
  }

  /** The service takes audio and says nothing about it: another session may do better. */
  #recycle(link: SessionLink): void {
    this.#metrics.count('sessionsRecycled', 1, 'mute');
    this.#options.logger.warn({ session: link.session.number }, 'Speech is sent and nothing comes back');
    this.#stall.recycled();
    link.close();
    this.#setState(RECOGNITION_STATES[this.#state].onLost);
    this.#newSession(link);
  }

  #rollOver(link: SessionLink): void {
    const step = this.#rollover.step(this.#detector.quietMs);
    const successor = step === 'stay' ? undefined : this.#rollover.take();
    if (successor === undefined) return;
    const { session } = link;
    const overlapBytes = this.#options.timing.rolloverOverlapMs * this.#bytesPerMs;
    const isPause = step === 'hand-on-in-pause';
    const fromByte = isPause
      ? Math.max(session.baseByte, session.sentByte - overlapBytes)
      : this.#openByte(session);
    this.account.settle(session.furthestSentByte, { kind: 'sent', session: session.number });
    this.#retiring.add(link);
    const next = this.#beginSession(successor, Math.max(fromByte, this.#backlog.startByte));
    if (isPause) next.floorByte = next.baseByte;
    this.#metrics.count('sessionsRecycled', 1, isPause ? 'rollover' : 'rollover-without-pause');
    link.finish(session.sentByte);
  }

  #pace(): CatchUpPace | undefined {
    const { catchUpFactor: factor = Infinity } = this.#options;
    return factor === Infinity ? undefined : new CatchUpPace({ bytesPerMs: this.#bytesPerMs, factor });
  }

  get #isFinishing(): boolean {
    return this.#state === 'finishing';
  }

  #isWanted(): boolean {
    return this.#state !== 'closed';
  }

  /** A session came too late to be used. */
  #discard({ grant, slot }: MintedSession): void {
    slot.release();
    endSession(this.#options.provider, grant);
  }

  /**
   * Where a new session begins: with what is not text yet, or not acknowledged yet, whichever is earlier, as far as it
   * is kept.
   */
  #restartByte(): number {
    const { startByte } = this.#backlog;
    return this.#link === undefined ? startByte : Math.max(startByte, this.#openByte(this.#link.session));
  }

  /** Everything before is text, or not worth keeping, and the service has it. */
  #openByte(session: SpeechSession): number {
    const { knownByte } = session;
    const byte = Math.min(knownByte, this.#settled.mark(knownByte));
    return Math.max(session.floorByte, byte - (byte % this.#options.request.channels));
  }

  /** The session in use is over, the leg is not. */
  #newSession(link: SessionLink): void {
    const { timing } = this.#options;
    const { session } = link;
    this.#spareSlot = this.#slots.get(link);
    this.#slots.delete(link);
    // A session that ended amid the audio says nothing of what it did not acknowledge.
    this.account.settle(session.furthestSentByte, { kind: 'unconfirmed' });
    this.#reconciliation.begin(session, 'unconfirmed');
    const backOff = session.hasAnswered ? timing.backOff : timing.deadSessionBackOff;
    this.#openSession(this.#attempts.next(backOff));
  }

  /** The last session is over: all that is left is its final result. */
  #sessionOver(session: SpeechSession, verdict: SessionVerdict): void {
    this.account.settle(session.furthestSentByte, { kind: 'sent', session: session.number });
    this.#lose(this.#receivedByte, 'session-ended');
    this.#reconciliation.begin(session, verdict);
    this.#isOver = true;
    this.#closeWhenHeardOut();
  }

  #closeWhenHeardOut(): void {
    if (this.#isOver && this.#retiring.size === 0) this.#close();
  }

  /** No session any more, and no other. The results of those that are over may still come. */
  #giveUp(cause: LossCause): void {
    if (this.#state === 'closed') return;
    this.#causeAfterEnd = cause;
    const link = this.#link;
    const session = link?.session;
    if (session !== undefined)
      this.account.settle(session.furthestSentByte, { kind: 'sent', session: session.number });
    this.#lose(this.#receivedByte, cause);
    for (const link of this.#retiring) {
      link.close();
      this.#reconciliation.begin(link.session, 'unconfirmed');
    }
    if (session?.isOver === false) {
      this.account.closeSession(session.number, 'unconfirmed');
      this.#listener.sessionClosed(session, undefined);
    }
    this.#close();
  }

  #recover(session: SpeechSession, utterance: SpokenUtterance, index: number): void {
    const heard = this.#place(session, `result-${index}`, utterance);
    if (this.#isSuccessors(heard) || this.#finals.has(heard)) return;
    this.#finals.add(heard);
    this.#metrics.count('segmentsRecovered');
    this.#listener.final(heard, 'recovered', undefined);
  }

  /** The session has handed on, and this was said after it. */
  #isSuccessors(heard: HeardUtterance): boolean {
    return this.#middleByte(heard) >= heard.session.supersededAtByte;
  }

  #middleByte({ startMs, endMs }: HeardUtterance): number {
    return ((startMs + endMs) / 2) * this.#bytesPerMs;
  }

  // --- what the session's link tells

  opened(link: SessionLink): void {
    if (link !== this.#link) return;
    this.#setState(RECOGNITION_STATES[this.#state].onOpened);
    this.#stall.begin();
    if (this.#lostAtMs !== undefined) this.#options.onResumed?.(this.#options.now() - this.#lostAtMs);
    this.#lostAtMs = undefined;
  }

  sent(link: SessionLink, audio: Buffer, nowMs: number): void {
    this.#noteSent(link.session.furthestSentByte, nowMs);
    if (this.#isListening) this.#detector.push(audio);
  }

  acknowledged(link: SessionLink): void {
    if (link !== this.#link) return this.#release();
    const { session } = link;
    const { ackedByte } = session;
    const lateByte = this.#receipts.endByteAt(this.#now() - this.#lateAfterMs);
    if (lateByte > 0) this.account.settle(Math.min(ackedByte, lateByte), session.fateLate);
    this.account.settle(ackedByte, session.fateInTime);
    if (ackedByte >= this.#releaseDueAtByte) this.#release();
  }

  lost(link: SessionLink): void {
    if (link !== this.#link) return;
    this.#lostAtMs ??= this.#options.now();
    this.account.doubt(link.session.number);
    this.#setState(RECOGNITION_STATES[this.#state].onLost);
  }

  over(link: SessionLink, end: LinkEnd): void {
    if (link === this.#link) this.#onOver(link, end);
    else this.#onRetired(link, end);
  }

  fault(error: unknown): void {
    this.#onFault(error);
  }

  /** A session that has handed on is heard out, or cannot be. */
  #onRetired(link: SessionLink, end: LinkEnd): void {
    this.#retiring.delete(link);
    this.#slots.get(link)?.release();
    this.#slots.delete(link);
    this.#reconciliation.begin(link.session, end === 'finished' ? 'accepted' : 'unconfirmed');
    this.#release();
    this.#closeWhenHeardOut();
  }

  #onOver(link: SessionLink, end: LinkEnd): void {
    const { session } = link;
    if (end === 'no-acks') this.#metrics.count('sessionsRecycled', 1, 'no-acks');
    if (end === 'finished') return this.#sessionOver(session, 'accepted');
    if (end === 'silent') return this.#sessionOver(session, 'unconfirmed');
    if (!session.isStopped) this.#newSession(link);
    else if (session.ackedByte >= this.#receivedByte) this.#sessionOver(session, 'unconfirmed');
    else this.#askForTheRest(link);
  }

  /** The session ended after `stop`, before the last acks came: its result says whether it has everything. */
  #askForTheRest(link: SessionLink): void {
    const { session } = link;
    this.#reconciliation
      .finalResult(session)
      .then((result) => {
        if (!this.#isWanted()) return;
        session.noteResult(result);
        if (session.isWholeByDuration === true) this.#sessionOver(session, 'unconfirmed');
        else this.#newSession(link);
      })
      .catch((error: unknown) => this.#onFault(error));
  }

  // --- what is heard

  heard({ session }: SessionLink, event: SpeechEvent): void {
    switch (event.type) {
      case 'transcript': {
        const heard = this.#place(session, event.utteranceId, event.utterance);
        session.noteHeard(this.#endByte(heard));
        this.#stall.heard();
        if (event.isFinal) this.#onFinal(heard);
        else if (!this.#isSuccessors(heard))
          this.#listener.partial(heard, this.#latency(this.#endByte(heard)));
        return;
      }
      case 'add-on':
        if (!session.isRepeat(event.addOn.utteranceId)) this.#listener.addOn(session, event.addOn);
        return;
      case 'summary':
        this.#onSummary(session, event.text);
        return;
      case 'duration':
        session.reportDuration(event.source, event.durationMs);
        return;
      case 'alive':
        return;
    }
  }

  #onSummary(session: SpeechSession, text: string): void {
    session.hasSummary = true;
    this.#listener.summary(session, text);
  }

  #onFinal(heard: HeardUtterance): void {
    const { session, utteranceId, utterance } = heard;
    // Audio behind a channel's last final is sent again for the sake of the other channel, or because the service had
    // it and did not say so: its text is there already.
    const mayRepeat = session.number > 1 || session.hasRepeats;
    const isRepeat = session.isSuperseded
      ? this.#isSuccessors(heard)
      : mayRepeat && this.#middleByte(heard) < this.#settled.byteOf(utterance.channel);
    if (!session.addFinal(utteranceId, isRepeat) || isRepeat) {
      this.#metrics.count('segmentsRepeated');
      return;
    }
    this.#finals.add(heard);
    const endByte = this.#endByte(heard);
    this.#settled.settle(utterance.channel, endByte);
    this.#listener.final(heard, 'live', this.#latency(endByte));
    this.#release();
  }

  /** No transcript can be about more than was sent, whatever its times say. */
  #endByte({ session, endMs }: HeardUtterance): number {
    return Math.min(endMs * this.#bytesPerMs, session.furthestSentByte);
  }

  #latency(endByte: number): UtteranceLatency | undefined {
    return this.#receipts.latency(endByte, this.#options.now());
  }

  #place(session: SpeechSession, utteranceId: string, utterance: SpokenUtterance): HeardUtterance {
    const startMs = session.timeline.toLegMs(utterance.startMs);
    const endMs = session.timeline.toLegMs(utterance.endMs);
    return { session, utteranceId, utterance, startMs, endMs };
  }

  /** Another session may send again what was sent. */
  #noteSent(toByte: number, nowMs: number): void {
    if (toByte <= this.#sentByte) return;
    this.#sentByte = toByte;
    const waitedMs = Math.max(0, nowMs - (this.#waitsSinceMs ?? takenAtMs));
    this.#latenciesMs.add(waitedMs);
    this.#receipts.sent(toByte, waitedMs, nowMs);
    this.#noteUnsent();
  }

  #noteUnsent(): void {
    const isAllSent = this.#sentByte >= this.#receivedByte;
    this.#waitsSinceMs = isAllSent ? undefined : this.#receipts.receivedAtMs(this.#sentByte + 1);
  }

  // --- the books

  #release(): void {
    const link = this.#link;
    let byte = link === undefined ? 0 : this.#openByte(link.session);
    this.#releaseDueAtByte = (link?.session.ackedByte ?? 0) + SLAB_BYTES;
    // Memory goes in whole slabs: with most acknowledgments, none.
    if (byte < this.#backlog.startByte + SLAB_BYTES) return;
    if (this.#retiring.size > 0)
      for (const { session } of this.#retiring) byte = Math.min(byte, session.ackedByte);
    this.#backlog.release(byte);
    this.#receipts.forget(byte);
  }

  #onDropped(toByte: number): void {
    const link = this.#link;
    const before = this.account.endByte;
    if (link !== undefined) {
      const { number: session, sentByte, furthestSentByte } = link.session;
      // What was sent on this socket may still be acknowledged, what was only sent on one that is lost will not.
      if (link.openedAtMs !== undefined)
        this.account.settle(Math.min(toByte, sentByte), { kind: 'sent', session });
      this.account.settle(Math.min(toByte, furthestSentByte), { kind: 'unconfirmed' });
    }
    this.account.settle(toByte, { kind: 'lost', cause: 'backlog-overflow' });
    const droppedBytes = this.account.endByte - before;
    if (droppedBytes > 0) this.#tellOfDrop(droppedBytes);
    if (toByte <= this.#sentByte) return;
    this.#sentByte = toByte;
    this.#noteUnsent();
  }

  /** Audio goes on to be dropped with every frame: the first of a leg is enough for the log. */
  #tellOfDrop(bytes: number): void {
    this.#metrics.count('audioDropped', bytes / BYTES_PER_MS);
    if (!this.#hasToldOfDrop)
      this.#options.logger.error('The backlog is full: the oldest audio of a call is dropped');
    this.#hasToldOfDrop = true;
  }

  #lose(toByte: number, cause: LossCause): void {
    this.account.settle(toByte, { kind: 'lost', cause });
  }

  #fail(reason: string): void {
    if (this.#state === 'closed') return;
    this.#failure = reason;
    this.#metrics.count('callsFailed', 1, reason);
    this.#options.logger.error({ reason }, 'The transcription of a call failed');
    this.#giveUp('transcription-failed');
  }

  /** The call's boundary: a fault of ours ends this call's transcription and nothing else. */
  #onFault(error: unknown): void {
    this.#options.logger.error({ err: error }, 'A fault ended the transcription of a call');
    this.#fail('fault');
  }

  #close(): void {
    if (this.#state === 'closed') return;
    this.#setState('closed');
    this.#rollover.close();
    this.#unwanted.abort(new Error('The recognition is closed'));
    this.#link?.close();
    this.#backlog.close();
    for (const slot of [this.#spareSlot, ...this.#slots.values()]) slot?.release();
    this.#link?.session.endExtent(Infinity);
    void this.#reconciliation.settled().then(this.#resolveClosed);
  }

  #setState(state: RecognitionState): void {
    this.#state = state;
  }
}
