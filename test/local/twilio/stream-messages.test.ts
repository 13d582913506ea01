import { StreamMessages, type StreamMessagesOptions } from '../../../local/twilio/stream-messages';

const accountSid = 'AC0123456789abcdef0123456789abcdef';
const callSid = 'CA0123456789abcdef0123456789abcdef';
const streamSid = 'MZ0123456789abcdef0123456789abcdef';
const OPTIONS: StreamMessagesOptions = {
  accountSid,
  callSid,
  streamSid,
  tracks: ['inbound'],
  customParameters: { tenant: 't_42' },
  mediaFormat: { encoding: 'audio/x-mulaw', sampleRate: 8000, channels: 1 },
  version: '1.0.0',
  chunks: 'shared',
  extraFields: false,
};
const frame = { track: 'inbound' as const, dueMs: 0, timestampMs: 8, payload: Buffer.alloc(160, 0xff) };

describe('the messages of a stream', () => {
  it('are written as on the wire: compact, keys in order, counters as strings', () => {
    const messages = new StreamMessages(OPTIONS);
    expect(messages.connected()).toBe('{"event":"connected","protocol":"Call","version":"1.0.0"}');
    expect(messages.start()).toBe(
      `{"event":"start","sequenceNumber":"1","start":{"accountSid":"${accountSid}","streamSid":"${streamSid}","callSid":"${callSid}","tracks":["inbound"],"mediaFormat":{"encoding":"audio/x-mulaw","sampleRate":8000,"channels":1},"customParameters":{"tenant":"t_42"}},"streamSid":"${streamSid}"}`,
    );
    const media = messages.media(frame);
    expect(media).toBe(
      `{"event":"media","sequenceNumber":"2","media":{"track":"inbound","chunk":"1","timestamp":"8","payload":"${'/'.repeat(213)}w=="},"streamSid":"${streamSid}"}`,
    );
    expect(messages.stop()).toBe(
      `{"event":"stop","sequenceNumber":"3","streamSid":"${streamSid}","stop":{"accountSid":"${accountSid}","callSid":"${callSid}"}}`,
    );
  });

  it('have the length seen in the field', () => {
    const length = new StreamMessages(OPTIONS).media(frame).length;
    expect(length).toBeGreaterThanOrEqual(365);
    expect(length).toBeLessThanOrEqual(390);
  });

  it.each([
    ['shared', ['1', '2', '3']],
    ['per track', ['1', '1', '2']],
  ] as const)('count chunks %s', (chunks, expected) => {
    const messages = new StreamMessages({ ...OPTIONS, chunks });
    const tracks = ['inbound', 'outbound', 'inbound'] as const;
    const numbers = tracks.map(
      (track) => JSON.parse(messages.media({ ...frame, track })).media.chunk as string,
    );
    expect(numbers).toEqual(expected);
  });

  it('have no customParameters when they are missing', () => {
    const messages = new StreamMessages({ ...OPTIONS, customParameters: undefined });
    expect(messages.start()).not.toContain('customParameters');
  });

  it('have extra fields on every message when that is wanted', () => {
    const messages = new StreamMessages({ ...OPTIONS, extraFields: true });
    for (const text of [messages.connected(), messages.start(), messages.media(frame), messages.stop()]) {
      expect(JSON.parse(text)).toHaveProperty('addedLater');
    }
  });
});
