import type { Track } from '../model/audio';
import { hasBytesAt } from '../wire/has-bytes-at';
import { MAX_TIMESTAMP_MS, type MediaMessage } from './twilio-messages';

const INVALID = 0xff;
/** Value of a base64 character, by its code. */
const SIXTET = new Uint8Array(256).fill(INVALID);
Array.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/').forEach((character, value) => {
  SIXTET[character.charCodeAt(0)] = value;
});

const BEFORE_SEQUENCE = Buffer.from('{"event":"media","sequenceNumber":"');
const BEFORE_TRACK = Buffer.from('","media":{"track":"');
const INBOUND = Buffer.from('inbound","chunk":"');
const OUTBOUND = Buffer.from('outbound","chunk":"');
const BEFORE_TIMESTAMP = Buffer.from('","timestamp":"');
const BEFORE_PAYLOAD = Buffer.from('","payload":"');
const BEFORE_STREAM = Buffer.from('"},"streamSid":"');
const ENDING = Buffer.from('"}');
const EQUALS = 0x3d;
const ZERO = 0x30;
/** Below 2^53. */
const MOST_DIGITS = 15;

let data: Buffer = Buffer.alloc(0);
let at = 0;
let end = 0;
/** Read last. */
let number = 0;

/**
 * Reads media messages of one stream without making anything but the result: the shape that Twilio sends, byte by byte
 * (twilio-media-streams.md, 2.2). It knows no other shape, and says so: then `parseTwilioMessage` reads all of the message.
 *
 * @param from where the message begins in `bytes`, which ends at `to`
 * @param streamSid with nothing in it that JSON writes in another way than it means it, as a SID has (`isSid`)
 * @returns `undefined` when the message is not exactly of the expected shape and stream; the payload is the caller's
 */
export function readMedia(
  bytes: Buffer,
  from: number,
  to: number,
  streamSid: string,
): MediaMessage | undefined {
  data = bytes;
  at = from;
  end = to;
  if (!skip(BEFORE_SEQUENCE) || !digits()) return undefined;
  const sequenceNumber = number;
  if (!skip(BEFORE_TRACK)) return undefined;
  const isInbound = skip(INBOUND);
  if (!isInbound && !skip(OUTBOUND)) return undefined;
  if (!digits() || !skip(BEFORE_TIMESTAMP) || !digits()) return undefined;
  const timestampMs = number;
  if (timestampMs > MAX_TIMESTAMP_MS || !skip(BEFORE_PAYLOAD)) return undefined;
  const payloadFrom = at;
  at = end - ENDING.length - streamSid.length - BEFORE_STREAM.length;
  const payloadTo = at;
  if (payloadTo < payloadFrom || !skip(BEFORE_STREAM) || !skipName(streamSid) || !skip(ENDING))
    return undefined;
  const payload = decode(data, payloadFrom, payloadTo);
  if (payload === undefined) return undefined;
  const track: Track = isInbound ? 'inbound' : 'outbound';
  return { type: 'media', streamSid, sequenceNumber, track, timestampMs, payload };
}

function skip(expected: Buffer): boolean {
  if (!hasBytesAt(data, at, end, expected)) return false;
  at += expected.length;
  return true;
}

function skipName(expected: string): boolean {
  const { length } = expected;
  for (let i = 0; i < length; i += 1) if (data[at + i] !== expected.charCodeAt(i)) return false;
  at += length;
  return true;
}

function digits(): boolean {
  const from = at;
  number = 0;
  for (; at < end; at += 1) {
    const digit = (data[at] ?? 0) - ZERO;
    if (digit < 0 || digit > 9) break;
    number = number * 10 + digit;
  }
  const count = at - from;
  return count >= 1 && count <= MOST_DIGITS;
}

/** @returns `undefined` for what is empty, or not what an encoder would have written */
function decode(data: Buffer, from: number, to: number): Buffer | undefined {
  const characters = to - from;
  if (characters === 0 || characters % 4 !== 0) return undefined;
  const padding = data[to - 1] !== EQUALS ? 0 : data[to - 2] !== EQUALS ? 1 : 2;
  const bytes = Buffer.allocUnsafe((characters / 4) * 3 - padding);
  const wholeTo = padding === 0 ? to : to - 4;
  let seen = 0;
  let out = 0;
  for (let i = from; i < wholeTo; i += 4) {
    const a = SIXTET[data[i] ?? 0] ?? INVALID;
    const b = SIXTET[data[i + 1] ?? 0] ?? INVALID;
    const c = SIXTET[data[i + 2] ?? 0] ?? INVALID;
    const d = SIXTET[data[i + 3] ?? 0] ?? INVALID;
    seen |= a | b | c | d;
    bytes[out] = (a << 2) | (b >> 4);
    bytes[out + 1] = (b << 4) | (c >> 2);
    bytes[out + 2] = (c << 6) | d;
    out += 3;
  }
  if (padding > 0) {
    const a = SIXTET[data[wholeTo] ?? 0] ?? INVALID;
    const b = SIXTET[data[wholeTo + 1] ?? 0] ?? INVALID;
    const c = padding === 2 ? 0 : (SIXTET[data[wholeTo + 2] ?? 0] ?? INVALID);
    seen |= a | b | c;
    bytes[out] = (a << 2) | (b >> 4);
    if (padding === 1) bytes[out + 1] = (b << 4) | (c >> 2);
    // Bits that no byte takes are zero.
    const isCanonical = padding === 2 ? (b & 0x0f) === 0 : (c & 0x03) === 0;
    if (!isCanonical) return undefined;
  }
  // Only the mark of what is no base64 has bits this high.
  return (seen & 0xc0) === 0 ? bytes : undefined;
}
