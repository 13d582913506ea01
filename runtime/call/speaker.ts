import type { Track } from '../model/audio';
import type { CallDirection, Speaker } from '../model/transcript-event';

/**
 * Who is heard on which track. `inbound` is what Twilio receives from the other end of the leg (twilio-media-streams.md, 1.6):
 * the caller of an inbound call, the person dialled by the API, but on a leg made by `<Dial>` the agent it reached.
 */
const SPEAKERS: Readonly<Record<CallDirection, Readonly<Record<Track, Speaker>>>> = {
  inbound: { inbound: 'customer', outbound: 'agent' },
  'outbound-api': { inbound: 'customer', outbound: 'agent' },
  'outbound-dial': { inbound: 'agent', outbound: 'customer' },
  unknown: { inbound: 'customer', outbound: 'agent' },
};

export function speakerOf(track: Track, direction: CallDirection): Speaker {
  return SPEAKERS[direction][track];
}

/** @param text Twilio's `Direction`, or what a `<Parameter>` says */
export function callDirection(text: string | undefined): CallDirection {
  return text === 'inbound' || text === 'outbound-api' || text === 'outbound-dial' ? text : 'unknown';
}
