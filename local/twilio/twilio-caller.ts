import { type Behaviour, withDefaults } from './behaviour';
import type { CallEvent, MediaStreamEvent } from './call-event';
import type { DialAddress } from './dial-address';
import { EventQueue } from './event-queue';
import type { CallAudio } from './media-plan';
import { MediaStream, type MediaStreamEnd } from './media-stream';
import { randomSid } from './random-sids';
import { SentAudio } from './sent-audio';
import { sendStatusCallback, type StreamEvent } from './status-callback';
import { STREAM_FAULTS, type StreamFaultCode } from './stream-faults';
import { TwilioError } from './twilio-error';
import { parseTwiml, type StreamRequest } from './twiml';
import { type CallDirection, type CallFacts, postVoiceWebhook } from './voice-webhook';

/** One of `voiceUrl` and `stream` must be given. */
export interface CallOptions {
  /** Asks this URL for TwiML and obeys it. */
  readonly voiceUrl?: string;
  /** A stream without webhook, as from a TwiML Bin; tracks are inbound alone when left out. */
  readonly stream?: Partial<StreamRequest> & Pick<StreamRequest, 'url'>;
  /** Where to connect, while URL, Host header and signature stay those of the public URLs. */
  readonly dial?: DialAddress;
  /** Signs everything; without it nothing is signed. */
  readonly authToken?: string;
  readonly accountSid?: string;
  readonly callSid?: string;
  readonly streamSid?: string;
  readonly from?: string;
  readonly to?: string;
  readonly direction?: CallDirection;
  /** mu-law, 8 kHz. The call lasts as long as the longest side. */
  readonly audio?: CallAudio;
  /** 1, the default, is real time; 10 is ten times as fast. */
  readonly paceFactor?: number;
  readonly behaviour?: Partial<Behaviour>;
  readonly connectTimeoutMs?: number;
  readonly closeWaitMs?: number;
  readonly bufferLimitBytes?: number;
}

export type CallStatus = 'ringing' | 'in-progress' | 'completed';

export interface CallOutcome {
  /** How the stream ended, or why there was none. */
  readonly end: MediaStreamEnd | 'no stream' | 'webhook failed';
  /** Codes that Twilio would report, in order: of the stream, or of the webhook. */
  readonly faults: readonly number[];
  /** What went wrong with webhook or TwiML. */
  readonly error?: TwilioError;
}

export interface Call extends CallFacts {
  readonly streamSid: string;
  /** As REST would tell it: a call outlives a stream that is refused or lost, until `hangUp()`. */
  readonly status: CallStatus;
  readonly events: EventQueue<CallEvent>;
  readonly sent: SentAudio;
  /** Resolves when the stream is over and its status callbacks are answered; never rejects. */
  readonly done: Promise<CallOutcome>;
  hangUp(): void;
  /** Sends anything on the open stream: text as a text message, bytes as a binary one. */
  sendRaw(data: string | Buffer): void;
}

/** Acts as Twilio does when a call comes in (twilio-media-streams.md, 10). */
export function placeCall(options: CallOptions): Call {
  if ((options.voiceUrl === undefined) === (options.stream === undefined)) {
    throw new TypeError('placeCall needs either voiceUrl or stream');
  }
  if (options.voiceUrl !== undefined && !URL.canParse(options.voiceUrl)) {
    throw new TypeError('voiceUrl must be an absolute URL');
  }
  return new SimulatedCall(options);
}

class SimulatedCall implements Call {
  readonly callSid: string;
  readonly accountSid: string;
  readonly streamSid: string;
  readonly from: string;
  readonly to: string;
  readonly direction: CallDirection;
  readonly events = new EventQueue<CallEvent>();
  readonly done: Promise<CallOutcome>;
  readonly #options: CallOptions;
  readonly #behaviour: Behaviour;
  readonly #nothingSent = new SentAudio();
  #status: CallStatus;
  #stream: MediaStream | undefined;
  #isHungUp = false;

  constructor(options: CallOptions) {
    this.#options = options;
    this.#behaviour = withDefaults(options.behaviour ?? {});
    this.callSid = options.callSid ?? randomSid('CA');
    this.accountSid = options.accountSid ?? randomSid('AC');
    this.streamSid = options.streamSid ?? randomSid('MZ');
    this.from = options.from ?? '+15005550101';
    this.to = options.to ?? '+15005550006';
    this.direction = options.direction ?? 'inbound';
    this.#status = this.direction === 'inbound' ? 'ringing' : 'in-progress';
    this.done = this.#run().finally(() => {
      this.events.end();
    });
  }

  get status(): CallStatus {
    return this.#status;
  }

  get sent(): SentAudio {
    return this.#stream?.sent ?? this.#nothingSent;
  }

  hangUp(): void {
    this.#isHungUp = true;
    this.#status = 'completed';
    this.#stream?.hangUp();
  }

  sendRaw(data: string | Buffer): void {
    if (this.#stream === undefined) throw new Error('there is no stream yet; wait for the event started');
    this.#stream.sendRaw(data);
  }

  async #run(): Promise<CallOutcome> {
    let request: StreamRequest | undefined;
    let isCut = false;
    try {
      ({ request, isCut } = await this.#askForStream());
    } catch (error) {
      if (!(error instanceof TwilioError)) throw error;
      this.#status = 'completed';
      return { end: 'webhook failed', faults: [error.code], error };
    }
    if (request === undefined) {
      this.#status = 'completed';
      return { end: 'no stream', faults: [] };
    }
    const end = await this.#runStream(request, isCut);
    if (end === 'stopped' || end === 'abandoned') this.#status = 'completed';
    return { end, faults: this.#faults() };
  }

  async #askForStream(): Promise<{ request: StreamRequest | undefined; isCut: boolean }> {
    const { voiceUrl, stream } = this.#options;
    // Whoever placed the call gets to listen before anything happens.
    await Promise.resolve();
    if (voiceUrl === undefined) {
      this.#answer();
      const request = stream && { tracks: ['inbound'] as const, parameters: {}, ...stream };
      return { request, isCut: false };
    }
    const { status, body } = await postVoiceWebhook({ url: voiceUrl, facts: this, ...this.#signing() });
    this.#answer();
    const { stream: request, verbsAfter, keepsCall } = parseTwiml(body);
    this.events.emit({ type: 'webhook', status, body, verbsAfter });
    return { request, isCut: !keepsCall };
  }

  async #runStream(request: StreamRequest, isCut: boolean): Promise<MediaStreamEnd> {
    const callsBackFirst = this.#behaviour.statusCallback === 'before socket';
    if (callsBackFirst && !this.#isHungUp) await this.#callBack(request, 'stream-started');
    if (this.#isHungUp) return 'abandoned';
    let started: Promise<void> = Promise.resolve();
    const onEvent = (event: MediaStreamEvent): void => {
      this.events.emit(event);
      if (event.type === 'started' && !callsBackFirst) started = this.#callBack(request, 'stream-started');
    };
    const beforeEnd = (): Promise<void> => this.#callBack(request, 'stream-stopped');
    this.#stream = this.#createStream(request, { isCut, onEvent, ...(callsBackFirst && { beforeEnd }) });
    const end = await this.#stream.ended;
    await started;
    if (end === 'stopped' && !callsBackFirst) await beforeEnd();
    if (end !== 'stopped' && end !== 'abandoned') await this.#callBack(request, 'stream-error');
    return end;
  }

  #createStream(
    request: StreamRequest,
    wiring: Pick<ConstructorParameters<typeof MediaStream>[0], 'isCut' | 'onEvent' | 'beforeEnd'>,
  ): MediaStream {
    const { accountSid, callSid, streamSid } = this;
    const { audio = {}, paceFactor = 1, connectTimeoutMs, closeWaitMs, bufferLimitBytes } = this.#options;
    return new MediaStream({
      ...{ accountSid, callSid, streamSid, request, audio, paceFactor },
      behaviour: this.#behaviour,
      ...wiring,
      ...this.#signing(),
      ...(connectTimeoutMs !== undefined && { connectTimeoutMs }),
      ...(closeWaitMs !== undefined && { closeWaitMs }),
      ...(bufferLimitBytes !== undefined && { bufferLimitBytes }),
    });
  }

  async #callBack(request: StreamRequest, streamEvent: StreamEvent): Promise<void> {
    const { name = this.streamSid, statusCallback: url, statusCallbackMethod: method = 'POST' } = request;
    if (url === undefined) return;
    const { accountSid, callSid, streamSid } = this;
    const identity = { accountSid, callSid, streamSid, streamName: name };
    const streamError = streamEvent === 'stream-error' ? { streamError: this.#errorText() } : {};
    const callback = { url, method, streamEvent, ...identity, ...streamError, ...this.#signing() };
    // Twilio does not care whether anybody listens to its callbacks.
    const status = await sendStatusCallback(callback).catch(() => undefined);
    this.events.emit({ type: 'callback', streamEvent, ...(status !== undefined && { status }) });
  }

  #answer(): void {
    if (!this.#isHungUp) this.#status = 'in-progress';
  }

  #faults(): StreamFaultCode[] {
    return this.events.seen.flatMap((event) => (event.type === 'fault' ? [event.code] : []));
  }

  /** A stream that we broke off by a switch broke on Twilio's side of the line. */
  #errorText(): string {
    const code = this.#faults().findLast((each) => STREAM_FAULTS[each].level === 'error') ?? 31903;
    return STREAM_FAULTS[code].text;
  }

  #signing(): { authToken?: string; dial?: DialAddress } {
    const { authToken, dial } = this.#options;
    return { ...(authToken !== undefined && { authToken }), ...(dial && { dial }) };
  }
}
