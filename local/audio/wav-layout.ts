/** Thrown for a file that cannot be used; the message names the file, what is wrong and what would be right. */
export class WavError extends Error {
  readonly file: string;

  constructor(file: string, problem: string, options?: ErrorOptions) {
    super(`${file}: ${problem}`, options);
    this.name = 'WavError';
    this.file = file;
  }
}

export interface WavFormat {
  /** WAVE format tag, the one inside for the extensible format: 1 PCM, 3 float, 6 A-law, 7 mu-law. */
  readonly tag: number;
  readonly channels: number;
  readonly sampleRateHz: number;
  /** Size of one sample of one channel as stored. */
  readonly bytesPerSample: number;
}

export interface WavLayout {
  readonly format: WavFormat;
  /** The stored samples. A file that was cut off gives what is there. */
  readonly data: Buffer;
}

const EXTENSIBLE = 0xfffe;
const NEEDED =
  'a mono WAV file (PCM, float, A-law or mu-law) is needed, for example by: ffmpeg -i IN -ac 1 OUT.wav';

/**
 * Finds format and samples of a WAV file held in memory.
 * @throws WavError when it is no WAV file, has no format or no audio.
 */
export function readWavLayout(bytes: Buffer, file: string): WavLayout {
  if (bytes.length === 0) throw new WavError(file, `the file is empty; ${NEEDED}`);
  const container = bytes.toString('latin1', 0, 4);
  if (!['RIFF', 'RF64'].includes(container) || bytes.toString('latin1', 8, 12) !== 'WAVE') {
    throw new WavError(file, `this is not a WAV file; ${NEEDED}`);
  }
  const chunks = findChunks(bytes);
  const format = chunks.get('fmt ');
  const data = chunks.get('data');
  if (format === undefined || format.length < 16)
    throw new WavError(file, `the WAV header is broken (no format); ${NEEDED}`);
  if (data === undefined || data.length === 0)
    throw new WavError(file, 'the WAV file holds no audio; give one that does');
  return { format: readFormat(format, file), data };
}

/** First chunk of each name. Stops at `data`: nothing after it matters here. */
function findChunks(bytes: Buffer): Map<string, Buffer> {
  const chunks = new Map<string, Buffer>();
  let offset = 12;
  while (offset + 8 <= bytes.length && !chunks.has('data')) {
    const name = bytes.toString('latin1', offset, offset + 4);
    const size = bytes.readUInt32LE(offset + 4);
    const start = offset + 8;
    // A recorder that writes into a pipe cannot know the size and leaves 0 or the largest number.
    const end = name === 'data' && size === 0 ? bytes.length : Math.min(bytes.length, start + size);
    if (!chunks.has(name)) chunks.set(name, bytes.subarray(start, end));
    offset = start + size + (size % 2);
  }
  return chunks;
}

function readFormat(chunk: Buffer, file: string): WavFormat {
  const outerTag = chunk.readUInt16LE(0);
  // The extensible format keeps its real tag in the first two bytes of a GUID, 24 bytes in.
  const tag = outerTag === EXTENSIBLE && chunk.length >= 26 ? chunk.readUInt16LE(24) : outerTag;
  const channels = chunk.readUInt16LE(2);
  const sampleRateHz = chunk.readUInt32LE(4);
  const bytesPerSample = channels === 0 ? 0 : chunk.readUInt16LE(12) / channels;
  if (channels === 0 || sampleRateHz === 0 || !Number.isInteger(bytesPerSample) || bytesPerSample === 0) {
    throw new WavError(file, `the WAV header is broken (impossible numbers); ${NEEDED}`);
  }
  return { tag, channels, sampleRateHz, bytesPerSample };
}
