import type { Track } from '../../runtime/model/audio';
import type { MediaFormat } from './behaviour';
import type { PlannedFrame } from './media-plan';

export interface StreamIdentity {
  readonly accountSid: string;
  readonly callSid: string;
  readonly streamSid: string;
}

export interface StreamMessagesOptions extends StreamIdentity {
  /** In the order in which `start` lists them. */
  readonly tracks: readonly Track[];
  /** `undefined` leaves the field out. */
  readonly customParameters: Readonly<Record<string, string>> | undefined;
  readonly mediaFormat: MediaFormat;
  readonly version: string;
  readonly chunks: 'shared' | 'per track';
  readonly extraFields: boolean;
}

/**
 * Writes the messages of one stream: compact JSON, keys in the order of the wire, counters as strings
 * (twilio-media-streams.md, 2.2 and 2.3). Each call but `connected` takes the next sequence number.
 */
export class StreamMessages {
  readonly #options: StreamMessagesOptions;
  #sequenceNumber = 0;
  readonly #chunks: Record<Track, number> = { inbound: 0, outbound: 0 };

  constructor(options: StreamMessagesOptions) {
    this.#options = options;
  }

  get streamSid(): string {
    return this.#options.streamSid;
  }

  connected(): string {
    return this.#write({ event: 'connected', protocol: 'Call', version: this.#options.version });
  }

  start(): string {
    const { accountSid, streamSid, callSid, tracks, mediaFormat, customParameters } = this.#options;
    const start = { accountSid, streamSid, callSid, tracks, mediaFormat, customParameters };
    return this.#write({ event: 'start', sequenceNumber: this.#next(), start, streamSid });
  }

  media({ track, timestampMs, payload }: Omit<PlannedFrame, 'startMs'>): string {
    const media = {
      track,
      chunk: this.#nextChunk(track),
      timestamp: String(timestampMs),
      payload: payload.toString('base64'),
      ...(this.#options.extraFields && { level: '-42' }),
    };
    return this.#write({
      event: 'media',
      sequenceNumber: this.#next(),
      media,
      streamSid: this.#options.streamSid,
    });
  }

  stop(): string {
    const { accountSid, callSid, streamSid } = this.#options;
    return this.#write({
      event: 'stop',
      sequenceNumber: this.#next(),
      streamSid,
      stop: { accountSid, callSid },
    });
  }

  /** An event of another kind in the ordinary envelope. */
  other(event: string, body: unknown): string {
    const sequenceNumber = this.#next();
    return this.#write({ event, sequenceNumber, [event]: body, streamSid: this.#options.streamSid });
  }

  #next(): string {
    this.#sequenceNumber += 1;
    return String(this.#sequenceNumber);
  }

  #nextChunk(track: Track): string {
    this.#chunks[track] += 1;
    const { inbound, outbound } = this.#chunks;
    return String(this.#options.chunks === 'shared' ? inbound + outbound : this.#chunks[track]);
  }

  #write(message: object): string {
    return JSON.stringify(this.#options.extraFields ? { ...message, addedLater: { by: 'twilio' } } : message);
  }
}
