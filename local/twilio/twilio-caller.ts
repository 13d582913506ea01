import { BYTES_PER_MS } from '../../runtime/model/audio';
import { type Behaviour, withDefaults } from './behaviour';
import { CallClock } from './call-clock';
import type { CallEvent } from './call-event';
import { CallStream, faultsIn, type ObservedStream } from './call-stream';
import type { DialAddress } from './dial-address';
import { EventQueue } from './event-queue';
import type { CallAudio } from './media-plan';
import type { MediaStreamEnd } from './media-stream';
import { pace } from './pacing';
import { randomSid } from './random-sids';
import { REST_RULES, type RestRules } from './rest-rules';
import { badRequest, notFound, wrongCallState } from './rest-refusal';
import { SentAudio } from './sent-audio';
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
  /** Of streams made through REST. Default: as `behaviour`. */
  readonly restBehaviour?: Partial<Behaviour>;
  /** Tracks that others fork: SIPREC, Real-Time Transcriptions (twilio-media-streams.md, 1.6). */
  readonly foreignTracks?: number;
  readonly restRules?: Partial<RestRules>;
  /** The call is over when its audio is, even if no stream is there to carry it. Default: until `hangUp()`. */
  readonly endsWithAudio?: boolean;
  /** Called after everything that happens to the call. */
  readonly onChange?: () => void;
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
  /** Of the first stream, as are `events`, `sent`, `done` and `sendRaw`. */
  readonly streamSid: string;
  /** As REST would tell it: a call outlives a stream that is refused, lost or stopped, until `hangUp()`. */
  readonly status: CallStatus;
  readonly events: EventQueue<CallEvent>;
  readonly sent: SentAudio;
  /** Resolves when the first stream is over and its status callbacks are answered; never rejects. */
  readonly done: Promise<CallOutcome>;
  /** The first one first, then those made through REST. */
  readonly streams: readonly ObservedStream[];
  /** Milliseconds of the call's time in which people could speak, streamed or not; it stands still when the call is over. */
  readonly positionMs: number;
  /** The call's audio as it was given. */
  readonly audio: CallAudio;
  /** May be changed at any time. */
  foreignTracks: number;
  /** Resolves when the call is completed, all its streams are over and their status callbacks are answered. */
  readonly over: Promise<void>;
  hangUp(): void;
  /** Sends anything on the open stream: text as a text message, bytes as a binary one. */
  sendRaw(data: string | Buffer): void;
  /** What REST does to make a stream (5.1): it begins with what is being said now. @throws RestRefusal */
  createStream(request: StreamRequest): ObservedStream;
  /** What REST does to stop a stream (5.2), by sid or name. @throws RestRefusal when no such stream lives */
  stopStream(sidOrName: string): ObservedStream;
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

/** All that fork a call's audio share four tracks (1.6). */
const MOST_TRACKS = 4;

class SimulatedCall implements Call {
  readonly callSid: string;
  readonly accountSid: string;
  readonly streamSid: string;
  readonly from: string;
  readonly to: string;
  readonly direction: CallDirection;
  readonly events = new EventQueue<CallEvent>();
  readonly done: Promise<CallOutcome>;
  readonly over: Promise<void>;
  readonly streams: CallStream[] = [];
  readonly audio: CallAudio;
  foreignTracks: number;
  readonly #options: CallOptions;
  readonly #behaviour: Behaviour;
  readonly #restRules: RestRules;
  readonly #clock: CallClock;
  readonly #nothingSent = new SentAudio();
  #status: CallStatus;
  #isHungUp = false;
  #completed: () => void = () => undefined;
  #stopWatchingAudio: () => void = () => undefined;

  constructor(options: CallOptions) {
    this.#options = options;
    this.#behaviour = withDefaults(options.behaviour ?? {});
    this.#restRules = { ...REST_RULES, ...options.restRules };
    this.#clock = new CallClock(options.paceFactor ?? 1);
    this.audio = options.audio ?? {};
    this.foreignTracks = options.foreignTracks ?? 0;
    this.callSid = options.callSid ?? randomSid('CA');
    this.accountSid = options.accountSid ?? randomSid('AC');
    this.streamSid = options.streamSid ?? randomSid('MZ');
    this.from = options.from ?? '+15005550101';
    this.to = options.to ?? '+15005550006';
    this.direction = options.direction ?? 'inbound';
    this.#status = this.direction === 'inbound' ? 'ringing' : 'in-progress';
    const isCompleted = new Promise<void>((resolve) => (this.#completed = resolve));
    this.done = this.#run().finally(() => {
      this.events.end();
    });
    this.over = this.#whenOver(isCompleted);
  }

  get status(): CallStatus {
    return this.#status;
  }

  get sent(): SentAudio {
    return this.streams[0]?.sent ?? this.#nothingSent;
  }

  get positionMs(): number {
    return this.#clock.positionMs;
  }

  hangUp(): void {
    this.#isHungUp = true;
    this.#complete();
    for (const stream of this.streams) stream.hangUp();
  }

  sendRaw(data: string | Buffer): void {
    const [stream] = this.streams;
    if (stream === undefined) throw new Error('there is no stream yet; wait for the event started');
    stream.sendRaw(data);
  }

  createStream(request: StreamRequest): ObservedStream {
    if (this.#status !== 'in-progress') throw wrongCallState();
    const problem = this.#problemWith(request);
    if (problem !== undefined && this.#restRules.unknownRefusals === 'answer') throw badRequest(problem);
    const { behaviour = {}, restBehaviour = behaviour, paceFactor = 1 } = this.#options;
    const ownBehaviour = withDefaults(restBehaviour);
    const startMs = Math.floor(this.#clock.positionMs);
    const stream = this.#addStream({
      ...{ request, startMs, origin: 'rest', behaviour: ownBehaviour, isCut: false },
      streamSid: randomSid('MZ'),
      setUpMs: Math.max(1, (ownBehaviour.burstFrames * 20) / paceFactor),
      streamTimeMs: () => this.#clock.positionMs - startMs,
      ...(problem === undefined ? {} : { failsWith: 31900 }),
    });
    this.#changed();
    return stream;
  }

  stopStream(sidOrName: string): ObservedStream {
    const stream = this.streams.find(
      ({ streamSid, request, state }) =>
        state !== 'over' && (streamSid === sidOrName || request.name === sidOrName),
    );
    if (stream === undefined || this.#status !== 'in-progress') throw notFound();
    stream.stop();
    return stream;
  }

  async #run(): Promise<CallOutcome> {
    let request: StreamRequest | undefined;
    let isCut = false;
    try {
      ({ request, isCut } = await this.#askForStream());
    } catch (error) {
      if (!(error instanceof TwilioError)) throw error;
      this.#complete();
      return { end: 'webhook failed', faults: [error.code], error };
    }
    if (request === undefined) {
      this.#complete();
      return { end: 'no stream', faults: [] };
    }
    if (this.#isHungUp) return { end: 'abandoned', faults: [] };
    const { burstFrames } = this.#behaviour;
    const burstMs = burstFrames * 20;
    const stream = this.#addStream({
      ...{ request, isCut, startMs: 0, origin: 'twiml', behaviour: this.#behaviour },
      ...{ streamSid: this.streamSid, setUpMs: 0 },
      streamTimeMs: () => this.#clock.positionMs - burstMs,
    });
    return { end: await stream.done, faults: faultsIn(stream.events.seen) };
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

  #addStream(
    own: Pick<
      ConstructorParameters<typeof CallStream>[0],
      | 'request'
      | 'isCut'
      | 'startMs'
      | 'origin'
      | 'behaviour'
      | 'streamSid'
      | 'setUpMs'
      | 'streamTimeMs'
      | 'failsWith'
    >,
  ): CallStream {
    const { accountSid, callSid } = this;
    const { paceFactor = 1, connectTimeoutMs, closeWaitMs, bufferLimitBytes } = this.#options;
    const isFirst = this.streams.length === 0;
    const stream = new CallStream({
      ...{ accountSid, callSid, paceFactor, audio: audioFrom(this.audio, own.startMs) },
      ...own,
      ...this.#signing(),
      ...(connectTimeoutMs !== undefined && { connectTimeoutMs }),
      ...(closeWaitMs !== undefined && { closeWaitMs }),
      ...(bufferLimitBytes !== undefined && { bufferLimitBytes }),
      onEvent: (event) => {
        this.#onStreamEvent(event, isFirst);
      },
      onOver: (end) => {
        // With its audio, the call is at its end.
        if (end === 'stopped') this.hangUp();
        this.#changed();
      },
    });
    this.streams.push(stream);
    return stream;
  }

  #onStreamEvent(event: CallEvent, isFirst: boolean): void {
    if (isFirst && event.type === 'stream-open') this.#startClock(this.#behaviour.burstFrames * 20);
    if (isFirst && event.type === 'refused') this.#startClock(0);
    if (isFirst) this.events.emit(event);
    this.#changed();
  }

  #startClock(aheadMs: number): void {
    this.#clock.start(aheadMs);
    const { endsWithAudio = false, paceFactor = 1 } = this.#options;
    if (!endsWithAudio || this.#behaviour.end === 'never') return;
    const endMs = Math.max(0, ...Object.values(this.audio).map(({ length }) => length / BYTES_PER_MS));
    this.#stopWatchingAudio = pace(paceFactor, () => {
      const isCarried = this.streams.some(({ state }) => state === 'open');
      if (this.#clock.positionMs >= endMs && !isCarried) this.hangUp();
    });
  }

  #problemWith({ tracks, name }: StreamRequest): string | undefined {
    const { deadStreamHoldsTracksMs } = this.#restRules;
    const holding = this.streams.filter(
      (stream) => stream.state !== 'over' || stream.overForMs < deadStreamHoldsTracksMs,
    );
    const taken = holding.reduce((sum, { request }) => sum + request.tracks.length, this.foreignTracks);
    if (taken + tracks.length > MOST_TRACKS) return `the call has ${taken} of ${MOST_TRACKS} tracks forked`;
    const isNamed = name !== undefined && this.streams.some(({ request }) => request.name === name);
    return isNamed ? 'the call has had a stream of this name' : undefined;
  }

  #complete(): void {
    this.#status = 'completed';
    this.#clock.stop();
    this.#stopWatchingAudio();
    this.#completed();
    this.#changed();
  }

  async #whenOver(isCompleted: Promise<void>): Promise<void> {
    await isCompleted;
    await this.done;
    // None is added any more.
    await Promise.all(this.streams.map(({ done }) => done));
  }

  #answer(): void {
    if (!this.#isHungUp) this.#status = 'in-progress';
  }

  #changed(): void {
    this.#options.onChange?.();
  }

  #signing(): { authToken?: string; dial?: DialAddress } {
    const { authToken, dial } = this.#options;
    return { ...(authToken !== undefined && { authToken }), ...(dial && { dial }) };
  }
}

/** What is still to be said from a moment on. */
function audioFrom({ inbound, outbound }: CallAudio, startMs: number): CallAudio {
  const byte = startMs * BYTES_PER_MS;
  return {
    ...(inbound && { inbound: inbound.subarray(byte) }),
    ...(outbound && { outbound: outbound.subarray(byte) }),
  };
}
