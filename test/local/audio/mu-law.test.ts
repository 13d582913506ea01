import { WaveFile } from 'wavefile';
import {
  aLawToLinear,
  decodeMuLaw,
  encodeMuLaw,
  linearToMuLaw,
  muLawToLinear,
} from '../../../local/audio/mu-law';

const ALL_BYTES = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));

function decodedByWavefile(bytes: Buffer, law: '8a' | '8m'): number[] {
  const wav = new WaveFile();
  wav.fromScratch(1, 8000, law, bytes);
  if (law === '8a') wav.fromALaw();
  else wav.fromMuLaw();
  return [...(wav.getSamples(false, Int16Array as never) as unknown as Int16Array)];
}

describe('mu-law', () => {
  it('decodes every byte as an independent library does', () => {
    expect([...decodeMuLaw(ALL_BYTES)]).toEqual(decodedByWavefile(ALL_BYTES, '8m'));
  });

  it('gives every byte back after decoding and encoding, but for the second zero', () => {
    const expected = Buffer.from(ALL_BYTES);
    expected[0x7f] = 0xff;
    expect(encodeMuLaw(decodeMuLaw(ALL_BYTES))).toEqual(expected);
  });

  it('encodes silence as 0xFF', () => {
    expect(linearToMuLaw(0)).toBe(0xff);
  });

  it('clips what is louder than 16 bit instead of wrapping round', () => {
    expect(linearToMuLaw(100_000)).toBe(0x80);
    expect(linearToMuLaw(-100_000)).toBe(0x00);
    expect(linearToMuLaw(-32_768)).toBe(0x00);
  });

  it('is never farther from the sample than half a step of its segment', () => {
    for (let sample = -32_635; sample <= 32_635; sample += 1) {
      const error = Math.abs(muLawToLinear(linearToMuLaw(sample)) - sample);
      expect(error).toBeLessThanOrEqual(Math.max(4, (Math.abs(sample) + 132) / 32));
    }
  });
});

describe('A-law', () => {
  it('decodes every byte as an independent library does', () => {
    expect([...ALL_BYTES].map(aLawToLinear)).toEqual(decodedByWavefile(ALL_BYTES, '8a'));
  });
});
