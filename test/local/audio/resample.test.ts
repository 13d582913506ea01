import { resample } from '../../../local/audio/resample';

interface Tone {
  readonly rateHz: number;
  readonly toneHz: number;
  readonly seconds?: number;
}

function tone({ rateHz, toneHz, seconds = 1 }: Tone): Float32Array {
  return Float32Array.from({ length: rateHz * seconds }, (_, n) =>
    Math.sin((2 * Math.PI * toneHz * n) / rateHz),
  );
}

/** Loudness in dB relative to a full tone, without the edges where the filter sees the ends. */
function levelDb(samples: Float32Array): number {
  const middle = samples.subarray(200, -200);
  const power = middle.reduce((sum, sample) => sum + sample * sample, 0) / middle.length;
  return 10 * Math.log10(2 * power + 1e-12);
}

const RATES = [48_000, 44_100, 32_000, 22_050, 16_000, 11_025];

describe('resampling to 8 kHz', () => {
  it.each(RATES)('keeps speech frequencies of %i Hz audio at their level and in their place', (rateHz) => {
    for (const toneHz of [300, 1000, 3400]) {
      const output = resample(tone({ rateHz, toneHz }), { fromHz: rateHz, toHz: 8000 });
      const expected = tone({ rateHz: 8000, toneHz });
      const difference = output.map((sample, n) => sample - (expected[n] ?? 0));
      expect(levelDb(difference)).toBeLessThan(-50);
    }
  });

  it.each(RATES)(
    'removes what %i Hz audio holds above 4.2 kHz instead of folding it into the voice',
    (rateHz) => {
      for (const toneHz of [4200, 5000, 7000].filter((hz) => hz < rateHz / 2)) {
        expect(levelDb(resample(tone({ rateHz, toneHz }), { fromHz: rateHz, toHz: 8000 }))).toBeLessThan(-60);
      }
    },
  );

  it('makes no new frequencies when the source is slower', () => {
    const output = resample(tone({ rateHz: 6000, toneHz: 1000 }), { fromHz: 6000, toHz: 8000 });
    const expected = tone({ rateHz: 8000, toneHz: 1000 });
    expect(levelDb(output.map((sample, n) => sample - (expected[n] ?? 0)))).toBeLessThan(-50);
  });

  it('keeps a steady level exactly', () => {
    const output = resample(new Float32Array(44_100).fill(0.5), { fromHz: 44_100, toHz: 8000 });
    for (const sample of output.subarray(100, -100)) expect(sample).toBeCloseTo(0.5, 5);
  });

  it('keeps the duration, for an odd rate too', () => {
    expect(resample(new Float32Array(48_000), { fromHz: 48_000, toHz: 8000 })).toHaveLength(8000);
    expect(resample(new Float32Array(44_099), { fromHz: 44_099, toHz: 8000 })).toHaveLength(8000);
    expect(resample(new Float32Array(1), { fromHz: 48_000, toHz: 8000 })).toHaveLength(1);
    expect(resample(new Float32Array(0), { fromHz: 48_000, toHz: 8000 })).toHaveLength(0);
  });

  it('leaves audio of the right rate alone', () => {
    const samples = tone({ rateHz: 8000, toneHz: 3900 });
    expect(resample(samples, { fromHz: 8000, toHz: 8000 })).toEqual(samples);
  });

  it.each([0, -8000, 8000.5, Number.NaN])('refuses a rate of %d', (fromHz) => {
    expect(() => resample(new Float32Array(8), { fromHz, toHz: 8000 })).toThrow(RangeError);
  });
});
