import { BYTES_PER_MS } from '../model/audio';
import {
  DURATION_SOURCES,
  type AcknowledgedRange,
  type DurationSource,
  type SessionGrant,
  type SpokenUtterance,
} from './speech-provider';
import { SessionTimeline } from './session-timeline';
import { Unacknowledged } from './unacknowledged';

/** Half a second of slack each way for what a service may round or pad, one second together (corrections to the design, 13). */
const DURATION_SLACK_MS = 1000;

/**
 * The books of one session of a leg, over all its sockets: what was sent, what the service has, what it said.
 * Positions are bytes of the leg's audio unless they are called session bytes.
 */
export class SpeechSession {
  readonly number: number;
  readonly grant: SessionGrant;
  readonly timeline: SessionTimeline;
  /** Next to be sent. */
  sentByte: number;
  /** The service has everything before. */
  ackedByte: number;
  /** Set once a later session takes over: leg audio from here on is that session's. */
  supersededAtByte = Infinity;
  /** The service was told, on some socket, that no more audio comes. */
  isStopped = false;
  readonly finals: SpokenUtterance[] = [];

  readonly #baseByte: number;
  readonly #bytesPerMs: number;
  readonly #unacknowledged = new Unacknowledged();
  readonly #utteranceIds = new Set<string>();
  readonly #durationsMs = new Map<DurationSource, number>();
  #ackedSessionBytes = 0;
  /** Bytes in flight when the last socket was lost: the service may have counted them, or not. */
  #inFlightAtCut = 0;
  /** A message sent after a resume whose ack tells what the service has. */
  #probeBytes = 0;
  #furthestSentByte: number;
  #countedTwiceBytes = 0;
  #resentBytes = 0;
  #skippedBytes = 0;

  constructor(options: { number: number; grant: SessionGrant; baseByte: number; bytesPerMs: number }) {
    this.number = options.number;
    this.grant = options.grant;
    this.#baseByte = options.baseByte;
    this.#bytesPerMs = options.bytesPerMs;
    this.timeline = new SessionTimeline(options.baseByte, options.bytesPerMs);
    this.sentByte = options.baseByte;
    this.ackedByte = options.baseByte;
    this.#furthestSentByte = options.baseByte;
  }

  /** The answer to one message decides how to go on; until then only that one may be sent. */
  get isProbing(): boolean {
    return this.#probeBytes > 0;
  }

  get mustProbe(): boolean {
    return this.#inFlightAtCut > 0 && this.#probeBytes === 0;
  }

  get resentBytes(): number {
    return this.#resentBytes;
  }

  /** A socket is open: sending goes on behind what is acknowledged. */
  beginSocket(): void {
    this.#inFlightAtCut = this.#unacknowledged.bytes;
    this.#unacknowledged.clear();
    this.#probeBytes = 0;
    this.sentByte = this.ackedByte;
  }

  /** Audio before `byte` is no longer there to be sent. */
  skipTo(byte: number): void {
    if (this.sentByte >= byte) return;
    this.#skippedBytes += Math.max(0, byte - Math.max(this.sentByte, this.#furthestSentByte));
    this.timeline.anchor(this.#ackedSessionBytes + this.#unacknowledged.bytes, byte);
    this.sentByte = byte;
  }

  sent(bytes: number): void {
    if (this.mustProbe) this.#probeBytes = bytes;
    this.sentByte += bytes;
    this.#resentBytes += Math.min(bytes, Math.max(0, this.#furthestSentByte - (this.sentByte - bytes)));
    this.#furthestSentByte = Math.max(this.#furthestSentByte, this.sentByte);
    this.#unacknowledged.sent(bytes, this.sentByte);
  }

  acknowledge(range: AcknowledgedRange): void {
    const acknowledged = this.#unacknowledged.acknowledge(range);
    if (acknowledged === undefined) return;
    if (this.isProbing) this.#readProbe(range, acknowledged.toByte - acknowledged.bytes);
    this.#ackedSessionBytes += acknowledged.bytes;
    this.ackedByte = Math.max(this.ackedByte, acknowledged.toByte);
  }

  /** No ack for the probe: take it that the service has only what it acknowledged. */
  endProbe(): void {
    this.#probeBytes = 0;
    this.#inFlightAtCut = 0;
  }

  /** @returns false for a final that came before */
  addFinal(utteranceId: string, utterance: SpokenUtterance): boolean {
    if (this.#utteranceIds.has(utteranceId)) return false;
    this.#utteranceIds.add(utteranceId);
    this.finals.push(utterance);
    return true;
  }

  /** Whether a final of the same channel covers most of an utterance. */
  hasFinalLike(utterance: SpokenUtterance): boolean {
    return this.finals.some((final) => {
      const shared = Math.min(final.endMs, utterance.endMs) - Math.max(final.startMs, utterance.startMs);
      const shorter = Math.min(final.endMs - final.startMs, utterance.endMs - utterance.startMs);
      return final.channel === utterance.channel && shared >= shorter / 2;
    });
  }

  reportDuration(source: DurationSource, durationMs: number): void {
    this.#durationsMs.set(source, durationMs);
  }

  /** Whether the length that the service reports is that of the audio sent; `undefined` when it reports none. */
  get isWholeByDuration(): boolean | undefined {
    const reportedMs = DURATION_SOURCES.map((source) => this.#durationsMs.get(source)).findLast(
      (ms) => ms !== undefined,
    );
    if (reportedMs === undefined) return undefined;
    const onceMs =
      (this.#furthestSentByte - this.#baseByte - this.#skippedBytes + this.#countedTwiceBytes) /
      this.#bytesPerMs;
    const resentMs = this.#resentBytes / this.#bytesPerMs;
    return reportedMs >= onceMs - DURATION_SLACK_MS && reportedMs <= onceMs + resentMs + DURATION_SLACK_MS;
  }

  /**
   * The first ack after a resume tells where the service stands. If that is further than the probe alone would bring
   * it, it has kept bytes in flight at the cut: they need not be sent again, and the probe lies in it twice
   * (gladia-live.md, 4.4: UNKNOWN, so both must work). An offset that fits neither says nothing; then everything is
   * sent again.
   */
  #readProbe(range: AcknowledgedRange, probeFromByte: number): void {
    const probeBytes = this.#probeBytes;
    const keptBytes = this.#keptBytes(range);
    if (keptBytes > 0 && keptBytes <= this.#inFlightAtCut) {
      const probeAt = this.#ackedSessionBytes + keptBytes;
      const resumeByte = probeFromByte + Math.max(keptBytes, probeBytes);
      this.#countedTwiceBytes += Math.min(keptBytes, probeBytes);
      this.timeline.anchor(probeAt, probeFromByte);
      this.timeline.anchor(probeAt + probeBytes, resumeByte);
      this.#ackedSessionBytes = probeAt;
      this.sentByte = resumeByte;
      this.ackedByte = resumeByte;
    }
    this.endProbe();
  }

  /** The range is the probe's own, or runs from the last ack over what was kept to the probe's end. */
  #keptBytes(range: AcknowledgedRange): number {
    const byStart = range.fromByte - this.#ackedSessionBytes;
    const byEnd = range.toByte - this.#probeBytes - this.#ackedSessionBytes;
    // By one only: this range names its last byte, not the one after it.
    if (byEnd - byStart <= 1) return byStart;
    return byEnd + (byEnd % (this.#bytesPerMs / BYTES_PER_MS));
  }
}
