import type { Duplex } from 'node:stream';
import { FRAME_BYTES, TAG_BYTES, type FrameTimes } from './frame-tags';
import { ClientFrames, OPCODES, payloadByte, serverFrame, type ClientFrame } from './web-socket-frames';

/** What follows a payload in a media message: `"},"streamSid":"MZ..."}`. */
const TAIL_CHARACTERS = 16 + 34 + 2;
const PAYLOAD_CHARACTERS = Buffer.alloc(FRAME_BYTES).toString('base64').length;
const TAG_CHARACTERS = (TAG_BYTES / 3) * 4;
/** `{"event":"media"`: no other message of the bench has an m there. */
const EVENT_AT = 10;
const M = 'm'.charCodeAt(0);
const ACKNOWLEDGMENT = serverFrame(
  OPCODES.text,
  '{"session_id":"00000000-0000-0000-0000-000000000000","created_at":"2026-01-01T00:00:00.000Z","type":"audio_chunk","acknowledged":true,"error":null,"data":{"byte_range":[102400,102560],"time_range":[12.8,12.82]}}',
);

/** The end of a caller's own connection, when a pass-through is measured: times its frames and acknowledges each. */
export class PassedMedia {
  /** Of audio, so far. */
  receivedBytes = 0;
  readonly #times: FrameTimes;
  #answers: Buffer[] = [];

  constructor(times: FrameTimes) {
    this.#times = times;
  }

  take(socket: Duplex, head: Buffer): void {
    const frames = new ClientFrames((frame) => this.#onFrame(frame));
    const read = (piece: Buffer): void => {
      frames.push(piece);
      if (this.#answers.length > 0) socket.write(Buffer.concat(this.#answers));
      this.#answers = [];
    };
    socket.on('error', () => socket.destroy());
    socket.on('data', read);
    socket.on('end', () => socket.end());
    if (head.length > 0) read(head);
  }

  #onFrame(frame: ClientFrame): void {
    if (frame.opcode !== OPCODES.text || payloadByte(frame, EVENT_AT) !== M) return;
    const at = frame.to - frame.from - TAIL_CHARACTERS - PAYLOAD_CHARACTERS;
    const codes = Array.from({ length: TAG_CHARACTERS }, (_, i) => payloadByte(frame, at + i));
    const tag = Buffer.from(String.fromCharCode(...codes), 'base64');
    this.receivedBytes += FRAME_BYTES;
    this.#times.arrived(tag.readUInt16BE(0), tag.readUInt32BE(2), performance.now());
    this.#answers.push(ACKNOWLEDGMENT);
  }
}
