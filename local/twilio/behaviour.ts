import type { Track } from '../../runtime/model/audio';
import type { StreamUrlForm } from './twilio-signature-of';

export type IntrusionKind =
  | 'unknown event'
  | 'dtmf'
  | 'second start'
  | 'media before start'
  | 'binary frame'
  | 'broken JSON'
  | 'not an object'
  | 'payload not base64'
  | 'oversized message'
  | 'stop for another stream';

/** A message that should not be there. */
export interface Intrusion {
  readonly kind: IntrusionKind;
  /** Stream time at which it is sent; 0, the default, is before the first frame. */
  readonly atMs?: number;
}

export interface MediaFormat {
  readonly encoding: string;
  readonly sampleRate: number;
  readonly channels: number;
}

/** A stretch of stream time in which no frames are sent, as on calls that leave silence out. */
export interface Gap {
  readonly fromMs: number;
  readonly toMs: number;
  /** All tracks when left out. */
  readonly track?: Track;
}

/** From a moment of stream time on, timestamps are this much later (or earlier, below 0); no audio is left out. */
export interface TimestampJump {
  readonly atMs: number;
  readonly byMs: number;
}

/** Nothing is sent for a while, then everything that was due at once. */
export interface Stall {
  readonly atMs: number;
  readonly forMs: number;
}

/**
 * How the stream ends. `never`: the socket stays open after the audio, until `hangUp()`.
 * The middle two are a stream that Twilio loses while the call goes on.
 */
export type StreamEnd = 'stop, 1005' | 'stop, 1000' | 'close without stop' | 'reset' | 'never';

/** The switches of twilio-media-streams.md, 10. Times are stream time, which the pace factor shrinks. */
export interface Behaviour {
  readonly signature: StreamUrlForm | 'none' | 'wrong token';
  /** First timestamp; seen in the field are 8 to 171 (2.3). */
  readonly firstTimestampMs: number;
  /** Steps from frame to frame, used in turn; without them a frame's own length. */
  readonly timestampStepsMs: readonly number[];
  /** Bytes of the frames of a track, used in turn. */
  readonly payloadBytes: readonly number[];
  /** Frames that wait while the socket is set up and then come at once (2.4). */
  readonly burstFrames: number;
  readonly gaps: readonly Gap[];
  readonly jumps: readonly TimestampJump[];
  readonly stalls: readonly Stall[];
  /** The outbound track has no frames before this. */
  readonly outboundDelayMs: number;
  readonly interleave: 'inbound first' | 'outbound first' | 'alternating';
  /** UNKNOWN which one is Twilio's (2.3). */
  readonly chunks: 'shared' | 'per track';
  /** Order in `start.tracks`, which is UNKNOWN (2.2). */
  readonly tracksOrder: 'inbound first' | 'outbound first';
  readonly customParameters: 'sent' | 'missing';
  readonly extraFields: boolean;
  readonly version: string;
  /** Only what `start` says: the audio stays mu-law. */
  readonly mediaFormat: MediaFormat;
  /** Messages that should not be there. */
  readonly intrusions: readonly Intrusion[];
  readonly end: StreamEnd;
  /** Status callbacks of the stream come before the handshake and the stop, or after them; UNKNOWN (4). */
  readonly statusCallback: 'before socket' | 'after socket';
  /** How often each of them is sent: 0 not at all, 2 twice. */
  readonly statusCallbackCopies: number;
}

const TWILIOS_OWN = {
  signature: 'normal',
  timestampStepsMs: [],
  payloadBytes: [160],
  gaps: [],
  jumps: [],
  stalls: [],
  outboundDelayMs: 0,
  interleave: 'inbound first',
  chunks: 'shared',
  tracksOrder: 'inbound first',
  customParameters: 'sent',
  extraFields: false,
  version: '1.0.0',
  mediaFormat: { encoding: 'audio/x-mulaw', sampleRate: 8000, channels: 1 },
  intrusions: [],
  end: 'stop, 1005',
  statusCallback: 'after socket',
  statusCallbackCopies: 1,
} as const satisfies Partial<Behaviour>;

/** Fills in what Twilio does ordinarily: first timestamp 0 to 200, burst of 5 to 11 frames. */
export function withDefaults(switches: Partial<Behaviour>): Behaviour {
  const drawn = { firstTimestampMs: randomBetween(0, 200), burstFrames: randomBetween(5, 11) };
  const behaviour = { ...TWILIOS_OWN, ...drawn, ...switches };
  if (behaviour.payloadBytes.length === 0 || behaviour.payloadBytes.some((bytes) => !(bytes >= 1))) {
    throw new RangeError('payloadBytes needs at least one size, and each must be 1 or more');
  }
  return behaviour;
}

function randomBetween(least: number, most: number): number {
  return least + Math.floor(Math.random() * (most - least + 1));
}
