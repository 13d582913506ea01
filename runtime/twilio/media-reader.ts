import type { Track } from '../model/audio';
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
/** Nothing that JSON writes in another way than it means it. */
const ENDING = /^"},"streamSid":"([A-Za-z0-9_-]*)"}$/;
const NO_TAIL = Buffer.alloc(0);
const QUOTE = 0x22;
const EQUALS = 0x3d;
const ZERO = 0x30;
/** Below 2^53. */
const MOST_DIGITS = 15;

/**
 * Reads media messages of one stream without making anything but the result: the shape that Twilio sends, byte by byte
 * (twilio-media-streams.md, 2.2). It knows no other shape, and says so: then `parseTwilioMessage` reads all of the message.
 */
export class MediaReader {
  #data: Buffer = Buffer.alloc(0);
  #at = 0;
  #number = 0;
  #streamSid = '';
  /** What follows a payload, with the stream's name, as it was seen last. */
  #tail: Buffer = NO_TAIL;

  /** @returns `undefined` when the message is not exactly of the expected shape; the payload is the caller's */
  read(data: Buffer): MediaMessage | undefined {
    this.#data = data;
    this.#at = 0;
    if (!this.#skip(BEFORE_SEQUENCE) || !this.#digits()) return undefined;
    const sequenceNumber = this.#number;
    if (!this.#skip(BEFORE_TRACK)) return undefined;
    const isInbound = this.#skip(INBOUND);
    if (!isInbound && !this.#skip(OUTBOUND)) return undefined;
    if (!this.#digits() || !this.#skip(BEFORE_TIMESTAMP) || !this.#digits()) return undefined;
    const timestampMs = this.#number;
    if (timestampMs > MAX_TIMESTAMP_MS || !this.#skip(BEFORE_PAYLOAD)) return undefined;
    const payloadFrom = this.#at;
    if (!this.#endsAsBefore(payloadFrom) && !this.#learnEnding(payloadFrom)) return undefined;
    const payload = decode(data, payloadFrom, data.length - this.#tail.length);
    if (payload === undefined) return undefined;
    const track: Track = isInbound ? 'inbound' : 'outbound';
    return { type: 'media', streamSid: this.#streamSid, sequenceNumber, track, timestampMs, payload };
  }

  #skip(expected: Buffer): boolean {
    const data = this.#data;
    const at = this.#at;
    const { length } = expected;
    if (at + length > data.length) return false;
    for (let i = 0; i < length; i += 1) if (data[at + i] !== expected[i]) return false;
    this.#at = at + length;
    return true;
  }

  #digits(): boolean {
    const data = this.#data;
    let number = 0;
    let at = this.#at;
    for (; at < data.length; at += 1) {
      const digit = (data[at] ?? 0) - ZERO;
      if (digit < 0 || digit > 9) break;
      number = number * 10 + digit;
    }
    const count = at - this.#at;
    this.#at = at;
    this.#number = number;
    return count >= 1 && count <= MOST_DIGITS;
  }

  #endsAsBefore(payloadFrom: number): boolean {
    this.#at = this.#data.length - this.#tail.length;
    return this.#tail !== NO_TAIL && this.#at >= payloadFrom && this.#skip(this.#tail);
  }

  #learnEnding(payloadFrom: number): boolean {
    const data = this.#data;
    const from = data.indexOf(QUOTE, payloadFrom);
    const match = ENDING.exec(data.toString('latin1', from === -1 ? data.length : from));
    if (match === null) return false;
    this.#streamSid = match[1] ?? '';
    this.#tail = Buffer.from(data.subarray(from));
    return true;
  }
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
