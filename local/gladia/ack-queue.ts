import type { SessionFaults } from './faults';

/** A range of the audio, in bytes, exclusive end. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

export interface AckQueueOptions {
  /** Read for each frame, because faults change while calls run. */
  readonly faults: () => SessionFaults;
  /** Audio that is the session's for good, in order. */
  readonly accept: (audio: Buffer) => void;
  /** Time to send an ack. */
  readonly acknowledge: (range: ByteRange) => void;
}

interface PendingFrame {
  readonly audio: Buffer;
  readonly range: ByteRange;
  accepted: boolean;
}

/**
 * Received audio between its arrival and its ack. Without faults both are one moment. Holds what is not acked until it
 * is, until the recording stops, or until the socket drops: then it is accepted or forgotten, as the fault says.
 */
export class AckQueue {
  readonly #options: AckQueueOptions;
  #pending: PendingFrame[] = [];
  #position = 0;
  #acks = 0;
  readonly #timers = new Set<NodeJS.Timeout>();

  constructor(options: AckQueueOptions) {
    this.#options = options;
  }

  /** Bytes taken in so far, over all connections; goes back when unacked bytes are forgotten. */
  get position(): number {
    return this.#position;
  }

  /** Takes a frame; its ack is given now, later or never. */
  push(audio: Buffer): void {
    const faults = this.#options.faults();
    const frame = this.#take(audio, faults);
    if (this.#pending.length < faults.ackCoalesce && faults.ackCoalesce > 1) return;
    if (faults.ackDelayMs > 0) this.#later(frame, faults.ackDelayMs);
    else this.#acknowledge(frame, faults);
  }

  /** Takes a frame that gets no ack of its own, because the socket is about to be cut. */
  hold(audio: Buffer): void {
    this.#take(audio, this.#options.faults());
  }

  /** Acknowledges what waits. */
  flush(): void {
    const last = this.#pending.at(-1);
    if (last !== undefined) this.#acknowledge(last, this.#options.faults());
  }

  /** The recording is over: what is still waiting, because its ack was dropped, counts as received. */
  settle(): void {
    this.#clearTimers();
    for (const frame of this.#pending) this.#accept(frame);
    this.#pending = [];
  }

  /** The socket is gone: what waits is accepted or forgotten. */
  drop(): void {
    if (this.#options.faults().unackedOnDrop === 'counted') {
      this.settle();
      return;
    }
    this.#clearTimers();
    const forgotten = this.#pending.find((frame) => !frame.accepted);
    if (forgotten !== undefined) this.#position = forgotten.range.start;
    this.#pending = [];
  }

  #take(audio: Buffer, faults: SessionFaults): PendingFrame {
    const range = { start: this.#position, end: this.#position + audio.length };
    this.#position = range.end;
    const frame: PendingFrame = { audio, range, accepted: false };
    this.#pending.push(frame);
    if (faults.unackedOnDrop === 'counted') this.#accept(frame);
    return frame;
  }

  #later(frame: PendingFrame, delayMs: number): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      if (this.#pending.includes(frame)) this.#acknowledge(frame, this.#options.faults());
    }, delayMs);
    this.#timers.add(timer);
  }

  /** Acks the frame and, in coalesced mode, the ones that wait before it. */
  #acknowledge(frame: PendingFrame, faults: SessionFaults): void {
    this.#acks += 1;
    if (faults.ackDropEvery > 0 && this.#acks % faults.ackDropEvery === 0) return;
    const done = this.#pending.splice(0, this.#pending.indexOf(frame) + 1);
    for (const each of done) this.#accept(each);
    const first = faults.ackCoalesce > 1 ? done[0] : frame;
    this.#options.acknowledge({ start: (first ?? frame).range.start, end: frame.range.end });
  }

  #accept(frame: PendingFrame): void {
    if (frame.accepted) return;
    frame.accepted = true;
    this.#options.accept(frame.audio);
  }

  #clearTimers(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
  }
}
