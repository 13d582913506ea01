import { BYTES_PER_MS } from '../model/audio';

/** Audio is judged in frames of this length, and those in blocks. */
const FRAME_MS = 20;
const FRAME_SAMPLES = FRAME_MS * BYTES_PER_MS;
const BLOCK_FRAMES = 100;
export const BLOCK_MS = BLOCK_FRAMES * FRAME_MS;

/** Mean magnitude of 16-bit samples: about -45 dB of full scale, and -58 dB. */
const LOUD = 180;
const SILENT = 40;
/** Against the loudest frame around: 15 dB below, and 18 dB below for a pause. */
const DIP = 0.18;
const PAUSE = 0.125;
/** The loudest frame is forgotten by half in three seconds. */
const PEAK_DECAY = 0.9955;

/** Speech is loud for this share of a block, dips between syllables, and its pitch does not stand still. */
const LEAST_LOUD_FRAMES = 20;
const LEAST_DIPS = 12;
const LEAST_UNSTEADY_SHARE = 0.35;
/** Of the level of the frame before. */
const RIPPLE = 0.3;
/** Turning points of the waveform, from frame to frame: a held tone has as many in each. */
const UNSTEADY_TURNS = 3;

const LINEAR = Int16Array.from({ length: 256 }, (_, byte) => toLinear(byte));

/**
 * Tells speech from silence, tones and music by how it comes and goes, without a model: in a track that speaks, loud
 * frames alternate with dips, and the waveform is never the same for long. Held notes are steady, a band has no dips.
 * Cheap, no allocation: one pass over the samples; but it need only run while somebody wants to know.
 */
export class SpeechDetector {
  readonly #channels: readonly ChannelDetector[];

  constructor(channels: number) {
    this.#channels = Array.from({ length: channels }, () => new ChannelDetector());
  }

  /** Of the channel that has most, in ms of audio since the last `reset`. In whole blocks. */
  get speechMs(): number {
    let ms = 0;
    for (const { speechBlocks } of this.#channels) ms = Math.max(ms, speechBlocks * BLOCK_MS);
    return ms;
  }

  /** For how long all channels have been quiet, up to the last frame, in ms of audio since the last `reset`. */
  get quietMs(): number {
    let frames = Infinity;
    for (const { quietFrames } of this.#channels) frames = Math.min(frames, quietFrames);
    return frames * FRAME_MS;
  }

  /** @param audio whole samples of all channels, interleaved */
  push(audio: Buffer): void {
    const step = this.#channels.length;
    for (let channel = 0; channel < step; channel += 1) this.#channels[channel]?.push(audio, channel, step);
  }

  /** What was heard so far does not count any more. */
  reset(): void {
    for (const channel of this.#channels) channel.reset();
  }
}

class ChannelDetector {
  speechBlocks = 0;
  quietFrames = 0;
  readonly #levels = new Float64Array(BLOCK_FRAMES);
  #samples = 0;
  #sum = 0;
  #turns = 0;
  /** Furthest sample since the last turn. */
  #extreme = 0;
  #ripple = 0;
  #isRising = false;
  #peak = 0;
  /** Of the block so far. */
  #frames = 0;
  #loudest = 0;
  #loudFrames = 0;
  #loudPairs = 0;
  #unsteadyPairs = 0;
  /** Of the frame before, if that was loud. */
  #turnsBefore = -1;

  push(audio: Buffer, channel: number, step: number): void {
    for (let from = channel; from < audio.length;) {
      const to = Math.min(audio.length, from + (FRAME_SAMPLES - this.#samples) * step);
      this.#read(audio, { from, to, step });
      from += Math.ceil((to - from) / step) * step;
      if (this.#samples === FRAME_SAMPLES) this.#endFrame();
    }
  }

  reset(): void {
    this.speechBlocks = 0;
    this.quietFrames = 0;
    this.#beginBlock();
  }

  /**
   * Adds up loudness, and counts where the waveform turns, but for ripples: overtones and mu-law's steps turn everywhere.
   * Local variables: this runs for every sample.
   */
  #read(audio: Buffer, { from, to, step }: { from: number; to: number; step: number }): void {
    const ripple = this.#ripple;
    let sum = this.#sum;
    let turns = this.#turns;
    let extreme = this.#extreme;
    let isRising = this.#isRising;
    for (let i = from; i < to; i += step) {
      const sample = LINEAR[audio[i] ?? 0] ?? 0;
      sum += sample < 0 ? -sample : sample;
      if (isRising ? sample > extreme : sample < extreme) extreme = sample;
      else if (isRising ? extreme - sample > ripple : sample - extreme > ripple) {
        turns += 1;
        isRising = !isRising;
        extreme = sample;
      }
    }
    this.#samples += Math.ceil((to - from) / step);
    this.#sum = sum;
    this.#turns = turns;
    this.#extreme = extreme;
    this.#isRising = isRising;
  }

  #endFrame(): void {
    const level = this.#sum / FRAME_SAMPLES;
    this.#ripple = level * RIPPLE;
    this.#peak = Math.max(level, this.#peak * PEAK_DECAY);
    const isQuiet = level < SILENT || (level < LOUD && level < this.#peak * PAUSE);
    this.quietFrames = isQuiet ? this.quietFrames + 1 : 0;
    this.#levels[this.#frames] = level;
    this.#frames += 1;
    this.#loudest = Math.max(this.#loudest, level);
    this.#judgePair(level >= LOUD);
    this.#samples = 0;
    this.#sum = 0;
    this.#turns = 0;
    if (this.#frames === BLOCK_FRAMES) this.#endBlock();
  }

  #judgePair(isLoud: boolean): void {
    if (isLoud) {
      this.#loudFrames += 1;
      if (this.#turnsBefore >= 0) {
        this.#loudPairs += 1;
        if (Math.abs(this.#turns - this.#turnsBefore) >= UNSTEADY_TURNS) this.#unsteadyPairs += 1;
      }
    }
    this.#turnsBefore = isLoud ? this.#turns : -1;
  }

  #endBlock(): void {
    let dips = 0;
    for (const level of this.#levels) if (level < this.#loudest * DIP) dips += 1;
    const isUnsteady = this.#unsteadyPairs >= this.#loudPairs * LEAST_UNSTEADY_SHARE;
    if (this.#loudFrames >= LEAST_LOUD_FRAMES && dips >= LEAST_DIPS && isUnsteady) this.speechBlocks += 1;
    this.#beginBlock();
  }

  #beginBlock(): void {
    this.#frames = 0;
    this.#loudest = 0;
    this.#loudFrames = 0;
    this.#loudPairs = 0;
    this.#unsteadyPairs = 0;
  }
}

/** One mu-law byte as a 16-bit sample (ITU-T G.711). */
function toLinear(byte: number): number {
  const code = ~byte & 0xff;
  const magnitude = (((code & 0x0f) << 3) + 0x84) << ((code >> 4) & 0x07);
  return (code & 0x80) === 0 ? magnitude - 0x84 : 0x84 - magnitude;
}
