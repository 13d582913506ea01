import { hasBytesAt } from '../../wire/has-bytes-at';
import type { AcknowledgedRange } from '../speech-provider';

const BEFORE_SESSION = Buffer.from('{"session_id":"');
const BEFORE_CREATED = Buffer.from('","created_at":"');
const BEFORE_BYTES = Buffer.from(
  '","type":"audio_chunk","acknowledged":true,"error":null,"data":{"byte_range":[',
);
const BEFORE_TIMES = Buffer.from('],"time_range":[');
const ENDING = Buffer.from(']}}');
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const POINT = 0x2e;
const ZERO = 0x30;
const SPACE = 0x20;
const LAST_ASCII = 0x7e;
/** Below 2^53: made of the digits, a number is exact. */
const MOST_DIGITS = 15;
const NONE = -1;

let data: Buffer = Buffer.alloc(0);
let at = 0;
let end = 0;

/**
 * Reads an acknowledgment of audio of the shape that Gladia documents (gladia-live.md, 3.2), byte by byte: one comes for
 * each message sent. It knows no other shape.
 * @param from where the message begins in `bytes`, which ends at `to`
 * @returns `undefined` for everything else: then `parseGladiaMessage` reads all of the message
 */
export function readAcknowledgment(bytes: Buffer, from: number, to: number): AcknowledgedRange | undefined {
  data = bytes;
  at = from;
  end = to;
  if (!skip(BEFORE_SESSION) || !skipText() || !skip(BEFORE_CREATED) || !skipText()) return undefined;
  if (!skip(BEFORE_BYTES)) return undefined;
  const fromByte = whole();
  if (fromByte === NONE || !skipComma()) return undefined;
  const toByte = whole();
  if (toByte === NONE || !skip(BEFORE_TIMES)) return undefined;
  const fromSeconds = decimal();
  if (fromSeconds === NONE || !skipComma() || decimal() === NONE) return undefined;
  if (!skip(ENDING) || at !== end) return undefined;
  return { fromByte, toByte, fromMs: fromSeconds * 1000 };
}

function skip(expected: Buffer): boolean {
  if (!hasBytesAt(data, at, end, expected)) return false;
  at += expected.length;
  return true;
}

/** Up to the quote; only what JSON writes as it is. */
function skipText(): boolean {
  for (; at < end; at += 1) {
    const code = data[at] ?? 0;
    if (code === QUOTE) return true;
    if (code === BACKSLASH || code < SPACE || code > LAST_ASCII) return false;
  }
  return false;
}

function skipComma(): boolean {
  if (at >= end || data[at] !== COMMA) return false;
  at += 1;
  return true;
}

/** @returns NONE for what is no number, or too long; JSON allows no zeros in front */
function whole(): number {
  const from = at;
  let number = 0;
  for (; at < end; at += 1) {
    const digit = (data[at] ?? 0) - ZERO;
    if (digit < 0 || digit > 9) break;
    number = number * 10 + digit;
  }
  const digits = at - from;
  const hasZerosInFront = digits > 1 && data[from] === ZERO;
  return digits === 0 || digits > MOST_DIGITS || hasZerosInFront ? NONE : number;
}

function decimal(): number {
  const from = at;
  const before = whole();
  if (before === NONE || at >= end || data[at] !== POINT) return before;
  at += 1;
  const fractionFrom = at;
  let number = before;
  let scale = 1;
  for (; at < end; at += 1) {
    const digit = (data[at] ?? 0) - ZERO;
    if (digit < 0 || digit > 9) break;
    number = number * 10 + digit;
    scale *= 10;
  }
  if (at === fractionFrom) return NONE;
  // Two exact numbers divide to the nearest one; with more digits they are none.
  return at - from - 1 <= MOST_DIGITS ? number / scale : Number(data.toString('latin1', from, at));
}
