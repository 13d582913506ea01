/**
 * G.711 companding by table: Twilio's mu-law, and A-law because phone recordings come in both.
 * Linear samples are signed 16 bit.
 */

const BIAS = 0x84;
const CLIP = 32_635;

const MU_LAW_TO_LINEAR = Int16Array.from({ length: 256 }, (_, byte) => expandMuLaw(byte));
const A_LAW_TO_LINEAR = Int16Array.from({ length: 256 }, (_, byte) => expandALaw(byte));
/** Indexed by the sample as an unsigned 16 bit number. */
const LINEAR_TO_MU_LAW = Uint8Array.from({ length: 65_536 }, (_, index) =>
  compressMuLaw((index << 16) >> 16),
);

/** One mu-law byte as a linear sample, -32124 to 32124. */
export function muLawToLinear(byte: number): number {
  return MU_LAW_TO_LINEAR[byte & 0xff] ?? 0;
}

/** One A-law byte as a linear sample, -32256 to 32256. */
export function aLawToLinear(byte: number): number {
  return A_LAW_TO_LINEAR[byte & 0xff] ?? 0;
}

/** A linear sample as a mu-law byte. Fractions are rounded, what is outside of 16 bit is clipped; 0 gives 0xFF. */
export function linearToMuLaw(sample: number): number {
  const clipped = Math.max(-32_768, Math.min(32_767, Math.round(sample)));
  return LINEAR_TO_MU_LAW[clipped & 0xffff] ?? 0xff;
}

/** Linear samples (16 bit range, fractions allowed) as mu-law bytes. */
export function encodeMuLaw(samples: ArrayLike<number>): Buffer {
  const bytes = Buffer.alloc(samples.length);
  for (let i = 0; i < samples.length; i += 1) bytes[i] = linearToMuLaw(samples[i] ?? 0);
  return bytes;
}

/** mu-law bytes as linear 16 bit samples. */
export function decodeMuLaw(bytes: Uint8Array): Int16Array {
  return Int16Array.from(bytes, muLawToLinear);
}

function expandMuLaw(byte: number): number {
  const inverted = ~byte & 0xff;
  const exponent = (inverted >> 4) & 0x07;
  const magnitude = ((((inverted & 0x0f) << 3) + BIAS) << exponent) - BIAS;
  return inverted & 0x80 ? -magnitude : magnitude;
}

function expandALaw(byte: number): number {
  const toggled = byte ^ 0x55;
  const exponent = (toggled >> 4) & 0x07;
  const mantissa = ((toggled & 0x0f) << 4) + 8;
  const magnitude = exponent === 0 ? mantissa : (mantissa + 0x100) << (exponent - 1);
  return toggled & 0x80 ? magnitude : -magnitude;
}

function compressMuLaw(sample: number): number {
  const magnitude = Math.min(Math.abs(sample), CLIP) + BIAS;
  // The bias makes the magnitude at least 132, so the highest set bit is bit 7 to 14.
  const exponent = 24 - Math.clz32(magnitude);
  const mantissa = (magnitude >> (exponent + 3)) & 0x0f;
  const sign = sample < 0 ? 0x80 : 0;
  return ~(sign | (exponent << 4) | mantissa) & 0xff;
}
