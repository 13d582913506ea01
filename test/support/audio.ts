/** mu-law that tells its own place: no byte is silence, so whatever is filled in shows. */
export function patternedAudio(ms: number, seed = 1): Buffer {
  const audio = Buffer.alloc(ms * 8);
  let value = seed * 2_654_435_761;
  for (let i = 0; i < audio.length; i += 1) {
    value = (Math.imul(value, 1_664_525) + 1_013_904_223) >>> 0;
    audio[i] = (value >>> 24) % 0x7f;
  }
  return audio;
}

/** One channel of interleaved audio. */
export function channelOf(audio: Buffer, channel: number, channels: number): Buffer {
  const bytes = Buffer.alloc(Math.floor(audio.length / channels));
  for (let i = 0; i < bytes.length; i += 1) bytes[i] = audio[i * channels + channel] ?? 0;
  return bytes;
}

export function withoutSilence(audio: Buffer): Buffer {
  return Buffer.from(audio.filter((byte) => byte !== 0xff));
}
