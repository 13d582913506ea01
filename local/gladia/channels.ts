/**
 * Takes sample-interleaved mu-law apart: byte i of the session belongs to channel i mod N (gladia-live.md, 2.3).
 * A frame that ends in the middle of a sample is carried on by the next one (UNKNOWN at Gladia).
 * @param position bytes of the session before this audio
 */
export function splitChannels(audio: Buffer, channels: number, position: number): Buffer[] {
  if (channels === 1) return [audio];
  return Array.from({ length: channels }, (_, channel) => {
    const first = (((channel - position) % channels) + channels) % channels;
    const own = Buffer.alloc(Math.max(0, Math.ceil((audio.length - first) / channels)));
    for (let from = first, to = 0; from < audio.length; from += channels, to += 1) own[to] = audio[from] ?? 0;
    return own;
  });
}
