import { randomBytes } from 'node:crypto';
import type { IntrusionKind } from './behaviour';
import type { StreamMessages } from './stream-messages';
import { randomSid } from './random-sids';

const OVERSIZED_BYTES = 10 * 1024 * 1024;

const WRITERS: Readonly<Record<IntrusionKind, (messages: StreamMessages) => string | Buffer>> = {
  'unknown event': (messages) => messages.other('sentiment', { mood: 'good' }),
  dtmf: (messages) => messages.other('dtmf', { track: 'inbound_track', digit: '5' }),
  'second start': (messages) => messages.start(),
  'media before start': ({ streamSid }) => {
    const payload = Buffer.alloc(160, 0xff).toString('base64');
    const media = { track: 'inbound', chunk: '1', timestamp: '0', payload };
    return JSON.stringify({ event: 'media', sequenceNumber: '1', media, streamSid });
  },
  'binary frame': () => randomBytes(160),
  'broken JSON': () => '{"event":"media","sequenceNumber":"7","media":{"track":"inb',
  'not an object': () => '["media",null,7]',
  'payload not base64': (messages) =>
    messages.other('media', {
      track: 'inbound',
      chunk: '1',
      timestamp: '0',
      payload: '\u00a7 not base64 \u00a7',
    }),
  'oversized message': (messages) => messages.other('sentiment', { text: 'x'.repeat(OVERSIZED_BYTES) }),
  'stop for another stream': () => foreign('stop', { accountSid: randomSid('AC'), callSid: randomSid('CA') }),
};

/** Writes the message; those in the ordinary envelope take a sequence number of the stream. */
export function intrusionMessage(kind: IntrusionKind, messages: StreamMessages): string | Buffer {
  return WRITERS[kind](messages);
}

function foreign(event: string, body: object): string {
  return JSON.stringify({ event, sequenceNumber: '2', [event]: body, streamSid: randomSid('MZ') });
}
