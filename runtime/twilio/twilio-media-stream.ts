import { WebSocket, type RawData } from 'ws';
import { PING_INTERVAL_MS } from '../contract/durations';
import { BYTES_PER_MS, type Track } from '../model/audio';
import type { CallEvent, LegEndReason, LegStart } from '../model/call-event';
import type { LegId } from '../model/transcript-event';
import type { Logger } from '../observability/logger';
import type { Metrics } from '../observability/metrics';
import type { TextTaker } from '../wire/text-frames';
import { readMedia } from './media-reader';
import { mayFollow, type MediaStreamState } from './media-stream-state';
import { SequenceWindow } from './sequence-window';
import {
  parseTwilioMessage,
  type MediaMessage,
  type ParseFailure,
  type StartMessage,
} from './twilio-messages';
import { judgeStart, type StartRefusal } from './start-judgement';
import { TICKET_PARAMETER, type TicketedCall, type TicketRefusal } from './stream-tickets';

/** Takes a leg's events, at once and in order. What it throws ends with the message that caused it. */
export interface CallEventListener {
  accept(event: CallEvent): void;
}

export interface MediaStreamTiming {
  /** Longest wait for `start`. Default 10 s. */
  readonly startTimeoutMs?: number;
  /** Twilio shows no idle limit, load balancers do (2.7). Default 20 s. */
  readonly pingIntervalMs?: number;
  /** Neither media nor a pong for this long, counted in pings, means that nobody is there. Default 75 s. */
  readonly idleTimeoutMs?: number;
  /** Longest wait for the peer's part of a close. Our choice: Twilio's is UNKNOWN (2.6). Default 2 s. */
  readonly closeTimeoutMs?: number;
}

export interface MediaStreamOptions extends MediaStreamTiming {
  /** Accepted and open; from here on this class owns it. */
  readonly socket: WebSocket;
  readonly listener: CallEventListener;
  /** Streams of another account are refused; without it any account is taken. */
  readonly accountSid?: string | undefined;
  /** The tracks that are transcribed: the setting `TRACKS`. */
  readonly tracks: readonly Track[];
  /**
   * Asked last: the account has as many other calls as it may have, or a stream of that name was here before. Twilio
   * names each one anew, so somebody plays it again.
   */
  readonly refuse?: (stream: LegId & TicketedCall) => 'account-full' | 'known-stream' | undefined;
  /** May this stream begin? What it sends meanwhile is kept. Never rejects. Without it there are no tickets. */
  readonly checkTicket?: (
    call: TicketedCall,
    ticket: string | undefined,
  ) => Promise<TicketRefusal | undefined>;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Monotonic milliseconds. Default `performance.now`. */
  readonly now?: () => number;
}

/** Why a message is counted and nothing else. */
type IgnoredReason =
  | ParseFailure
  | 'dtmf'
  | 'mark'
  | 'before-start'
  | 'second-start'
  | 'other-stream'
  | 'after-end'
  | 'duplicate'
  | 'track-off'
  | 'held-full'
  | 'too-fast'
  | 'too-large'
  | 'broken-frame'
  | 'listener-failed';

const CLOSE_CODES: Readonly<Record<LegEndReason, number>> = {
  stopped: 1000,
  'stream-lost': 1001,
  drained: 1001,
  'handed-over': 1001,
  replaced: 1001,
  'task-died': 1001,
  idle: 1001,
  'too-long': 1001,
  'protocol-error': 1002,
};

type Refusal = StartRefusal | TicketRefusal | 'start-timeout' | 'account-full' | 'known-stream';

const REFUSAL_CODES: Readonly<Record<Refusal, number>> = {
  'media-format': 1003,
  account: 1008,
  tracks: 1008,
  'start-timeout': 1008,
  'account-full': 1013,
  'known-stream': 1008,
  'no-ticket': 1008,
  'bad-ticket': 1008,
  'expired-ticket': 1008,
  'used-ticket': 1008,
  'no-ticket-key': 1011,
};

/**
 * Audio of a track may be so much more than the time since `start`: what a stall held back comes at once, and clocks
 * differ. Whoever sends more has no call, and every second of it costs money.
 */
const MOST_AHEAD_MS = 120_000;
const FASTEST_CLOCK = 1.05;

/** Kept while a ticket is looked at: six seconds of two tracks, when the table and a secret take their time. */
const MOST_HELD_BYTES = 256 * 1024;

/**
 * One Twilio media stream: takes the messages of one WebSocket and gives the events of one leg, `ended` exactly once
 * for each `started`. Sends nothing but pings, because anything else is an error at Twilio's (31951), and never
 * pauses reading, because Twilio throws away what is not read (31930).
 */
export class TwilioMediaStream implements TextTaker {
  /** Settles when the socket is gone. */
  readonly closed: Promise<void>;
  // What each frame reads comes first, so that it lies together.
  #state: MediaStreamState = 'waiting';
  #streamSid = '';
  readonly #sequence = new SequenceWindow();
  /** Of the tracks that are transcribed. */
  readonly #audioBytes: Partial<Record<Track, number>> = {};
  /** So much of a track was not too much when it was last looked at, and is not now. */
  #plausibleBytes = 0;
  /** Media or a pong came since the last ping. */
  #isHeard = false;
  readonly #listener: CallEventListener;
  readonly #options: MediaStreamOptions;
  readonly #socket: WebSocket;
  readonly #now: () => number;
  readonly #closeTimeoutMs: number;
  readonly #idleTimeoutMs: number;
  readonly #pingTimer: NodeJS.Timeout;
  readonly #startTimer: NodeJS.Timeout;
  readonly #logged = new Set<string>();
  #closeTimer: NodeJS.Timeout | undefined;
  #logger: Logger;
  #heardAt: number;
  #beganAt = 0;
  #brokeProtocol = false;
  #held: { readonly data: RawData; readonly isBinary: boolean }[] = [];
  #heldBytes = 0;
  #isGone = false;
  #settleClosed: () => void = () => undefined;

  constructor(options: MediaStreamOptions) {
    this.#options = options;
    this.#socket = options.socket;
    this.#listener = options.listener;
    this.#logger = options.logger;
    this.#now = options.now ?? monotonicMs;
    this.#closeTimeoutMs = options.closeTimeoutMs ?? 2_000;
    this.#idleTimeoutMs = options.idleTimeoutMs ?? 75_000;
    this.#heardAt = this.#now();
    this.#startTimer = setTimeout(() => this.#refuse('start-timeout'), options.startTimeoutMs ?? 10_000);
    this.#pingTimer = setInterval(() => this.#checkPeer(), options.pingIntervalMs ?? PING_INTERVAL_MS);
    this.closed = new Promise((resolve) => (this.#settleClosed = resolve));
    this.#socket.on('message', (data, isBinary) => this.#onMessage(data, isBinary));
    this.#socket.on('pong', () => (this.#isHeard = true));
    this.#socket.on('error', (error) => this.#onError(error));
    this.#socket.on('close', () => this.#onClose());
  }

  get state(): MediaStreamState {
    return this.#state;
  }

  /** Ends the leg, if one started, and closes the socket. Safe to call at any time, any number of times. */
  close(reason: LegEndReason): void {
    if (this.#end(reason, 'closing')) this.#closeSocket(CLOSE_CODES[reason]);
  }

  /** The one place that changes the state. @returns whether it changed */
  #enter(next: MediaStreamState): boolean {
    if (!mayFollow(this.#state, next)) return false;
    this.#state = next;
    if (next !== 'waiting') clearTimeout(this.#startTimer);
    if (next === 'ended') {
      clearInterval(this.#pingTimer);
      clearTimeout(this.#closeTimer);
    }
    return true;
  }

  #end(reason: LegEndReason, next: 'closing' | 'ended'): boolean {
    const wasStreaming = this.#state === 'streaming';
    if (!this.#enter(next)) return false;
    if (wasStreaming) this.#emit({ type: 'ended', reason });
    return true;
  }

  takeText(bytes: Buffer, from: number, to: number): boolean {
    if (this.#state !== 'streaming') return false;
    const media = readMedia(bytes, from, to, this.#streamSid);
    if (media === undefined) return false;
    this.#onMedia(media);
    return true;
  }

  #onMessage(data: RawData, isBinary: boolean): void {
    if (this.#state === 'checking') return this.#hold(data, isBinary);
    const message = parseTwilioMessage(data as Buffer, isBinary);
    switch (message.type) {
      case 'media':
        return this.#onMedia(message);
      case 'start':
        return this.#onStart(message);
      case 'stop':
        return this.#onStop(message.streamSid);
      case 'connected':
        return;
      case 'ignored':
        return this.#ignore(message.reason);
      default:
        return this.#ignore(message.type);
    }
  }

  #onMedia(media: MediaMessage): void {
    if (this.#state !== 'streaming')
      return this.#ignore(this.#state === 'waiting' ? 'before-start' : 'after-end');
    if (media.streamSid !== this.#streamSid) return this.#ignore('other-stream');
    this.#isHeard = true;
    if (media.sequenceNumber !== undefined && !this.#sequence.add(media.sequenceNumber))
      return this.#ignore('duplicate');
    const { track, timestampMs, payload } = media;
    const heardBytes = this.#audioBytes[track];
    if (heardBytes === undefined) return this.#ignore('track-off');
    const bytes = heardBytes + payload.length;
    this.#audioBytes[track] = bytes;
    if (bytes > this.#plausibleBytes && this.#isTooMuch(bytes)) {
      this.#ignore('too-fast');
      return this.close('protocol-error');
    }
    this.#emit({ type: 'audio', track, timestampMs, payload });
  }

  #isTooMuch(bytes: number): boolean {
    const mostMs = (this.#now() - this.#beganAt) * FASTEST_CLOCK + MOST_AHEAD_MS;
    this.#plausibleBytes = Math.floor(mostMs * BYTES_PER_MS);
    return bytes > this.#plausibleBytes;
  }

  #onStart(start: StartMessage): void {
    if (this.#state !== 'waiting') return this.#ignore('second-start');
    const { streamSid, callSid, accountSid } = start;
    // A ticket is a secret: whoever hears of this stream does not see it.
    const { [TICKET_PARAMETER]: ticket, ...parameters } = start.parameters;
    this.#logger = this.#logger.child({ callSid, streamSid });
    const judgement = judgeStart(start, this.#options);
    if ('refusal' in judgement) return this.#refuse(judgement.refusal, judgement.detail);
    this.#streamSid = streamSid;
    const { tracks } = judgement;
    for (const track of tracks) this.#audioBytes[track] = 0;
    const { checkTicket } = this.#options;
    const started = { type: 'started', callSid, streamSid, accountSid, tracks, parameters } as const;
    if (checkTicket === undefined) return this.#begin(started);
    this.#enter('checking');
    void checkTicket({ callSid, accountSid }, ticket).then((refusal) => this.#onChecked(started, refusal));
  }

  #begin(started: LegStart): void {
    const refusal = this.#options.refuse?.(started);
    if (refusal !== undefined) return this.#refuse(refusal);
    this.#heardAt = this.#now();
    this.#beganAt = this.#heardAt;
    this.#enter('streaming');
    this.#emit(started);
  }

  /** Twilio discards what is not read (31930), so everything is, and waits here. */
  #hold(data: RawData, isBinary: boolean): void {
    this.#heldBytes += (data as Buffer).length;
    if (this.#heldBytes > MOST_HELD_BYTES) return this.#ignore('held-full');
    this.#held.push({ data, isBinary });
  }

  #onChecked(started: LegStart, refusal: TicketRefusal | undefined): void {
    const held = this.#held.splice(0);
    if (this.#state === 'checking') {
      if (refusal !== undefined) this.#refuse(refusal);
      else {
        this.#begin(started);
        for (const { data, isBinary } of held) this.#onMessage(data, isBinary);
      }
    }
    if (this.#isGone) this.#onClose();
  }

  /** Twilio closes after `stop`; how long that takes is UNKNOWN, so it gets as long as any close. */
  #onStop(streamSid: string): void {
    if (this.#state === 'waiting') return this.#ignore('before-start');
    if (this.#state !== 'streaming') return this.#ignore('after-end');
    if (streamSid !== this.#streamSid) return this.#ignore('other-stream');
    this.#end('stopped', 'closing');
    this.#closeTimer = setTimeout(() => this.#closeSocket(CLOSE_CODES.stopped), this.#closeTimeoutMs);
  }

  #refuse(reason: Refusal, detail: object = {}): void {
    if (!this.#enter('closing')) return;
    this.#options.metrics.count('requestsRefused', 1, reason);
    this.#logger.warn({ reason, ...detail }, 'Media stream refused');
    this.#closeSocket(REFUSAL_CODES[reason]);
  }

  #closeSocket(code: number): void {
    this.#socket.close(code);
    clearTimeout(this.#closeTimer);
    this.#closeTimer = setTimeout(() => this.#socket.terminate(), this.#closeTimeoutMs);
  }

  /** A missing pong alone proves nothing: that Twilio answers pings is inferred, not documented (2.7). */
  #checkPeer(): void {
    if (this.#isHeard) this.#heardAt = this.#now();
    this.#isHeard = false;
    if (this.#state === 'streaming' && this.#now() - this.#heardAt > this.#idleTimeoutMs) {
      this.#logger.warn('Neither media nor a pong: the media stream is taken as lost');
      return this.close('stream-lost');
    }
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.ping();
  }

  /** `ws` has already answered with the close code that fits, such as 1009. */
  #onError(error: Error & { code?: string }): void {
    this.#brokeProtocol = error.code?.startsWith('WS_ERR_') ?? false;
    if (this.#brokeProtocol)
      this.#ignore(error.code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH' ? 'too-large' : 'broken-frame');
    this.#logger.warn({ code: error.code }, 'Media socket failed');
    if (this.#state === 'checking' || this.#end(this.#lossReason(), 'closing'))
      this.#closeTimer = setTimeout(() => this.#socket.terminate(), this.#closeTimeoutMs);
  }

  #onClose(): void {
    this.#isGone = true;
    // What it has sent counts, should its ticket be good.
    if (this.#state === 'checking') return;
    this.#end(this.#lossReason(), 'ended');
    this.#settleClosed();
  }

  #lossReason(): LegEndReason {
    return this.#brokeProtocol ? 'protocol-error' : 'stream-lost';
  }

  #emit(event: CallEvent): void {
    try {
      this.#listener.accept(event);
    } catch (error) {
      this.#ignore('listener-failed', error);
    }
  }

  /** Counts each, logs the first of each kind: a stream may send a hundred a second. */
  #ignore(reason: IgnoredReason, error?: unknown): void {
    this.#options.metrics.count('twilioMessagesIgnored', 1, reason);
    if (this.#logged.has(reason)) return;
    this.#logged.add(reason);
    if (error === undefined) this.#logger.info({ reason }, 'Twilio message ignored');
    else this.#logger.error({ reason, err: error }, 'A message of this call could not be processed');
  }
}

function monotonicMs(): number {
  return performance.now();
}
