import type { Socket } from 'node:net';
import { WebSocket } from 'ws';
import type { Behaviour, StreamEnd } from './behaviour';
import type { MediaStreamEvent } from './call-event';
import type { DialAddress } from './dial-address';
import { intrusionMessage } from './intrusions';
import type { CallAudio, PlannedFrame } from './media-plan';
import { pace } from './pacing';
import { SentAudio } from './sent-audio';
import {
  faultOfConnectError,
  faultOfSocketError,
  STREAM_FAULTS,
  type StreamFaultCode,
} from './stream-faults';
import { type StreamIdentity, StreamMessages } from './stream-messages';
import { planStream, type PlannedMessage } from './stream-plan';
import { openStreamSocket } from './stream-socket';
import { streamUrlToSign, twilioSignatureOf } from './twilio-signature-of';
import type { StreamRequest } from './twiml';

export interface MediaStreamOptions extends StreamIdentity {
  readonly request: StreamRequest;
  readonly audio: CallAudio;
  readonly behaviour: Behaviour;
  /** 1 is real time, 10 is ten times as fast. */
  readonly paceFactor: number;
  /** Where in the call's audio this stream begins. */
  readonly callOffsetMs: number;
  /** Milliseconds of this stream's audio that have been spoken. */
  readonly streamTimeMs: () => number;
  /** Stops right after `start`: the call has been cut. */
  readonly isCut: boolean;
  /** Signs the handshake; without it there is no signature. */
  readonly authToken?: string;
  readonly dial?: DialAddress;
  readonly connectTimeoutMs?: number;
  /** How long the server may take to answer our close. UNKNOWN for Twilio; 2 s is our choice. */
  readonly closeWaitMs?: number;
  /** Unsent bytes above which frames are dropped (31930). UNKNOWN for Twilio; 256 KiB is our choice. */
  readonly bufferLimitBytes?: number;
  readonly onEvent: (event: MediaStreamEvent) => void;
  /** Awaited before the stream is ended in an orderly way. */
  readonly beforeEnd?: () => Promise<void>;
}

/**
 * stopped: ended with its audio or with the call. stopped by request: through REST, and the call goes on. broken off: we gave it up by a switch, as Twilio losing it. refused: never open.
 * lost: ended by the server. abandoned: the caller hung up before it was open.
 */
export type MediaStreamEnd =
  'stopped' | 'stopped by request' | 'broken off' | 'refused' | 'lost' | 'abandoned';

type State = 'connecting' | 'open' | 'ending' | 'closed';

/** One media stream from handshake to close, spoken as Twilio speaks it. `ended` never rejects. */
export class MediaStream {
  readonly sent: SentAudio;
  readonly ended: Promise<MediaStreamEnd>;
  readonly #options: MediaStreamOptions;
  readonly #messages: StreamMessages;
  readonly #plan: Iterator<PlannedMessage, undefined>;
  readonly #reported = new Set<StreamFaultCode>();
  #next: PlannedMessage | undefined;
  #state: State = 'connecting';
  #end: MediaStreamEnd = 'lost';
  #brokenBy: StreamFaultCode | undefined;
  #socket: WebSocket | undefined;
  #tcpSocket: Socket | undefined;
  #stopPacing: () => void = () => undefined;
  #closeTimer: NodeJS.Timeout | undefined;
  #settle: (end: MediaStreamEnd) => void = () => undefined;

  constructor(options: MediaStreamOptions) {
    const { behaviour, audio, request } = options;
    this.#options = options;
    this.sent = new SentAudio(options.callOffsetMs);
    this.#messages = createMessages(options);
    this.#plan = planStream({ audio, tracks: request.tracks, behaviour });
    this.ended = new Promise((resolve) => (this.#settle = resolve));
    this.#open();
  }

  /** Port of our end of the open socket. */
  get localPort(): number | undefined {
    return this.#tcpSocket?.localPort;
  }

  /** Ends the stream as the end of the call does. Safe to call twice. */
  hangUp(): void {
    const { end } = this.#options.behaviour;
    this.#endBy(end === 'never' ? 'stop, 1005' : end);
  }

  /** Ends the stream as a stop through REST does. Safe to call twice. */
  stop(): void {
    this.#endBy('stop, 1005', 'stopped by request');
  }

  /** Twilio loses the stream. Safe to call twice. */
  lose(how: 'close without stop' | 'reset'): void {
    this.#endBy(how);
  }

  /** Sends anything on the open socket, uncounted: text as a text message, bytes as a binary one. */
  sendRaw(data: string | Buffer): void {
    if (this.#state !== 'open') throw new Error(`the stream is ${this.#state}, so nothing can be sent`);
    this.#socket?.send(data);
  }

  #endBy(style: Exclude<StreamEnd, 'never'>, end?: MediaStreamEnd): void {
    if (this.#state === 'open') {
      this.#finish(style, end);
    } else if (this.#state === 'connecting') {
      this.#close(end ?? 'abandoned');
      this.#socket?.terminate();
    }
  }

  #open(): void {
    const { request, dial, connectTimeoutMs } = this.#options;
    const fault = faultOfUrl(request.url);
    if (fault !== undefined) {
      // Whoever made us has not had the time to listen.
      queueMicrotask(() => {
        this.#refuse(fault);
      });
      return;
    }
    const signature = signatureOf(this.#options);
    const socket = openStreamSocket({
      url: request.url,
      ...(signature !== undefined && { signature }),
      ...(dial && { dial }),
      ...(connectTimeoutMs !== undefined && { connectTimeoutMs }),
    });
    this.#socket = socket;
    this.#listen(socket);
  }

  #listen(socket: WebSocket): void {
    socket.on('upgrade', (response) => (this.#tcpSocket = response.socket));
    socket.on('open', () => {
      this.#begin();
    });
    socket.on('unexpected-response', (_, response) => {
      this.#refuse(31920, response.statusCode);
      response.destroy();
      socket.terminate();
    });
    socket.on('error', (error) => {
      if (this.#state === 'connecting') this.#refuse(faultOfConnectError(error));
      else this.#brokenBy = faultOfSocketError(error);
    });
    socket.on('message', (_, isBinary) => {
      this.#report(isBinary ? 31950 : 31951);
    });
    socket.on('close', (code) => {
      this.#onClose(code);
    });
  }

  #begin(): void {
    if (this.#state !== 'connecting') return;
    this.#state = 'open';
    this.#emit({ type: 'stream-open' });
    this.#send(this.#messages.connected());
    for (const { kind } of this.#options.behaviour.intrusions) {
      if (kind === 'media before start') this.#send(intrusionMessage(kind, this.#messages));
    }
    this.#send(this.#messages.start());
    this.#emit({ type: 'started' });
    if (this.#options.isCut) {
      this.#finish('stop, 1005');
      return;
    }
    this.#next = this.#plan.next().value;
    this.#stopPacing = pace(this.#options.paceFactor, () => {
      this.#sendDue();
    });
    this.#sendDue();
  }

  #sendDue(): void {
    // The server has begun to close: what is handed over now would only look sent.
    if (this.#socket?.readyState !== WebSocket.OPEN) return;
    const streamTimeMs = this.#options.streamTimeMs();
    while (this.#next !== undefined && this.#next.dueMs <= streamTimeMs) {
      if ('intrusion' in this.#next) this.#send(intrusionMessage(this.#next.intrusion, this.#messages));
      else this.#sendFrame(this.#next);
      this.#next = this.#plan.next().value;
    }
    if (this.#next !== undefined) return;
    this.#stopPacing();
    const { end } = this.#options.behaviour;
    if (end !== 'never') this.#finish(end);
  }

  #sendFrame(frame: PlannedFrame): void {
    const { bufferLimitBytes = 256 * 1024 } = this.#options;
    if ((this.#socket?.bufferedAmount ?? 0) > bufferLimitBytes) {
      this.sent.countDroppedFrame();
      this.#report(31930);
      return;
    }
    this.#send(this.#messages.media(frame));
    this.sent.addFrame(frame.track, frame.payload, frame.startMs);
  }

  #send(message: string | Buffer): void {
    this.sent.countMessage();
    this.#socket?.send(message);
  }

  #finish(style: Exclude<StreamEnd, 'never'>, end?: MediaStreamEnd): void {
    if (this.#state !== 'open') return;
    this.#state = 'ending';
    this.#stopPacing();
    const isOrderly = style.startsWith('stop');
    this.#end = end ?? (isOrderly ? 'stopped' : 'broken off');
    const ready = isOrderly ? (this.#options.beforeEnd?.() ?? Promise.resolve()) : Promise.resolve();
    void ready.finally(() => {
      this.#closeSocket(style);
    });
  }

  #closeSocket(style: Exclude<StreamEnd, 'never'>): void {
    if (this.#state !== 'ending') return;
    if (style === 'reset') {
      this.#tcpSocket?.resetAndDestroy();
      return;
    }
    if (style !== 'close without stop') {
      this.#send(this.#messages.stop());
      this.#emit({ type: 'stopped' });
    }
    if (style === 'stop, 1000') this.#socket?.close(1000);
    else this.#socket?.close();
    this.#closeTimer = setTimeout(() => this.#socket?.terminate(), this.#options.closeWaitMs ?? 2000);
  }

  #refuse(code: StreamFaultCode, status?: number): void {
    if (this.#state !== 'connecting') return;
    this.#emit({ type: 'refused', code, ...(status !== undefined && { status }) });
    this.#report(code);
    this.#close('refused');
  }

  #onClose(code: number): void {
    if (this.#state === 'closed') return;
    // Closing by itself before it was open cannot be: an error or an answer comes first.
    if (this.#state === 'open') this.#report(this.#brokenBy ?? (code === 1006 ? 31903 : 31921));
    this.#emit({ type: 'closed', code });
    this.#close(this.#end);
  }

  /** The one way to the end. */
  #close(end: MediaStreamEnd): void {
    this.#state = 'closed';
    this.#stopPacing();
    clearTimeout(this.#closeTimer);
    this.#settle(end);
  }

  /** Each fault is reported once per stream. */
  #report(code: StreamFaultCode): void {
    if (this.#reported.has(code)) return;
    this.#reported.add(code);
    this.#emit({ type: 'fault', code, level: STREAM_FAULTS[code].level });
  }

  #emit(event: MediaStreamEvent): void {
    this.#options.onEvent(event);
  }
}

function createMessages({ request, behaviour, ...identity }: MediaStreamOptions): StreamMessages {
  const { mediaFormat, version, chunks, extraFields, tracksOrder } = behaviour;
  const tracks = [...request.tracks].sort();
  return new StreamMessages({
    accountSid: identity.accountSid,
    callSid: identity.callSid,
    streamSid: identity.streamSid,
    tracks: tracksOrder === 'inbound first' ? tracks : tracks.reverse(),
    customParameters: behaviour.customParameters === 'sent' ? request.parameters : undefined,
    mediaFormat,
    version,
    chunks,
    extraFields,
  });
}

function signatureOf({
  authToken,
  request,
  behaviour: { signature },
}: MediaStreamOptions): string | undefined {
  if (authToken === undefined || signature === 'none') return undefined;
  if (signature !== 'wrong token') {
    return twilioSignatureOf({ authToken, url: streamUrlToSign(request.url, signature) });
  }
  return twilioSignatureOf({ authToken: `not ${authToken}`, url: streamUrlToSign(request.url) });
}

function faultOfUrl(url: string): StreamFaultCode | undefined {
  if (!URL.canParse(url)) return 31923;
  return new URL(url).protocol === 'wss:' ? undefined : 31922;
}
