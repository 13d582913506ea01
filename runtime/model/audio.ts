/** Which side of the leg a frame was heard on, in Twilio's words (twilio-media-streams.md, 1.6). */
export type Track = 'inbound' | 'outbound';

/** Channel order of a two-track session: channel 0 is inbound, channel 1 is outbound. */
export const TRACKS: readonly Track[] = ['inbound', 'outbound'];

/** Twilio's audio: mu-law, 8000 samples a second, one byte a sample. */
export const SAMPLE_RATE_HZ = 8000;
export const BYTES_PER_MS = SAMPLE_RATE_HZ / 1000;

/** mu-law +0, what silence is filled with. */
export const SILENCE_BYTE = 0xff;
