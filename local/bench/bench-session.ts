import type { Duplex } from 'node:stream';
import { SAID, transcriptMessage } from './bench-transcripts';
import { FRAME_BYTES, TAG_BYTES, type FrameTimes } from './frame-tags';
import {
  ClientFrames,
  OPCODES,
  payloadByte,
  payloadOf,
  serverFrame,
  type ClientFrame,
} from './web-socket-frames';

export interface BenchSessionOptions {
  readonly id: string;
  readonly channels: number;
  readonly times: FrameTimes;
}

/** Once for all sessions: the time of day is no part of what is measured. */
const CREATED_AT = new Date().toISOString();
const FINAL_EVERY = SAID.partialsPerSecond * SAID.secondsPerFinal;

/** One session of the bench's speech server: counts and times the audio, acknowledges it, says something now and then. */
export class BenchSession {
  readonly id: string;
  /** Of audio, so far. */
  receivedBytes = 0;
  /** Frames that did not lie where they should. */
  misplacedFrames = 0;
  readonly #channels: number;
  readonly #frameBytes: number;
  readonly #times: FrameTimes;
  #socket: Duplex | undefined;
  #callerIndex: number | undefined;
  #answers: Buffer[] = [];
  #turns = 0;
  #finals = 0;
  #finalEnd = 0;

  constructor({ id, channels, times }: BenchSessionOptions) {
    this.id = id;
    this.#channels = channels;
    this.#frameBytes = FRAME_BYTES * channels;
    this.#times = times;
  }

  get seconds(): number {
    return this.receivedBytes / (8_000 * this.#channels);
  }

  take(socket: Duplex, head: Buffer): void {
    this.#socket = socket;
    const frames = new ClientFrames((frame) => this.#onFrame(frame));
    const read = (piece: Buffer): void => {
      frames.push(piece);
      this.#answer();
    };
    socket.on('error', () => socket.destroy());
    socket.on('data', read);
    socket.on('end', () => socket.end());
    socket.on('close', () => (this.#socket = undefined));
    if (head.length > 0) read(head);
  }

  /** Called `partialsPerSecond` times a second: one message for each channel. */
  say(): void {
    if (this.#socket === undefined || this.receivedBytes === 0) return;
    this.#turns += 1;
    const isFinal = this.#turns % FINAL_EVERY === 0;
    for (let channel = 0; channel < this.#channels; channel += 1) this.#transcript(channel, isFinal);
    if (isFinal) {
      this.#finals += 1;
      this.#finalEnd = this.seconds;
    }
    this.#answer();
  }

  #transcript(channel: number, isFinal: boolean): void {
    const said = transcriptMessage({
      sessionId: this.id,
      createdAt: CREATED_AT,
      channel,
      number: this.#finals,
      isFinal,
      start: this.#finalEnd,
      end: this.seconds,
    });
    this.#answers.push(serverFrame(OPCODES.text, said));
  }

  #onFrame(frame: ClientFrame): void {
    if (frame.opcode === OPCODES.binary) this.#onAudio(frame);
    else if (frame.opcode === OPCODES.text) this.#onStop();
    else if (frame.opcode === OPCODES.ping) this.#answers.push(serverFrame(OPCODES.pong, payloadOf(frame)));
    else if (frame.opcode === OPCODES.close) {
      this.#answers.push(serverFrame(OPCODES.close, Buffer.from([0x03, 0xe8])));
      this.#answer();
      this.#socket?.end();
    }
  }

  #onAudio(frame: ClientFrame): void {
    const nowMs = performance.now();
    const fromByte = this.receivedBytes;
    const toByte = fromByte + frame.to - frame.from;
    this.receivedBytes = toByte;
    const first = Math.ceil(fromByte / this.#frameBytes);
    const end = Math.floor(toByte / this.#frameBytes);
    for (let number = first; number < end; number += 1)
      this.#onWholeFrame(frame, number, number * this.#frameBytes - fromByte, number === end - 1, nowMs);
    const range = `[${fromByte},${toByte}]`;
    const bytesPerSecond = 8_000 * this.#channels;
    this.#answers.push(
      serverFrame(
        OPCODES.text,
        `{"session_id":"${this.id}","created_at":"${CREATED_AT}","type":"audio_chunk","acknowledged":true,"error":null,"data":{"byte_range":${range},"time_range":[${fromByte / bytesPerSecond},${toByte / bytesPerSecond}]}}`,
      ),
    );
  }

  /** Timed is the frame that completes a message: the others of a chunk wait for it on purpose. */
  #onWholeFrame(frame: ClientFrame, number: number, at: number, isLast: boolean, nowMs: number): void {
    const byte = (index: number): number => payloadByte(frame, at + index * this.#channels);
    const caller = byte(0) * 0x100 + byte(1);
    let tagged = 0;
    for (let i = 2; i < TAG_BYTES; i += 1) tagged = tagged * 0x100 + byte(i);
    this.#callerIndex ??= caller;
    if (caller !== this.#callerIndex || tagged !== number) this.misplacedFrames += 1;
    else if (isLast) this.#times.arrived(caller, number, nowMs);
  }

  #onStop(): void {
    this.#answers.push(
      serverFrame(
        OPCODES.text,
        `{"session_id":"${this.id}","created_at":"${CREATED_AT}","type":"stop_recording","acknowledged":true,"error":null,"data":{"recording_duration":${this.seconds},"recording_left_to_process":0}}`,
      ),
      serverFrame(OPCODES.close, Buffer.from([0x03, 0xe8])),
    );
  }

  #answer(): void {
    if (this.#answers.length === 0) return;
    const [only] = this.#answers;
    this.#socket?.write(
      this.#answers.length === 1 && only !== undefined ? only : Buffer.concat(this.#answers),
    );
    this.#answers = [];
  }
}
