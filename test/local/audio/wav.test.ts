import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WaveFile } from 'wavefile';
import { decodeMuLaw, encodeMuLaw } from '../../../local/audio/mu-law';
import { readWavAsMuLaw, wavToMuLaw } from '../../../local/audio/wav';
import { WavError } from '../../../local/audio/wav-layout';

/** One second of a 440 Hz tone at half level, in the range -1 to 1. */
function toneAt(rateHz: number): number[] {
  return Array.from({ length: rateHz }, (_, n) => 0.5 * Math.sin((2 * Math.PI * 440 * n) / rateHz));
}

/** Written by an independent library, so that reader and writer cannot share a mistake. */
function wavOf(
  bitDepth: string,
  rateHz: number,
  samples: ArrayLike<number> | ArrayLike<number>[],
  channels = 1,
): Buffer {
  const wav = new WaveFile();
  wav.fromScratch(channels, rateHz, bitDepth, samples as never);
  return Buffer.from(wav.toBuffer());
}

function pcm16(samples: readonly number[]): number[] {
  return samples.map((sample) => Math.round(sample * 32_767));
}

/** How far two mu-law tones are apart, relative to the tone, in dB. */
function errorDb(actual: Buffer, expected: Buffer): number {
  const a = decodeMuLaw(actual).subarray(200, -200);
  const b = decodeMuLaw(expected).subarray(200, -200);
  const noise = a.reduce((sum, sample, n) => sum + (sample - (b[n] ?? 0)) ** 2, 0);
  return 10 * Math.log10((noise + 1e-9) / b.reduce((sum, sample) => sum + sample * sample, 0));
}

const EXPECTED = encodeMuLaw(pcm16(toneAt(8000)));
const tone = toneAt(8000);
const FORMATS: [string, Buffer][] = [
  [
    '8 bit PCM',
    wavOf(
      '8',
      8000,
      tone.map((s) => Math.round(s * 127) + 128),
    ),
  ],
  ['16 bit PCM', wavOf('16', 8000, pcm16(tone))],
  [
    '24 bit PCM',
    wavOf(
      '24',
      8000,
      tone.map((s) => Math.round(s * 8_388_607)),
    ),
  ],
  [
    '32 bit PCM',
    wavOf(
      '32',
      8000,
      tone.map((s) => Math.round(s * 2_147_483_647)),
    ),
  ],
  ['32 bit float', wavOf('32f', 8000, tone)],
  ['64 bit float', wavOf('64', 8000, tone)],
  ['16 bit PCM at 44.1 kHz', wavOf('16', 44_100, pcm16(toneAt(44_100)))],
  [
    '24 bit PCM at 48 kHz',
    wavOf(
      '24',
      48_000,
      toneAt(48_000).map((s) => Math.round(s * 8_388_607)),
    ),
  ],
  ['32 bit float at 16 kHz', wavOf('32f', 16_000, toneAt(16_000))],
];

function converted(bitDepth: 'aLaw' | 'muLaw'): Buffer {
  const wav = new WaveFile();
  wav.fromScratch(1, 8000, '16', pcm16(tone));
  if (bitDepth === 'aLaw') wav.toALaw();
  else wav.toMuLaw();
  return Buffer.from(wav.toBuffer());
}

/** The same audio under the extensible format: 40 bytes of header, the real tag in a GUID. */
function extensible(plain: Buffer, tag: number): Buffer {
  const format = Buffer.alloc(8 + 40);
  format.write('fmt ', 0, 'latin1');
  format.writeUInt32LE(40, 4);
  plain.copy(format, 8, 20, 36);
  format.writeUInt16LE(0xfffe, 8);
  format.writeUInt16LE(22, 24);
  format.writeUInt16LE(tag, 32);
  Buffer.from('000000001000800000aa00389b71', 'hex').copy(format, 34);
  const data = plain.subarray(plain.indexOf('data', 12, 'latin1'));
  return Buffer.concat([plain.subarray(0, 12), format, data]);
}

describe('reading a WAV file as mu-law', () => {
  it.each(FORMATS)('hears the same tone in %s', (_, wav) => {
    const audio = wavToMuLaw(wav, 'tone.wav');
    expect(audio).toHaveLength(8000);
    expect(errorDb(audio, EXPECTED)).toBeLessThan(-30);
  });

  it('hears the same tone in A-law', () => {
    expect(errorDb(wavToMuLaw(converted('aLaw'), 'a.wav'), EXPECTED)).toBeLessThan(-30);
  });

  it('takes mu-law at 8 kHz byte for byte', () => {
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
    const wav = converted('muLaw');
    bytes.copy(wav, wav.indexOf('data', 12, 'latin1') + 8);
    expect(wavToMuLaw(wav, 'u.wav').subarray(0, 256)).toEqual(bytes);
  });

  it('reads the extensible format by the format that is inside of it', () => {
    expect(
      errorDb(wavToMuLaw(extensible(wavOf('16', 8000, pcm16(tone)), 1), 'x.wav'), EXPECTED),
    ).toBeLessThan(-30);
    expect(errorDb(wavToMuLaw(extensible(wavOf('32f', 8000, tone), 3), 'x.wav'), EXPECTED)).toBeLessThan(-30);
  });

  it('skips chunks that it does not know, of odd length too', () => {
    const plain = wavOf('16', 8000, pcm16(tone));
    const unknown = Buffer.from('LIST\x03\0\0\0abc\0', 'latin1');
    const wav = Buffer.concat([plain.subarray(0, 12), unknown, plain.subarray(12)]);
    expect(wavToMuLaw(wav, 'list.wav')).toEqual(wavToMuLaw(plain, 'plain.wav'));
  });

  it.each([0, 0xffff_ffff])('reads to the end when a recorder left the size as %d', (size) => {
    const plain = wavOf('16', 8000, pcm16(tone));
    const wav = Buffer.from(plain);
    wav.writeUInt32LE(size, 40);
    expect(wavToMuLaw(wav, 'pipe.wav')).toEqual(wavToMuLaw(plain, 'plain.wav'));
  });

  it('takes the whole samples that are there when the file was cut off', () => {
    const plain = wavOf('16', 8000, pcm16(tone));
    const cut = wavToMuLaw(plain.subarray(0, 44 + 2 * 1000 + 1), 'cut.wav');
    expect(cut).toEqual(wavToMuLaw(plain, 'plain.wav').subarray(0, 1000));
  });

  it('keeps one sample that is not a number from spoiling the others', () => {
    const wav = wavOf('32f', 16_000, toneAt(16_000));
    wav.writeFloatLE(Number.NaN, wav.indexOf('data', 12, 'latin1') + 8 + 4 * 8000);
    const audio = wavToMuLaw(wav, 'nan.wav');
    expect(errorDb(audio.subarray(0, 3900), EXPECTED.subarray(0, 3900))).toBeLessThan(-30);
  });
});

describe('a file that cannot be used', () => {
  const plain = wavOf('16', 8000, pcm16(tone));
  const withHeader = (change: (wav: Buffer) => void): Buffer => {
    const wav = Buffer.from(plain);
    change(wav);
    return wav;
  };
  const stereo = wavOf('16', 8000, [pcm16(tone), pcm16(tone)], 2);
  const cases: [string, Buffer, RegExp][] = [
    ['is empty', Buffer.alloc(0), /the file is empty; a mono WAV file .* is needed/],
    [
      'is an MP3',
      Buffer.from('ID3\x04 not a wave file at all'),
      /this is not a WAV file; a mono WAV file .* is needed/,
    ],
    ['is big-endian', withHeader((wav) => wav.write('RIFX', 0)), /this is not a WAV file/],
    ['ends in its header', plain.subarray(0, 30), /header is broken \(no format\)/],
    ['ends before its audio', plain.subarray(0, 36), /holds no audio; give one that does/],
    ['holds no audio', plain.subarray(0, 44), /holds no audio/],
    [
      'has no channels',
      withHeader((wav) => wav.writeUInt16LE(0, 22)),
      /header is broken \(impossible numbers\)/,
    ],
    ['has samples of no bytes', withHeader((wav) => wav.writeUInt16LE(0, 32)), /header is broken/],
    ['has no rate', withHeader((wav) => wav.writeUInt32LE(0, 24)), /header is broken/],
    [
      'has a rate of 10 Hz',
      withHeader((wav) => wav.writeUInt32LE(10, 24)),
      /sample rate of 10 Hz; 1000 to 768000 Hz/,
    ],
    [
      'is ADPCM',
      withHeader((wav) => wav.writeUInt16LE(2, 20)),
      /cannot be read \(format 2, 2 bytes a sample\).*is needed/,
    ],
    ['is stereo', stereo, /has 2 channels, and one is needed.*--wav CUSTOMER.wav --wav-agent AGENT.wav/],
  ];

  it.each(cases)('that %s is refused with its name and what would be right', (_, wav, message) => {
    expect(() => wavToMuLaw(wav, 'given.wav')).toThrow(WavError);
    expect(() => wavToMuLaw(wav, 'given.wav')).toThrow(message);
    expect(() => wavToMuLaw(wav, 'given.wav')).toThrow(/^given\.wav: /);
  });

  it('that does not exist is refused by its path', () => {
    expect(() => readWavAsMuLaw('/no/such/file.wav')).toThrow(
      /^\/no\/such\/file\.wav: cannot be read \(ENOENT\)/,
    );
  });

  it('that is a folder is refused by its path', () => {
    expect(() => readWavAsMuLaw(tmpdir())).toThrow(/cannot be read \(EISDIR\)/);
  });
});

describe('a WAV file on disk', () => {
  it('is read', () => {
    const folder = mkdtempSync(join(tmpdir(), 'wav-test-'));
    try {
      const file = join(folder, 'tone.wav');
      writeFileSync(file, wavOf('16', 8000, pcm16(tone)));
      expect(readWavAsMuLaw(file)).toEqual(EXPECTED);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
