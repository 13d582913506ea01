/** mu-law at 8 kHz with a WAV header (format 7), as GET /v2/live/{id}/file gives it. */
export function toMuLawWav(audio: Buffer, channels: number): Buffer {
  const header = Buffer.alloc(58);
  header.write('RIFF', 0, 'latin1');
  header.writeUInt32LE(50 + audio.length, 4);
  header.write('WAVEfmt ', 8, 'latin1');
  header.writeUInt32LE(18, 16);
  header.writeUInt16LE(7, 20);
  header.writeUInt16LE(channels, 22);
  header.writeUInt32LE(8000, 24);
  header.writeUInt32LE(8000 * channels, 28);
  header.writeUInt16LE(channels, 32);
  header.writeUInt16LE(8, 34);
  header.write('fact', 38, 'latin1');
  header.writeUInt32LE(4, 42);
  header.writeUInt32LE(Math.floor(audio.length / channels), 46);
  header.write('data', 50, 'latin1');
  header.writeUInt32LE(audio.length, 54);
  return Buffer.concat([header, audio]);
}
