import { setTimeout as delay } from 'node:timers/promises';
import type { CallEvent } from './call-event';
import { EventQueue } from './event-queue';
import { MediaStream, type MediaStreamEnd, type MediaStreamOptions } from './media-stream';
import { SentAudio } from './sent-audio';
import { sendStatusCallback, type StreamEvent } from './status-callback';
import { STREAM_FAULTS, type StreamFaultCode } from './stream-faults';
import type { StreamRequest } from './twiml';

/** `connecting` until its handshake is answered, `open`, and `over` when its socket is closed or there never was one. */
export type CallStreamState = 'connecting' | 'open' | 'over';

/** One of the streams of a call. */
export interface ObservedStream {
  readonly streamSid: string;
  readonly request: StreamRequest;
  /** Who asked for it. */
  readonly origin: 'twiml' | 'rest';
  /** Where in the call's audio it begins. */
  readonly startMs: number;
  readonly state: CallStreamState;
  /** How it ended; undefined while it lives. */
  readonly end: MediaStreamEnd | undefined;
  readonly sent: SentAudio;
  /** Port of Twilio's end of the open socket: by it a balancer knows where the stream goes. */
  readonly localPort: number | undefined;
  readonly events: EventQueue<CallEvent>;
  /** Resolves when the stream is over and its status callbacks are answered; never rejects. */
  readonly done: Promise<MediaStreamEnd>;
  /** Twilio loses it, and the call goes on. Safe to call twice. */
  lose(how: 'close without stop' | 'reset'): void;
}

export interface CallStreamOptions extends Omit<
  MediaStreamOptions,
  'onEvent' | 'beforeEnd' | 'callOffsetMs'
> {
  readonly origin: ObservedStream['origin'];
  readonly startMs: number;
  /** Real time that passes before Twilio dials, while audio piles up. */
  readonly setUpMs: number;
  /** It fails like this instead of dialling. */
  readonly failsWith?: StreamFaultCode;
  readonly onEvent: (event: CallEvent) => void;
  /** Told as soon as its socket is gone, before any status callback. */
  readonly onOver: (end: MediaStreamEnd) => void;
}

/** A media stream with what Twilio does around it: the status callbacks, in either order (twilio-media-streams.md, 4). */
export class CallStream implements ObservedStream {
  readonly events = new EventQueue<CallEvent>();
  readonly done: Promise<MediaStreamEnd>;
  readonly #options: CallStreamOptions;
  readonly #nothingSent: SentAudio;
  readonly #cancelled = new AbortController();
  #endsAs: MediaStreamEnd = 'abandoned';
  #stream: MediaStream | undefined;
  #end: MediaStreamEnd | undefined;
  #overAtMs: number | undefined;

  constructor(options: CallStreamOptions) {
    this.#options = options;
    this.#nothingSent = new SentAudio(options.startMs);
    this.done = this.#run().finally(() => {
      this.events.end();
    });
  }

  get streamSid(): string {
    return this.#options.streamSid;
  }

  get request(): StreamRequest {
    return this.#options.request;
  }

  get origin(): ObservedStream['origin'] {
    return this.#options.origin;
  }

  get startMs(): number {
    return this.#options.startMs;
  }

  get state(): CallStreamState {
    if (this.#end !== undefined) return 'over';
    return this.events.seen.some(({ type }) => type === 'stream-open') ? 'open' : 'connecting';
  }

  get end(): MediaStreamEnd | undefined {
    return this.#end;
  }

  get sent(): SentAudio {
    return this.#stream?.sent ?? this.#nothingSent;
  }

  get localPort(): number | undefined {
    return this.#stream?.localPort;
  }

  /** Milliseconds since its socket went; 0 while it lives. */
  get overForMs(): number {
    return this.#overAtMs === undefined ? 0 : performance.now() - this.#overAtMs;
  }

  hangUp(): void {
    this.#cancel('abandoned');
    this.#stream?.hangUp();
  }

  stop(): void {
    this.#cancel('stopped by request');
    this.#stream?.stop();
  }

  lose(how: 'close without stop' | 'reset'): void {
    this.#cancel('broken off');
    this.#stream?.lose(how);
  }

  sendRaw(data: string | Buffer): void {
    if (this.#stream === undefined) throw new Error('there is no stream yet; wait for the event started');
    this.#stream.sendRaw(data);
  }

  async #run(): Promise<MediaStreamEnd> {
    const isCallbackFirst = this.#options.behaviour.statusCallback === 'before socket';
    // Whoever made us gets to listen before anything happens.
    await this.#setUp(isCallbackFirst);
    if (this.#cancelled.signal.aborted) return this.#over(this.#endsAs);
    if (this.#options.failsWith !== undefined) return this.#fail(this.#options.failsWith);
    let started: Promise<void> = Promise.resolve();
    const { behaviour, startMs, ...options } = this.#options;
    this.#stream = new MediaStream({
      ...options,
      // The burst of a stream that was set up slowly is what really piled up.
      behaviour: options.setUpMs > 0 ? { ...behaviour, burstFrames: 0 } : behaviour,
      callOffsetMs: startMs,
      onEvent: (event) => {
        this.#emit(event);
        if (event.type === 'started' && !isCallbackFirst) started = this.#callBack('stream-started');
      },
      ...(isCallbackFirst && { beforeEnd: () => this.#callBack('stream-stopped') }),
    });
    const end = this.#over(await this.#stream.ended);
    await started;
    const isOrderly = end === 'stopped' || end === 'stopped by request';
    if (isOrderly && !isCallbackFirst) await this.#callBack('stream-stopped');
    if (!isOrderly && end !== 'abandoned') await this.#callBack('stream-error');
    return end;
  }

  async #setUp(isCallbackFirst: boolean): Promise<void> {
    const { setUpMs, failsWith } = this.#options;
    await Promise.resolve();
    const { signal } = this.#cancelled;
    if (setUpMs > 0) await delay(setUpMs, undefined, { signal }).catch(() => undefined);
    if (isCallbackFirst && failsWith === undefined && !signal.aborted) await this.#callBack('stream-started');
  }

  async #fail(code: StreamFaultCode): Promise<MediaStreamEnd> {
    this.#emit({ type: 'refused', code });
    this.#emit({ type: 'fault', code, level: STREAM_FAULTS[code].level });
    this.#over('refused');
    await this.#callBack('stream-error');
    return 'refused';
  }

  /** Only what has not begun to dial can be given up here; later its socket decides. */
  #cancel(end: MediaStreamEnd): void {
    if (this.#stream !== undefined || this.#cancelled.signal.aborted) return;
    this.#endsAs = end;
    this.#cancelled.abort();
  }

  #over(end: MediaStreamEnd): MediaStreamEnd {
    this.#end = end;
    this.#overAtMs = performance.now();
    this.#options.onOver(end);
    return end;
  }

  async #callBack(streamEvent: StreamEvent): Promise<void> {
    const { request, behaviour, accountSid, callSid, streamSid, authToken, dial } = this.#options;
    const { name = streamSid, statusCallback: url, statusCallbackMethod: method = 'POST' } = request;
    if (url === undefined) return;
    const callback = {
      ...{ url, method, streamEvent, accountSid, callSid, streamSid, streamName: name },
      ...(streamEvent === 'stream-error' && { streamError: this.#errorText() }),
      ...(authToken !== undefined && { authToken }),
      ...(dial && { dial }),
    };
    for (let copy = 0; copy < behaviour.statusCallbackCopies; copy += 1) {
      // Twilio does not care whether anybody listens to its callbacks.
      const status = await sendStatusCallback(callback).catch(() => undefined);
      this.#emit({ type: 'callback', streamEvent, ...(status !== undefined && { status }) });
    }
  }

  /** A stream that we broke off by a switch broke on Twilio's side of the line. */
  #errorText(): string {
    const code = faultsIn(this.events.seen).findLast((each) => STREAM_FAULTS[each].level === 'error');
    return STREAM_FAULTS[code ?? 31903].text;
  }

  #emit(event: CallEvent): void {
    this.events.emit(event);
    this.#options.onEvent(event);
  }
}

export function faultsIn(events: readonly CallEvent[]): StreamFaultCode[] {
  return events.flatMap((event) => (event.type === 'fault' ? [event.code] : []));
}
