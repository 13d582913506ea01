import { AcceptedAudio } from './accepted-audio';
import { AckQueue, type ByteRange } from './ack-queue';
import type { SessionFaults } from './faults';
import type { OutgoingMessage } from './session-outbox';

export interface SessionAudioOptions {
  readonly channels: number;
  readonly keep: 'everything' | 'digest';
  readonly faults: () => SessionFaults;
  /** Told of audio that is the session's for good, in order. */
  readonly onAccepted: (audio: Buffer) => void;
  readonly sendAck: (message: OutgoingMessage) => void;
}

/** A session's audio: what came, what was acked, what is kept (gladia-live.md, 3.2). */
export class SessionAudio {
  readonly accepted: AcceptedAudio;
  receivedBytes = 0;
  acks = 0;
  ackedBytes = 0;
  readonly #options: SessionAudioOptions;
  readonly #queue: AckQueue;
  /** Where the current connection began. */
  #connectionBase = 0;

  constructor(options: SessionAudioOptions) {
    this.#options = options;
    this.accepted = new AcceptedAudio(options.keep);
    this.#queue = new AckQueue({
      faults: options.faults,
      accept: (audio) => {
        this.accepted.append(audio);
        options.onAccepted(audio);
      },
      acknowledge: (range) => this.#acknowledge(range),
    });
  }

  get durationS(): number {
    return this.#secondsAt(this.accepted.length);
  }

  /** @param acknowledged false when the socket is about to be cut */
  take(audio: Buffer, acknowledged: boolean): void {
    if (acknowledged) this.#queue.push(audio);
    else this.#queue.hold(audio);
  }

  connect(): void {
    this.#connectionBase = this.#queue.position;
  }

  /** The socket is gone: what was not acked is counted or forgotten. */
  drop(): void {
    this.#queue.drop();
  }

  /** The recording is over, after the acks that are still due. */
  stop(): void {
    this.#queue.flush();
    this.#queue.settle();
  }

  #acknowledge({ start, end }: ByteRange): void {
    this.acks += 1;
    this.ackedBytes = end;
    const { ackInclusiveEnd, ackRelativeTo } = this.#options.faults();
    const base = ackRelativeTo === 'connection' ? this.#connectionBase : 0;
    const lastByte = ackInclusiveEnd && end > start ? end - 1 : end;
    const data = {
      byte_range: [start - base, lastByte - base],
      time_range: [this.#secondsAt(start), this.#secondsAt(end)],
    };
    this.#options.sendAck({ type: 'audio_chunk', acknowledged: true, error: null, data });
  }

  #secondsAt(bytes: number): number {
    return bytes / (8000 * this.#options.channels);
  }
}
