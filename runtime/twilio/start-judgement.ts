import { SAMPLE_RATE_HZ, type Track } from '../model/audio';
import type { MediaFormat, StartMessage } from './twilio-messages';

/** Why a stream is not taken. */
export type StartRefusal = 'media-format' | 'account' | 'tracks';

export interface StartRules {
  readonly accountSid?: string | undefined;
  readonly tracks: readonly Track[];
}

export type StartJudgement =
  { readonly tracks: readonly Track[] } | { readonly refusal: StartRefusal; readonly detail: object };

/** Is this a stream that can be transcribed, and which of its tracks are? */
export function judgeStart(start: StartMessage, rules: StartRules): StartJudgement {
  if (rules.accountSid !== undefined && start.accountSid !== rules.accountSid)
    return { refusal: 'account', detail: { accountSid: start.accountSid, expected: rules.accountSid } };
  if (!isMuLaw8000Mono(start.mediaFormat)) {
    const format = start.mediaFormat === undefined ? 'none' : describe(start.mediaFormat);
    return { refusal: 'media-format', detail: { format, expected: 'audio/x-mulaw 8000 Hz 1 channel' } };
  }
  const tracks = start.tracks.filter((track) => rules.tracks.includes(track));
  if (tracks.length === 0)
    return { refusal: 'tracks', detail: { tracks: start.tracks, expected: rules.tracks } };
  return { tracks };
}

/** "Always" so today, but Twilio's newest typings know other formats (twilio-media-streams.md, 1.3). */
function isMuLaw8000Mono(format: MediaFormat | undefined): boolean {
  return (
    format?.encoding === 'audio/x-mulaw' && format.sampleRate === SAMPLE_RATE_HZ && format.channels === 1
  );
}

/** Rates are below a million, so that none is a phone number. */
const MOST_TOLD = 999_999;

/** For the log, where only what looks like a format may go: anybody can write anything there. */
function describe({ encoding, sampleRate, channels }: MediaFormat): string {
  const isEncoding = /^audio\/(?!.*\d{5})[a-z][a-z0-9-]{0,19}$/i.test(encoding);
  return `${isEncoding ? encoding : 'unknown encoding'} ${told(sampleRate)} Hz ${told(channels)} channels`;
}

function told(value: number): string {
  return value > MOST_TOLD ? 'too many' : String(value);
}
