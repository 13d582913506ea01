import { TRACKS, type Track } from '../model/audio';
import { isSid } from './sid';

/** Why a message counts for nothing. A closed set: it labels a metric. */
export type ParseFailure =
  'binary' | 'not-json' | 'unknown-event' | 'malformed' | 'bad-track' | 'bad-payload' | 'empty-payload';

/** As Twilio says it, not yet judged (twilio-media-streams.md, 2.2). */
export interface MediaFormat {
  readonly encoding: string;
  readonly sampleRate: number;
  readonly channels: number;
}

export interface StartMessage {
  readonly type: 'start';
  readonly streamSid: string;
  readonly callSid: string;
  readonly accountSid: string;
  /** Those we know, in channel order: the order on the wire is UNKNOWN for two tracks (2.2). */
  readonly tracks: readonly Track[];
  /** Absent when the message has none that can be read. */
  readonly mediaFormat?: MediaFormat;
  readonly parameters: Readonly<Record<string, string>>;
}

export interface MediaMessage {
  readonly type: 'media';
  readonly streamSid: string;
  /** Absent when it cannot be read: good audio is not thrown away for its number. */
  readonly sequenceNumber?: number;
  readonly track: Track;
  readonly timestampMs: number;
  /** At least one byte. */
  readonly payload: Buffer;
}

export type TwilioMessage =
  | { readonly type: 'connected' }
  | StartMessage
  | MediaMessage
  | { readonly type: 'dtmf'; readonly streamSid: string; readonly digit: string }
  | { readonly type: 'mark'; readonly streamSid: string; readonly name: string }
  | { readonly type: 'stop'; readonly streamSid: string }
  | { readonly type: 'ignored'; readonly reason: ParseFailure };

type Fields = Readonly<Record<string, unknown>>;

/** Far above the longest call (24 h, 7); a time beyond it would be filled with silence for ever. */
export const MAX_TIMESTAMP_MS = 7 * 24 * 3_600_000;
const DIGITS = /^\d{1,15}$/;

const ignored = (reason: ParseFailure): TwilioMessage => ({ type: 'ignored', reason });

const parsers: Readonly<Record<string, (fields: Fields) => TwilioMessage>> = {
  connected: () => ({ type: 'connected' }),
  start: parseStart,
  media: parseMedia,
  dtmf: (fields) => parseLabel(fields, 'dtmf', 'digit'),
  mark: (fields) => parseLabel(fields, 'mark', 'name'),
  stop: (fields) => {
    const streamSid = sidOf(fields['streamSid']);
    return streamSid === undefined ? ignored('malformed') : { type: 'stop', streamSid };
  },
};

/**
 * Reads one WebSocket message of Twilio's (twilio-media-streams.md, 2.2). Unknown fields and versions are let be;
 * numbers may be strings, as they are on the wire, or numbers. Never throws: what cannot be used is `ignored`.
 */
export function parseTwilioMessage(data: Buffer, isBinary: boolean): TwilioMessage {
  if (isBinary) return ignored('binary');
  let message: unknown;
  try {
    message = JSON.parse(data.toString('utf8'));
  } catch {
    return ignored('not-json');
  }
  if (!isFields(message) || typeof message['event'] !== 'string') return ignored('malformed');
  const event = message['event'];
  const parse = Object.hasOwn(parsers, event) ? parsers[event] : undefined;
  return parse === undefined ? ignored('unknown-event') : parse(message);
}

function parseStart(fields: Fields): TwilioMessage {
  const start = fields['start'];
  if (!isFields(start)) return ignored('malformed');
  const streamSid = sidOf(start['streamSid']);
  const callSid = sidOf(start['callSid']);
  const accountSid = sidOf(start['accountSid']);
  const tracks = start['tracks'];
  if (streamSid === undefined || callSid === undefined || accountSid === undefined || !Array.isArray(tracks))
    return ignored('malformed');
  if (fields['streamSid'] !== undefined && fields['streamSid'] !== streamSid) return ignored('malformed');
  const mediaFormat = mediaFormatOf(start['mediaFormat']);
  return {
    type: 'start',
    streamSid,
    callSid,
    accountSid,
    tracks: TRACKS.filter((track) => tracks.includes(track)),
    ...(mediaFormat === undefined ? {} : { mediaFormat }),
    parameters: parametersOf(start['customParameters']),
  };
}

function parseMedia(fields: Fields): TwilioMessage {
  const media = fields['media'];
  const streamSid = fields['streamSid'];
  if (!isFields(media) || typeof streamSid !== 'string') return ignored('malformed');
  const { track } = media;
  if (track !== 'inbound' && track !== 'outbound') return ignored('bad-track');
  const timestampMs = numberOf(media['timestamp']);
  if (timestampMs === undefined || timestampMs > MAX_TIMESTAMP_MS) return ignored('malformed');
  const payload = payloadOf(media['payload']);
  if (payload === undefined) return ignored('bad-payload');
  if (payload.length === 0) return ignored('empty-payload');
  const sequenceNumber = numberOf(fields['sequenceNumber']);
  return sequenceNumber === undefined
    ? { type: 'media', streamSid, track, timestampMs, payload }
    : { type: 'media', streamSid, sequenceNumber, track, timestampMs, payload };
}

/** `dtmf` and `mark` exist on bidirectional streams only; they are told apart so that they can be counted. */
function parseLabel(fields: Fields, type: 'dtmf' | 'mark', key: 'digit' | 'name'): TwilioMessage {
  const streamSid = sidOf(fields['streamSid']);
  const body = fields[type];
  const label = isFields(body) ? body[key] : undefined;
  if (streamSid === undefined || typeof label !== 'string') return ignored('malformed');
  return type === 'dtmf' ? { type, streamSid, digit: label } : { type, streamSid, name: label };
}

/** Node's decoder skips what is not base64, so only the way back proves that it was. */
function payloadOf(value: unknown): Buffer | undefined {
  if (typeof value !== 'string') return undefined;
  const payload = Buffer.from(value, 'base64');
  return payload.toString('base64') === value ? payload : undefined;
}

function mediaFormatOf(value: unknown): MediaFormat | undefined {
  if (!isFields(value)) return undefined;
  const { encoding } = value;
  const sampleRate = numberOf(value['sampleRate']);
  const channels = numberOf(value['channels']);
  if (typeof encoding !== 'string' || sampleRate === undefined || channels === undefined) return undefined;
  return { encoding, sampleRate, channels };
}

/** `fromEntries` defines own properties, so a parameter called `__proto__` stays a parameter. */
function parametersOf(value: unknown): Readonly<Record<string, string>> {
  if (!isFields(value)) return {};
  return Object.fromEntries(
    Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}

function sidOf(value: unknown): string | undefined {
  return typeof value === 'string' && isSid(value) ? value : undefined;
}

function numberOf(value: unknown): number | undefined {
  if (typeof value === 'string') return DIGITS.test(value) ? Number(value) : undefined;
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
