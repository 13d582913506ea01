import { BYTES_PER_MS } from '../model/audio';
import type { Clock } from '../model/clock';
import type { Logger } from '../observability/logger';
import type { Metrics, Series } from '../observability/metrics';
import { SLAB_BYTES, type AudioBacklog } from './audio-backlog';
import type { CatchUpPace } from './catch-up-pace';
import { endSession } from './end-session';
import type { RecognitionTiming } from './recognition-timing';
import type { Attempts } from './reconnect-policy';
import type {
  AcknowledgedRange,
  SocketEnd,
  SpeechEvent,
  SpeechProvider,
  SpeechSocket,
  SpeechSocketListener,
} from './speech-provider';
import type { SpeechSession } from './speech-session';

/** Not more than this waits in a socket: the rest stays in the backlog, where it is bounded. */
const SOCKET_HIGH_WATER_BYTES = 256 * 1024;

/** Why nothing more is sent or heard on a session. */
export type LinkEnd =
  /** It was told to stop, and the service has finished it. */
  | 'finished'
  /** It was told to stop, and the service says nothing any more. */
  | 'silent'
  /** The service ended it, or refuses it. */
  | 'ended'
  /** It could not be reached for too long; the service may still hold it. */
  | 'unreachable'
  /** Its socket was lost, and the service does not tell what it has: sending on would double audio, or lose it. */
  | 'no-acks';

export interface SessionLinkListener {
  opened(link: SessionLink): void;
  /** `audio` is being sent for the first time. Valid during the call. */
  sent(link: SessionLink, audio: Buffer, nowMs: number): void;
  acknowledged(link: SessionLink): void;
  heard(link: SessionLink, event: SpeechEvent): void;
  /** Its socket is gone; it is being resumed, or `over` follows. */
  lost(link: SessionLink): void;
  /** At most once. The link is closed. */
  over(link: SessionLink, end: LinkEnd): void;
  fault(error: unknown): void;
}

export interface SessionLinkOptions {
  readonly session: SpeechSession;
  readonly provider: SpeechProvider;
  readonly backlog: AudioBacklog;
  /** Without it, as fast as the socket takes it. */
  readonly pace?: CatchUpPace | undefined;
  readonly attempts: Attempts;
  /** Less than this is sent only when no more comes. */
  readonly chunkBytes: number;
  readonly timing: RecognitionTiming;
  readonly now: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/**
 * The way to one session: its sockets, one after the other, what is sent on them and what comes. Resumes the session
 * when a socket is lost, and sends again what was not acknowledged.
 */
export class SessionLink implements SpeechSocketListener {
  // What each frame and each acknowledgment reads comes first, so that it lies together, and each on its own: one object
  // less to read.
  readonly session: SpeechSession;
  #socket: SpeechSocket | undefined;
  /** Audio from here on is not this session's, and what comes before is all. */
  #endByte: number | undefined;
  #openedAtMs: number | undefined;
  readonly #backlog: AudioBacklog;
  readonly #pace: CatchUpPace | undefined;
  readonly #chunkBytes: number;
  /** Acknowledgments so far. */
  #acks = 0;
  /** Nothing had been acknowledged for long when the last socket was lost. */
  #lackedAcks = false;
  readonly #now: Clock;
  readonly #forwardedMs: Series;
  readonly #listener: SessionLinkListener;
  readonly #metrics: Metrics;
  /** Acknowledgments, when they were last looked at. */
  #acksNoted = 0;
  readonly #timing: RecognitionTiming;
  readonly #attempts: Attempts;
  readonly #provider: SpeechProvider;
  readonly #logger: Logger;
  /** Since when the session has had no socket that lasted. */
  #lostAtMs: number | undefined;
  #retryTimer: NodeJS.Timeout | undefined;
  #probeSentAtMs = 0;
  #lastHeardAtMs = 0;
  /** Since when something is sent on the socket in use and nothing acknowledged, as far as was looked; or `Infinity`. */
  #unacknowledgedSinceMs = Infinity;
  /** On the socket in use. */
  #hasSentStop = false;
  #isClosed = false;

  constructor(options: SessionLinkOptions, listener: SessionLinkListener) {
    this.session = options.session;
    this.#backlog = options.backlog;
    this.#pace = options.pace;
    this.#chunkBytes = options.chunkBytes;
    this.#now = options.now;
    this.#metrics = options.metrics;
    this.#forwardedMs = options.metrics.counter('audioForwarded');
    this.#listener = listener;
    this.#timing = options.timing;
    this.#attempts = options.attempts;
    this.#provider = options.provider;
    this.#logger = options.logger;
    this.#connect();
  }

  /** When the socket in use was opened; `undefined` while there is none. */
  get openedAtMs(): number | undefined {
    return this.#openedAtMs;
  }

  /** Nothing before `endByte` is missing but what is on its way: sends it, says so, and hears what is left. */
  finish(endByte: number): void {
    this.#endByte = endByte;
    this.#lastHeardAtMs = this.#now();
    this.pump();
  }

  /** Tells the service, as well as can be, that the session is over. Nothing is heard after it. Safe to call twice. */
  close(): void {
    if (this.#isClosed) return;
    if (this.#openedAtMs === undefined) endSession(this.#provider, this.session.grant);
    this.#close();
  }

  /** Sends what is there, as far as the socket takes it and the pace allows; in the end, `stop`. */
  pump(): void {
    const { session } = this;
    const socket = this.#socket;
    if (socket === undefined || this.#openedAtMs === undefined) return;
    const backlog = this.#backlog;
    const chunkBytes = this.#chunkBytes;
    const isEnding = this.#endByte !== undefined;
    const endByte = Math.min(this.#endByte ?? Infinity, backlog.endByte);
    session.skipTo(Math.min(backlog.startByte, endByte));
    while (!session.isProbing) {
      const waitingBytes = endByte - session.sentByte;
      if (waitingBytes <= 0 || (waitingBytes < chunkBytes && !isEnding)) break;
      const nowMs = this.#now();
      const allowedBytes = this.#pace?.allowedBytes(nowMs) ?? Infinity;
      if (allowedBytes < Math.min(waitingBytes, chunkBytes)) break;
      if (socket.bufferedBytes >= SOCKET_HIGH_WATER_BYTES) break;
      this.#send(socket, waitingBytes, nowMs);
    }
    const isAllSent = session.sentByte >= endByte && !session.isProbing;
    if (isEnding && isAllSent && !this.#hasSentStop) this.#stop(socket);
  }

  /** Called every now and then by the process's one timer. */
  tick(): void {
    if (this.#isClosed) return;
    const timing = this.#timing;
    this.#noteAcks();
    if (this.session.isProbing && this.#now() - this.#probeSentAtMs >= timing.probeTimeoutMs)
      this.#endProbe();
    if (this.#isHalfOpen()) this.#onHalfOpen();
    this.pump();
    if (this.#hasSentStop && this.#now() - this.#lastHeardAtMs >= timing.finishSilenceMs)
      this.#over('silent');
  }

  #connect(): void {
    this.#socket = this.#provider.connect(this.session.grant, this, this.#logger);
  }

  // --- what the socket in use tells

  opened(): void {
    if (this.#lostAtMs !== undefined) this.#metrics.count('sessionsResumed');
    this.session.beginSocket();
    this.#openedAtMs = this.#now();
    this.#lastHeardAtMs = this.#openedAtMs;
    this.#listener.opened(this);
    this.pump();
  }

  acknowledged(range: AcknowledgedRange): void {
    const { session } = this;
    session.acknowledge(range);
    session.hasAnswered = true;
    this.#acks += 1;
    this.#lackedAcks = false;
    this.#listener.acknowledged(this);
    this.pump();
  }

  heard(event: SpeechEvent): void {
    if (event.type === 'transcript') this.#noteAcks();
    this.#lastHeardAtMs = this.#now();
    this.session.hasAnswered = true;
    // Acks come before the text: they are about having the audio.
    if (event.type === 'transcript' && this.#unacknowledgedMs() >= TEXT_WITHOUT_ACK_MS)
      this.session.hasUnacknowledgedText = true;
    this.#listener.heard(this, event);
  }

  closed(end: SocketEnd): void {
    const { session } = this;
    const timing = this.#timing;
    this.#noteAcks();
    this.#lackedAcks ||= this.#unacknowledgedMs() >= timing.ackTimeoutMs;
    this.#dropSocket('drop');
    if (end.decision === 'done' && session.isStopped) {
      this.#over('finished');
      return;
    }
    this.#metrics.count('sessionSocketsLost');
    this.#logger.warn(
      { code: end.code, decision: end.decision, session: session.number },
      'The speech socket was lost',
    );
    this.#lostAtMs ??= this.#now();
    this.#listener.lost(this);
    if (end.decision === 'resume' && session.hasUnacknowledgedText) this.#over('no-acks');
    else if (end.decision !== 'resume') this.#over('ended');
    else if (this.#now() - this.#lostAtMs >= timing.resumeForMs) this.#over('unreachable');
    else
      this.#retryTimer = setTimeout(
        () => this.#guarded(() => this.#connect()),
        this.#attempts.next(timing.backOff),
      );
  }

  /** Looked at with each tick and before anybody asks, not with each acknowledgment. */
  #noteAcks(): void {
    const nowMs = this.#now();
    const hasNew = this.#acks > this.#acksNoted;
    this.#acksNoted = this.#acks;
    // What a lost socket took is not what the next one is slow about.
    if (this.#openedAtMs === undefined) return;
    if (this.session.isAllAcknowledged) this.#unacknowledgedSinceMs = Infinity;
    else if (hasNew || this.#unacknowledgedSinceMs === Infinity) this.#unacknowledgedSinceMs = nowMs;
    if (!hasNew) return;
    this.#lastHeardAtMs = nowMs;
    if (nowMs - this.#openedAtMs < this.#timing.stableAfterMs) return;
    this.#attempts.reset();
    this.#lostAtMs = undefined;
  }

  /**
   * Where the service has acknowledged before, missing acks mean that the socket leads nowhere, although the network has
   * not noticed (gladia-live.md, 4.6). A service that never acknowledges is none of those.
   */
  #isHalfOpen(): boolean {
    if (this.#openedAtMs === undefined) return false;
    if (!this.session.hasAcknowledged || this.session.isProbing) return false;
    // After `stop` the service may be busy with what it has.
    const sinceMs = this.#hasSentStop
      ? Math.max(this.#unacknowledgedSinceMs, this.#lastHeardAtMs)
      : this.#unacknowledgedSinceMs;
    return this.#now() - sinceMs >= this.#timing.ackTimeoutMs;
  }

  #unacknowledgedMs(): number {
    return Math.max(0, this.#now() - this.#unacknowledgedSinceMs);
  }

  #onHalfOpen(): void {
    this.#logger.warn({ session: this.session.number }, 'Audio stays unacknowledged');
    this.closed({ decision: 'resume', code: HALF_OPEN });
  }

  /** The service does not say where it stands after a resume. */
  #endProbe(): void {
    if (this.#lackedAcks) this.#over('no-acks');
    else this.session.endProbe();
  }

  #send(socket: SpeechSocket, waitingBytes: number, nowMs: number): void {
    const { session } = this;
    const isProbe = session.mustProbe;
    const resentBefore = session.resentBytes;
    const mostBytes = Math.min(isProbe ? this.#chunkBytes : SLAB_BYTES, waitingBytes);
    const piece = this.#backlog.read(session.sentByte, mostBytes);
    session.sent(piece.length);
    this.#pace?.sent(piece.length);
    if (isProbe) this.#probeSentAtMs = nowMs;
    this.#forwardedMs.add(piece.length / BYTES_PER_MS);
    const resentBytes = session.resentBytes - resentBefore;
    if (resentBytes > 0) this.#metrics.count('audioResent', resentBytes / BYTES_PER_MS);
    if (resentBytes === 0) this.#listener.sent(this, piece, nowMs);
    else if (resentBytes < piece.length) this.#listener.sent(this, piece.subarray(resentBytes), nowMs);
    socket.sendAudio(piece);
  }

  #stop(socket: SpeechSocket): void {
    this.#hasSentStop = true;
    this.session.isStopped = true;
    this.#lastHeardAtMs = this.#now();
    socket.stop();
  }

  #over(end: LinkEnd): void {
    if (this.#isClosed) return;
    if (end === 'finished' || end === 'ended') this.#close();
    else this.close();
    this.#listener.over(this, end);
  }

  #close(): void {
    this.#isClosed = true;
    clearTimeout(this.#retryTimer);
    this.#dropSocket('end');
  }

  #dropSocket(how: 'end' | 'drop'): void {
    const socket = this.#socket;
    this.#socket = undefined;
    this.#openedAtMs = undefined;
    this.#unacknowledgedSinceMs = Infinity;
    this.#hasSentStop = false;
    socket?.close(how);
  }

  #guarded(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#listener.fault(error);
    }
  }
}

/** Text about audio that was sent and not acknowledged for this long: the service does not acknowledge. */
const TEXT_WITHOUT_ACK_MS = 1_000;
/** In the log in place of a close code: the socket was given up by us. */
const HALF_OPEN = 0;
