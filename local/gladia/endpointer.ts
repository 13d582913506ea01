import { muLawToLinear } from '../audio/mu-law';

/** Audio is judged in frames of this length. */
export const FRAME_MS = 20;
const BYTES_PER_MS = 8;
const FRAME_BYTES = FRAME_MS * BYTES_PER_MS;

/** Speech is what is louder than both: an absolute level, and the noise floor plus a distance (local-speech.md, VAD). */
const LOUD_DB = -50;
const ABOVE_FLOOR_DB = 10;
const FLOOR_START_DB = -65;
/** The floor follows a quieter frame quickly and a louder one slowly, so that speech does not raise it. */
const FLOOR_FALL = 0.2;
const FLOOR_RISE_DB = 0.03;

/** Speech starts when this many of the last frames are voiced: one click is not speech. */
const START_VOICED = 4;
const START_WINDOW = 5;
/** A forced cut is made at the quietest frame within this time. */
const CUT_WINDOW_MS = 2000;

const SQUARES = Float64Array.from({ length: 256 }, (_, byte) => (muLawToLinear(byte) / 32_768) ** 2);

export interface EndpointerOptions {
  /** Silence that ends an utterance, rounded up to whole frames. */
  readonly endpointingMs: number;
  /** An utterance that gets this long is cut at its quietest frame of the last two seconds. */
  readonly maximumUtteranceMs: number;
  /** Audio kept from before the first voiced frame. */
  readonly prerollMs?: number;
}

/** A stretch of speech with its audio, still open or ended. Times are milliseconds of the track's audio. */
export interface SpeechSegment {
  /** Counts from 0. */
  readonly number: number;
  /** First and end of the last voiced frame. */
  readonly startMs: number;
  readonly endMs: number;
  /** Where `frames` begin: up to the pre-roll before `startMs`. */
  readonly audioStartMs: number;
  readonly frames: readonly EndpointerFrame[];
}

export interface EndpointerFrame {
  readonly audio: Buffer;
  readonly levelDb: number;
  readonly voiced: boolean;
}

export interface EndpointerListener {
  speechStart(segment: SpeechSegment): void;
  /** After each frame of open speech. */
  speechContinues(segment: SpeechSegment): void;
  speechEnd(segment: SpeechSegment): void;
}

interface OpenSegment {
  number: number;
  startMs: number;
  endMs: number;
  audioStartMs: number;
  frames: EndpointerFrame[];
}

/**
 * Finds utterances in mu-law audio by energy with an adaptive noise floor. Pure: driven by the audio alone.
 */
export class Endpointer {
  readonly #listener: EndpointerListener;
  readonly #silentFramesToEnd: number;
  readonly #maximumUtteranceMs: number;
  readonly #prerollFrames: number;
  #remainder = Buffer.alloc(0);
  #framesSeen = 0;
  #floorDb = FLOOR_START_DB;
  /** The last frames before speech. */
  #recent: EndpointerFrame[] = [];
  #open: OpenSegment | undefined;
  #nextNumber = 0;

  constructor(options: EndpointerOptions, listener: EndpointerListener) {
    this.#listener = listener;
    this.#silentFramesToEnd = Math.max(1, Math.ceil(options.endpointingMs / FRAME_MS));
    this.#maximumUtteranceMs = Math.max(options.maximumUtteranceMs, 2 * FRAME_MS);
    this.#prerollFrames = Math.max(START_WINDOW, Math.ceil((options.prerollMs ?? 300) / FRAME_MS));
  }

  /** Audio judged so far, a multiple of the frame length. */
  get positionMs(): number {
    return this.#framesSeen * FRAME_MS;
  }

  /** Takes the next audio, any number of bytes; what does not fill a frame waits for more. */
  push(muLaw: Buffer): void {
    // A copy, because the frames are kept and the caller's buffer may be a slice of something large.
    const audio = Buffer.concat([this.#remainder, muLaw]);
    let offset = 0;
    for (; offset + FRAME_BYTES <= audio.length; offset += FRAME_BYTES) {
      this.#takeFrame(audio.subarray(offset, offset + FRAME_BYTES));
    }
    this.#remainder = audio.subarray(offset);
  }

  /** The audio is over: an open segment ends at its last voiced frame. */
  finish(): void {
    if (this.#open !== undefined) this.#end(this.#open);
  }

  #takeFrame(audio: Buffer): void {
    const levelDb = levelOf(audio);
    const voiced = levelDb > Math.max(LOUD_DB, this.#floorDb + ABOVE_FLOOR_DB);
    this.#followFloor(levelDb);
    this.#framesSeen += 1;
    const frame = { audio, levelDb, voiced };
    if (this.#open === undefined) this.#waitForSpeech(frame);
    else this.#continueSpeech(this.#open, frame);
  }

  #followFloor(levelDb: number): void {
    if (levelDb < this.#floorDb) this.#floorDb += (levelDb - this.#floorDb) * FLOOR_FALL;
    else this.#floorDb = Math.min(levelDb, this.#floorDb + FLOOR_RISE_DB);
  }

  #waitForSpeech(frame: EndpointerFrame): void {
    this.#recent.push(frame);
    if (this.#recent.length > this.#prerollFrames) this.#recent.shift();
    const window = this.#recent.slice(-START_WINDOW);
    if (window.filter((each) => each.voiced).length >= START_VOICED) this.#start(window);
  }

  #start(window: readonly EndpointerFrame[]): void {
    const windowStartMs = this.positionMs - window.length * FRAME_MS;
    const open: OpenSegment = {
      number: this.#nextNumber++,
      startMs: windowStartMs + window.findIndex((each) => each.voiced) * FRAME_MS,
      endMs: this.positionMs,
      audioStartMs: this.positionMs - this.#recent.length * FRAME_MS,
      frames: this.#recent,
    };
    this.#open = open;
    this.#recent = [];
    this.#listener.speechStart(open);
  }

  #continueSpeech(open: OpenSegment, frame: EndpointerFrame): void {
    open.frames.push(frame);
    if (frame.voiced) open.endMs = this.positionMs;
    const silentFrames = (this.positionMs - open.endMs) / FRAME_MS;
    if (silentFrames >= this.#silentFramesToEnd) this.#end(open);
    else if (this.positionMs - open.startMs >= this.#maximumUtteranceMs) this.#cut(open);
    else this.#listener.speechContinues(open);
  }

  #end(open: OpenSegment): void {
    this.#open = undefined;
    // The silence just heard is the pre-roll of whoever speaks next.
    this.#recent = trailingSilence(open.frames).slice(-this.#prerollFrames);
    this.#listener.speechEnd(open);
  }

  /** Ends the segment at its quietest recent frame; what comes after that frame is the next segment. */
  #cut(open: OpenSegment): void {
    const cutAt = quietestFrameIndex(open.frames, Math.min(CUT_WINDOW_MS, this.#maximumUtteranceMs / 2)) + 1;
    const cutMs = open.audioStartMs + cutAt * FRAME_MS;
    const kept = open.frames.slice(0, cutAt);
    const rest = open.frames.slice(cutAt);
    const endMs = open.audioStartMs + (kept.findLastIndex((each) => each.voiced) + 1) * FRAME_MS;
    this.#open = undefined;
    this.#listener.speechEnd({ ...open, endMs: Math.max(open.startMs, endMs), frames: kept });
    const firstVoiced = rest.findIndex((each) => each.voiced);
    if (firstVoiced < 0) {
      this.#recent = rest.slice(-this.#prerollFrames);
      return;
    }
    const next: OpenSegment = {
      number: this.#nextNumber++,
      startMs: cutMs + firstVoiced * FRAME_MS,
      endMs: open.endMs,
      audioStartMs: cutMs,
      frames: rest,
    };
    this.#open = next;
    this.#listener.speechStart(next);
  }
}

/** Level of mu-law audio in dB below full scale; digital silence gives -100. */
export function levelOf(muLaw: Uint8Array): number {
  let sum = 0;
  for (const byte of muLaw) sum += SQUARES[byte] ?? 0;
  return 10 * Math.log10(sum / Math.max(1, muLaw.length) + 1e-10);
}

function trailingSilence(frames: readonly EndpointerFrame[]): EndpointerFrame[] {
  return frames.slice(frames.findLastIndex((each) => each.voiced) + 1);
}

function quietestFrameIndex(frames: readonly EndpointerFrame[], withinMs: number): number {
  const first = Math.max(0, frames.length - Math.floor(withinMs / FRAME_MS));
  let quietest = first;
  for (let i = first; i < frames.length; i += 1) {
    if ((frames[i]?.levelDb ?? 0) < (frames[quietest]?.levelDb ?? 0)) quietest = i;
  }
  return quietest;
}
