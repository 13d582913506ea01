import { readFileSync } from 'node:fs';
import { aLawToLinear, encodeMuLaw, muLawToLinear } from './mu-law';
import { resample } from './resample';
import { readWavLayout, WavError, type WavFormat, type WavLayout } from './wav-layout';

/** Twilio's rate, which every file is brought to. */
const TARGET_HZ = 8000;
const MIN_HZ = 1000;
const MAX_HZ = 768_000;

/** Reads the sample at a byte offset, in the range of 16 bit. */
type SampleReader = (data: Buffer, offset: number) => number;

/** By format tag and stored bytes of a sample. */
const READERS: Readonly<Record<string, SampleReader>> = {
  'PCM 1': (data, offset) => (data.readUInt8(offset) - 128) * 256,
  'PCM 2': (data, offset) => data.readInt16LE(offset),
  'PCM 3': (data, offset) => data.readIntLE(offset, 3) / 256,
  'PCM 4': (data, offset) => data.readInt32LE(offset) / 65_536,
  'float 4': (data, offset) => finite(data.readFloatLE(offset)) * 32_768,
  'float 8': (data, offset) => finite(data.readDoubleLE(offset)) * 32_768,
  'A-law 1': (data, offset) => aLawToLinear(data.readUInt8(offset)),
  'mu-law 1': (data, offset) => muLawToLinear(data.readUInt8(offset)),
};
const TAG_NAMES: Readonly<Record<number, string>> = { 1: 'PCM', 3: 'float', 6: 'A-law', 7: 'mu-law' };

/**
 * Reads a mono WAV file as 8 kHz mu-law, one byte a sample, as Twilio would send it.
 * PCM of 8, 16, 24 or 32 bit, float of 32 or 64 bit, A-law and mu-law at any rate; a file that is mu-law at
 * 8 kHz already comes out byte for byte. A file that was cut off gives what is there.
 * @throws WavError naming the file, what is wrong and what would be right.
 */
export function readWavAsMuLaw(file: string): Buffer {
  return wavToMuLaw(readBytes(file), file);
}

/** The same for a file held in memory; `file` is only its name for messages. */
export function wavToMuLaw(bytes: Buffer, file: string): Buffer {
  const layout = readWavLayout(bytes, file);
  const { format } = layout;
  checkFormat(format, file);
  const isTwilioAudio = kindOf(format) === 'mu-law 1' && format.sampleRateHz === TARGET_HZ;
  if (isTwilioAudio) return Buffer.from(layout.data);
  const samples = readSamples(layout, file);
  return encodeMuLaw(resample(samples, { fromHz: format.sampleRateHz, toHz: TARGET_HZ }));
}

function readBytes(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? String(error);
    throw new WavError(file, `cannot be read (${reason}); give the path of a mono WAV file`, {
      cause: error,
    });
  }
}

function checkFormat({ channels, sampleRateHz }: WavFormat, file: string): void {
  if (channels !== 1) {
    throw new WavError(
      file,
      `has ${channels} channels, and one is needed; give each speaker's channel as a mono file of its own: --wav CUSTOMER.wav --wav-agent AGENT.wav`,
    );
  }
  if (sampleRateHz < MIN_HZ || sampleRateHz > MAX_HZ) {
    throw new WavError(
      file,
      `has a sample rate of ${sampleRateHz} Hz; ${MIN_HZ} to ${MAX_HZ} Hz is possible`,
    );
  }
}

function readSamples({ format, data }: WavLayout, file: string): Float32Array {
  const read = READERS[kindOf(format)];
  if (read === undefined) {
    throw new WavError(
      file,
      `is in a format that cannot be read (${kindOf(format)} bytes a sample); 8, 16, 24 or 32 bit PCM, 32 or 64 bit float, A-law or mu-law is needed`,
    );
  }
  const samples = new Float32Array(Math.floor(data.length / format.bytesPerSample));
  for (let i = 0; i < samples.length; i += 1) samples[i] = read(data, i * format.bytesPerSample);
  return samples;
}

function kindOf({ tag, bytesPerSample }: WavFormat): string {
  return `${TAG_NAMES[tag] ?? `format ${tag},`} ${bytesPerSample}`;
}

/** One NaN would spread over every output sample that the filter draws from it. */
function finite(value: number): number {
  return Number.isFinite(value) ? value : 0;
}
