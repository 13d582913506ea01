import { BYTES_PER_MS } from '../model/audio';
import type { LossCause } from '../model/audio-ledger';
import type { Clock } from '../model/clock';
import type { Secret } from '../model/secret';
import type { SessionFacts } from '../model/transcript-event';
import type { Logger } from '../observability/logger';
import type { Metrics } from '../observability/metrics';
import { AudioAccount, type SessionVerdict } from './audio-account';
import { AudioBacklog, SLAB_BYTES, type BacklogBudget } from './audio-backlog';
import { Receipts } from './receipts';
import { withDeadline } from './deadline';
import { LegFinals } from './leg-finals';
import { backOffMs, type BackOff } from './reconnect-policy';
import type { RecognitionTiming } from './recognition-timing';
import { Reconciliation } from './reconciliation';
import { RECOGNITION_STATES, type RecognitionState } from './recognition-state';
import { SettledMarks } from './settled-marks';
import type { SessionSlots } from './session-slots';
import {
  SpeechError,
  type AcknowledgedRange,
  type SessionGrant,
  type SessionRequest,
  type SocketEnd,
  type SpeechEvent,
  type SpeechProvider,
  type SpeechSocket,
  type SpokenAddOn,
  type SpokenUtterance,
} from './speech-provider';
import { SpeechSession } from './speech-session';

/** Not more than this waits in a socket: the rest stays in the backlog, where it is bounded. */
const SOCKET_HIGH_WATER_BYTES = 256 * 1024;

export interface RecognitionOptions {
  readonly provider: SpeechProvider;
  readonly request: SessionRequest;
  readonly chunkMs: number;
  readonly backlogCallMs: number;
  readonly budget: BacklogBudget;
  readonly slots: SessionSlots;
  readonly timing: RecognitionTiming;
  readonly now: Clock;
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
  /** `latencyMs`, also of a final: since the audio it ends with was received; none for what was recovered. */
  partial(heard: HeardUtterance, latencyMs: number | undefined): void;
  final(heard: HeardUtterance, source: 'live' | 'recovered', latencyMs: number | undefined): void;
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
export class Recognition {
  readonly #options: RecognitionOptions;
  readonly #listener: RecognitionListener;
  readonly #bytesPerMs: number;
  readonly #chunkBytes: number;
  readonly #backlog: AudioBacklog;
  readonly #receipts = new Receipts();
  readonly #abort = new AbortController();
  readonly #finals = new LegFinals();
  readonly #reconciliation: Reconciliation;
  readonly #closed: Promise<void>;
  #resolveClosed: () => void = () => undefined;
  readonly account = new AudioAccount();

  #state: RecognitionState = 'connecting';
  #session: SpeechSession | undefined;
  #socket: SpeechSocket | undefined;
  #releaseSlot: (() => void) | undefined;
  #retryTimer: NodeJS.Timeout | undefined;
  #receivedByte = 0;
  #attempt = 0;
  /** Since when the session has had no socket. */
  #lostAtMs: number | undefined;
  #openedAtMs: number | undefined;
  #probeSentAtMs = 0;
  #lastHeardAtMs = 0;
  /** On the socket in use. */
  #hasSentStop = false;
  #finishBeganAtMs = 0;
  readonly #settled: SettledMarks;
  #failure: string | undefined;
  /** What audio that comes after the end is lost to. */
  #causeAfterEnd: LossCause = 'session-ended';

  constructor(options: RecognitionOptions, listener: RecognitionListener) {
    this.#options = options;
    this.#listener = listener;
    this.#bytesPerMs = BYTES_PER_MS * options.request.channels;
    this.#chunkBytes = options.chunkMs * this.#bytesPerMs;
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
    this.#closed = new Promise((resolve) => (this.#resolveClosed = resolve));
    this.#openSession();
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
    return this.#openedAtMs;
  }

  /** What another process needs to end and reconcile the session in use; `undefined` while there is none. */
  get currentSession(): OpenSession | undefined {
    const session = this.#session;
    if (session === undefined || session.isOver || this.#state === 'closed') return undefined;
    const { sessionId, url } = session.grant;
    return { sessionId, sessionNumber: session.number, url, baseMs: session.baseByte / this.#bytesPerMs };
  }

  get sessions(): number {
    return this.#session?.number ?? 0;
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
    this.#pump();
  }

  /** No more audio comes: sends what is left, says so, and hears what is left. `closed` resolves when that is done. */
  finish(): void {
    if (this.#state === 'closed' || this.#state === 'finishing') return;
    this.#setState('finishing');
    this.#finishBeganAtMs = this.#options.now();
    this.#lastHeardAtMs = this.#finishBeganAtMs;
    if (this.#receivedByte === 0 && this.#session === undefined) this.#close();
    else this.#pump();
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
    if (this.#session?.isProbing === true && now() - this.#probeSentAtMs >= timing.probeTimeoutMs)
      this.#session.endProbe();
    this.#pump();
    if (this.#state !== 'finishing') return;
    if (this.#hasSentStop && now() - this.#lastHeardAtMs >= timing.finishSilenceMs)
      this.#sessionOver('unconfirmed');
    else if (now() - this.#finishBeganAtMs >= timing.finishForMs) this.#fail('speech-unreachable');
  }

  // --- sessions

  #openSession(): void {
    this.#mint()
      .then((grant) => grant !== undefined && this.#beginSession(grant))
      .catch((error: unknown) => this.#onFault(error));
  }

  #beginSession(grant: SessionGrant): void {
    if (this.#state === 'closed') {
      this.#discard(grant);
      return;
    }
    const baseByte = this.#restartByte();
    this.#lose(baseByte, 'session-ended');
    this.account.reopen(baseByte);
    const session = new SpeechSession({
      number: this.sessions + 1,
      grant,
      baseByte,
      bytesPerMs: this.#bytesPerMs,
    });
    this.#session?.endExtent(baseByte);
    this.#session = session;
    this.#lostAtMs = undefined;
    this.#options.metrics.count('sessionsOpened');
    this.#listener.sessionOpened(session, baseByte / this.#bytesPerMs);
    this.#connect();
  }

  /** @returns `undefined` when there will be none */
  async #mint(): Promise<SessionGrant | undefined> {
    const { provider, request, slots, timing, metrics, logger } = this.#options;
    try {
      this.#releaseSlot ??= await slots.take(this.#abort.signal, { first: request.first ?? false });
      if (!this.#isWanted()) {
        this.#releaseSlot();
        return undefined;
      }
      return await withDeadline(
        { signal: this.#abort.signal, timeoutMs: timing.requestTimeoutMs },
        (signal) => provider.createSession(request, signal),
      );
    } catch (error) {
      if (!this.#isWanted()) {
        this.#releaseSlot?.();
        return undefined;
      }
      const code = error instanceof SpeechError ? error.code : 'unexpected';
      metrics.count('sessionRequestsFailed', 1, code);
      const advice = error instanceof SpeechError ? error.message : undefined;
      logger.warn({ code, advice, attempt: this.#attempt }, 'The speech service gave no session');
      if (error instanceof SpeechError && error.retryable)
        this.#retry(timing.backOff, () => this.#openSession());
      else this.#fail(code);
      return undefined;
    }
  }

  #isWanted(): boolean {
    return this.#state !== 'closed';
  }

  /** A session came too late to be used. */
  #discard(grant: SessionGrant): void {
    this.#releaseSlot?.();
    this.#endUnused(grant);
  }

  /** Ends a session that has no socket, as well as can be: it holds one of the account's places. */
  #endUnused(grant: SessionGrant): void {
    const ignore = (): void => undefined;
    const socket: SpeechSocket = this.#options.provider.connect(grant, {
      opened: () => socket.close('end'),
      acknowledged: ignore,
      heard: ignore,
      closed: ignore,
    });
  }

  /**
   * Where a new session begins: with what is not text yet, or not acknowledged yet, whichever is earlier, as far as it
   * is kept.
   */
  #restartByte(): number {
    const { startByte } = this.#backlog;
    return this.#session === undefined ? startByte : Math.max(startByte, this.#openByte(this.#session));
  }

  /** Everything before is text, or not worth keeping, and the service has it. */
  #openByte({ ackedByte }: SpeechSession): number {
    const byte = Math.min(ackedByte, this.#settled.mark(ackedByte));
    return byte - (byte % this.#options.request.channels);
  }

  #newSession(): void {
    const { timing } = this.#options;
    const session = this.#session;
    if (session !== undefined) {
      this.account.settle(session.furthestSentByte, { kind: 'sent', session: session.number });
      this.#reconciliation.begin(session, 'unconfirmed');
    }
    const isDead = session?.hasAnswered === false;
    this.#retry(isDead ? timing.deadSessionBackOff : timing.backOff, () => this.#openSession());
  }

  /** The last session is over: all that is left is its final result. */
  #sessionOver(verdict: SessionVerdict): void {
    const session = this.#session;
    if (session === undefined) return;
    this.#dropSocket('end');
    this.account.settle(session.furthestSentByte, { kind: 'sent', session: session.number });
    this.#lose(this.#receivedByte, 'session-ended');
    this.#reconciliation.begin(session, verdict);
    this.#close();
  }

  /** No session any more, and no other. The results of those that are over may still come. */
  #giveUp(cause: LossCause): void {
    if (this.#state === 'closed') return;
    this.#causeAfterEnd = cause;
    const hadSocket = this.#socket !== undefined;
    this.#dropSocket('end');
    const session = this.#session;
    if (session !== undefined)
      this.account.settle(session.furthestSentByte, { kind: 'sent', session: session.number });
    this.#lose(this.#receivedByte, cause);
    if (session?.isOver === false) {
      if (!hadSocket) this.#endUnused(session.grant);
      this.account.closeSession(session.number, 'unconfirmed');
      this.#listener.sessionClosed(session, undefined);
    }
    this.#close();
  }

  #recover(session: SpeechSession, utterance: SpokenUtterance, index: number): void {
    const heard = this.#place(session, `result-${index}`, utterance);
    if (this.#middleByte(heard) >= session.supersededAtByte || this.#finals.has(heard)) return;
    this.#finals.add(heard);
    this.#options.metrics.count('segmentsRecovered');
    this.#listener.final(heard, 'recovered', undefined);
  }

  #middleByte({ startMs, endMs }: HeardUtterance): number {
    return ((startMs + endMs) / 2) * this.#bytesPerMs;
  }

  // --- the socket

  #connect(): void {
    const session = this.#session;
    if (session === undefined || this.#state === 'closed') return;
    const isCurrent = (): boolean => this.#socket === socket;
    const socket: SpeechSocket = this.#options.provider.connect(session.grant, {
      opened: () => isCurrent() && this.#onOpened(session),
      acknowledged: (range) => isCurrent() && this.#onAcknowledged(session, range),
      heard: (event) => isCurrent() && this.#onHeard(session, event),
      closed: (end) => isCurrent() && this.#onClosed(end),
    });
    this.#socket = socket;
  }

  #onOpened(session: SpeechSession): void {
    if (this.#lostAtMs !== undefined) this.#options.metrics.count('sessionsResumed');
    session.beginSocket();
    this.#openedAtMs = this.#options.now();
    this.#lastHeardAtMs = this.#openedAtMs;
    this.#setState(RECOGNITION_STATES[this.#state].onOpened);
    this.#pump();
  }

  #onAcknowledged(session: SpeechSession, range: AcknowledgedRange): void {
    const { now, timing } = this.#options;
    session.acknowledge(range);
    session.hasAnswered = true;
    this.#lastHeardAtMs = now();
    const lateByte = this.#receipts.endByteAt(now() - timing.lateAfterMs);
    this.account.settle(Math.min(session.ackedByte, lateByte), {
      kind: 'acknowledged-late',
      session: session.number,
    });
    this.account.settle(session.ackedByte, { kind: 'acknowledged', session: session.number });
    this.#release();
    if (this.#openedAtMs !== undefined && now() - this.#openedAtMs >= timing.stableAfterMs) {
      this.#attempt = 0;
      this.#lostAtMs = undefined;
    }
    this.#pump();
  }

  #onClosed(end: SocketEnd): void {
    const { now, timing, metrics, logger } = this.#options;
    const session = this.#session;
    this.#dropSocket('drop');
    if (session === undefined) return;
    if (end.decision === 'done' && session.isStopped) {
      this.#sessionOver('accepted');
      return;
    }
    metrics.count('sessionSocketsLost');
    logger.warn(
      { code: end.code, decision: end.decision, session: session.number },
      'The speech socket was lost',
    );
    this.#setState(RECOGNITION_STATES[this.#state].onLost);
    this.#lostAtMs ??= now();
    if (end.decision === 'resume' && now() - this.#lostAtMs < timing.resumeForMs) {
      this.#retry(timing.backOff, () => this.#connect());
      return;
    }
    if (end.decision === 'resume') this.#endUnused(session.grant);
    if (!session.isStopped) this.#newSession();
    else if (session.ackedByte >= this.#receivedByte) this.#sessionOver('unconfirmed');
    else this.#askForTheRest(session);
  }

  /** The session ended after `stop`, before the last acks came: its result says whether it has everything. */
  #askForTheRest(session: SpeechSession): void {
    this.#reconciliation
      .finalResult(session)
      .then((result) => {
        if (!this.#isWanted()) return;
        session.noteResult(result);
        if (session.isWholeByDuration === true) this.#sessionOver('unconfirmed');
        else this.#newSession();
      })
      .catch((error: unknown) => this.#onFault(error));
  }

  #dropSocket(how: 'end' | 'drop'): void {
    const socket = this.#socket;
    this.#socket = undefined;
    this.#openedAtMs = undefined;
    this.#hasSentStop = false;
    socket?.close(how);
  }

  #retry(backOff: BackOff, again: () => void): void {
    if (!this.#isWanted()) return;
    clearTimeout(this.#retryTimer);
    const guarded = (): void => {
      try {
        again();
      } catch (error) {
        this.#onFault(error);
      }
    };
    this.#retryTimer = setTimeout(guarded, backOffMs(this.#attempt, backOff, this.#options.random));
    this.#attempt += 1;
  }

  /** Sends what is there, as far as the socket takes it; in the end, `stop`. */
  #pump(): void {
    const session = this.#session;
    const socket = this.#socket;
    if (session === undefined || socket === undefined || this.#openedAtMs === undefined) return;
    const { sendsEverything } = RECOGNITION_STATES[this.#state];
    session.skipTo(this.#backlog.startByte);
    while (!session.isProbing && socket.bufferedBytes < SOCKET_HIGH_WATER_BYTES) {
      const waitingBytes = this.#backlog.endByte - session.sentByte;
      if (waitingBytes <= 0 || (waitingBytes < this.#chunkBytes && !sendsEverything)) break;
      this.#send(session, socket);
    }
    const isAllSent = session.sentByte >= this.#backlog.endByte && !session.isProbing;
    if (sendsEverything && isAllSent && !this.#hasSentStop) {
      this.#hasSentStop = true;
      session.isStopped = true;
      this.#lastHeardAtMs = this.#options.now();
      socket.stop();
    }
  }

  #send(session: SpeechSession, socket: SpeechSocket): void {
    const { metrics, now } = this.#options;
    const isProbe = session.mustProbe;
    const resentBefore = session.resentBytes;
    const piece = this.#backlog.read(session.sentByte, isProbe ? this.#chunkBytes : SLAB_BYTES);
    session.sent(piece.length);
    if (isProbe) this.#probeSentAtMs = now();
    metrics.count('audioForwarded', piece.length / BYTES_PER_MS);
    if (session.resentBytes > resentBefore)
      metrics.count('audioResent', (session.resentBytes - resentBefore) / BYTES_PER_MS);
    socket.sendAudio(piece);
  }

  // --- what is heard

  #onHeard(session: SpeechSession, event: SpeechEvent): void {
    this.#lastHeardAtMs = this.#options.now();
    session.hasAnswered = true;
    switch (event.type) {
      case 'transcript': {
        const heard = this.#place(session, event.utteranceId, event.utterance);
        if (event.isFinal) this.#onFinal(heard);
        else this.#listener.partial(heard, this.#latencyMs(this.#endByte(heard)));
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
    const { metrics } = this.#options;
    const { session, utteranceId, utterance } = heard;
    // Audio behind a channel's last final is sent again for the sake of the other channel, or because the service had
    // it and did not say so: its text is there already.
    const mayRepeat = session.number > 1 || session.hasRepeats;
    const isRepeat = mayRepeat && this.#middleByte(heard) < this.#settled.byteOf(utterance.channel);
    if (!session.addFinal(utteranceId, isRepeat) || isRepeat) {
      metrics.count('segmentsRepeated');
      return;
    }
    this.#finals.add(heard);
    const endByte = this.#endByte(heard);
    this.#settled.settle(utterance.channel, endByte);
    this.#listener.final(heard, 'live', this.#latencyMs(endByte));
    this.#release();
  }

  /** No transcript can be about more than was sent, whatever its times say. */
  #endByte({ session, endMs }: HeardUtterance): number {
    return Math.min(endMs * this.#bytesPerMs, session.furthestSentByte);
  }

  #latencyMs(endByte: number): number | undefined {
    const receivedAtMs = this.#receipts.receivedAtMs(endByte);
    return receivedAtMs === undefined ? undefined : this.#options.now() - receivedAtMs;
  }

  #place(session: SpeechSession, utteranceId: string, utterance: SpokenUtterance): HeardUtterance {
    const startMs = session.timeline.toLegMs(utterance.startMs);
    const endMs = session.timeline.toLegMs(utterance.endMs);
    return { session, utteranceId, utterance, startMs, endMs };
  }

  // --- the books

  #release(): void {
    const byte = this.#session === undefined ? 0 : this.#openByte(this.#session);
    this.#backlog.release(byte);
    this.#receipts.forget(byte);
  }

  #onDropped(toByte: number): void {
    const session = this.#session;
    const before = this.account.endByte;
    // What was sent may still be acknowledged; only what never was is lost for sure.
    if (session !== undefined)
      this.account.settle(Math.min(toByte, session.furthestSentByte), {
        kind: 'sent',
        session: session.number,
      });
    this.account.settle(toByte, { kind: 'lost', cause: 'backlog-overflow' });
    const droppedBytes = this.account.endByte - before;
    if (droppedBytes > 0) this.#options.metrics.count('audioDropped', droppedBytes / BYTES_PER_MS);
  }

  #lose(toByte: number, cause: LossCause): void {
    this.account.settle(toByte, { kind: 'lost', cause });
  }

  #fail(reason: string): void {
    if (this.#state === 'closed') return;
    this.#failure = reason;
    this.#options.metrics.count('callsFailed', 1, reason);
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
    clearTimeout(this.#retryTimer);
    this.#backlog.close();
    this.#releaseSlot?.();
    this.#session?.endExtent(Infinity);
    void this.#reconciliation.settled().then(this.#resolveClosed);
  }

  #setState(state: RecognitionState): void {
    this.#state = state;
  }
}
