import { BYTES_PER_MS, type Track } from '../../runtime/model/audio';
import type { ObservedSession } from '../gladia/observed-session';
import type { Call } from '../twilio/twilio-caller';
import { accountForAudio, type AudioAccount } from './audio-account';

/**
 * Counts a call's audio by track, over all its streams and sessions.
 * @throws Error when the Gladia server keeps digests only: then there is nothing to compare
 */
export function accountForCall(
  call: Call,
  sessions: readonly ObservedSession[],
): Readonly<Partial<Record<Track, AudioAccount>>> {
  const tracks = [...new Set(call.streams.flatMap(({ request }) => request.tracks))];
  return Object.fromEntries(tracks.map((track) => [track, accountForTrack(call, sessions, track)]));
}

function accountForTrack(call: Call, sessions: readonly ObservedSession[], track: Track): AudioAccount {
  const audio = call.audio[track] ?? Buffer.alloc(0);
  return accountForAudio({
    original: audio.subarray(0, Math.floor(call.positionMs) * BYTES_PER_MS),
    sent: call.streams.flatMap(({ sent }) => sent.ranges(track)),
    accepted: call.streams.flatMap(({ streamSid, request }) => {
      // Channels are in the order of the tracks: inbound first (design, correction 14).
      const channel = request.tracks.toSorted().indexOf(track);
      const own = sessions.filter(({ customMetadata }) => customMetadata['streamSid'] === streamSid);
      return channel === -1 ? [] : own.map((session) => channelOf(session, channel));
    }),
  });
}

function channelOf(session: ObservedSession, channel: number): Buffer {
  const audio = session.accepted();
  if (audio === undefined)
    throw new Error('the Gladia server must keep everything, so that audio can be counted');
  const { channels } = session;
  if (channels === 1) return audio;
  const own = Buffer.alloc(Math.floor(audio.length / channels));
  for (let i = 0; i < own.length; i += 1) own[i] = audio[i * channels + channel] ?? 0;
  return own;
}
