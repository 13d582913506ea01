import { BYTES_PER_MS } from '../model/audio';
import {
  DURATION_SOURCES,
  type AcknowledgedRange,
  type DurationSource,
  type SessionGrant,
  type SessionResult,
} from './speech-provider';
import type { Fate } from './audio-account';
import { SessionTimeline } from './session-timeline';
import { Unacknowledged } from './unacknowledged';

/** Half a second of slack each way for what a service may round or pad, one second together (corrections to the design, 13). */
const DURATION_SLACK_MS = 1000;
/** Seconds times 1000 times bytes may fall short of a whole number by this much. */
const ROUNDING = 1e-3;

/**
 * The books of one session of a leg, over all its sockets: what was sent, what the service has, what it said.
 * Positions are bytes of the leg's audio unless they are called session bytes.
 */
export class SpeechSession {
  // What each frame and each acknowledgment reads comes first, so that it lies together.
  /** Next to be sent. */
  sentByte = 0;
  #furthestSentByte = 0;
  /** A message sent after a resume whose ack tells what the service has. */
  #probeBytes = 0;
  #isProbeDue = false;
  #resentBytes = 0;
  /** The service has everything before. */
  ackedByte = 0;
  #ackedSessionBytes = 0;
  /** In flight when sockets were lost: until the next ack tells, the service may have kept them, or not. */
  #inDoubtBytes = 0;
  /** The service has acknowledged or said something, ever. */
  hasAnswered = false;
  /** It has acknowledged audio, ever: not every service may. */
  hasAcknowledged = false;
  readonly #unacknowledged = new Unacknowledged();
  /** Of what it acknowledges; the same for every ack. */
  readonly fateInTime: Fate;
  readonly fateLate: Fate;
  readonly number: number;
  readonly grant: SessionGrant;
  /** Where it begins. */
  readonly baseByte: number;
  readonly timeline: SessionTimeline;
  /** What comes before is another session's for good: it was handed on in a pause. */
  floorByte = 0;
  /** Leg audio from here on is a later session's. */
  supersededAtByte = Infinity;
  /** The service was told, on some socket, that no more audio comes. */
  isStopped = false;
  /** Nothing more is sent or heard; its final result is all that is left. */
  isOver = false;
  /** Text came of audio that it has not acknowledged: its acks do not tell what it has, now or later. */
  hasUnacknowledgedText = false;
  /** Its summary was told. */
  hasSummary = false;
  /** Resolves when it is known which part of the leg is this session's. */
  readonly extent: Promise<void>;
  #resolveExtent: () => void = () => undefined;

  readonly #bytesPerMs: number;
  /** Finals by id, and whether each repeats an earlier session's. */
  readonly #utterances = new Map<string, boolean>();
  readonly #durationsMs = new Map<DurationSource, number>();
  /** Of what is in doubt, sent again after an earlier loss: if the service kept these, it has them twice. */
  #inDoubtAgainBytes = 0;
  /** What was said of this audio proves that the service has it, acknowledged or not. */
  #heardByte: number;
  #countedTwiceBytes = 0;
  /** As many more, or fewer, or none: an ack told of them that may have been about another message. */
  #perhapsTwiceBytes = 0;
  #skippedBytes = 0;

  constructor(options: { number: number; grant: SessionGrant; baseByte: number; bytesPerMs: number }) {
    this.number = options.number;
    this.grant = options.grant;
    this.baseByte = options.baseByte;
    this.fateInTime = { kind: 'acknowledged', session: options.number };
    this.fateLate = { kind: 'acknowledged-late', session: options.number };
    this.#bytesPerMs = options.bytesPerMs;
    this.timeline = new SessionTimeline(options.baseByte, options.bytesPerMs);
    this.sentByte = options.baseByte;
    this.ackedByte = options.baseByte;
    this.#furthestSentByte = options.baseByte;
    this.#heardByte = options.baseByte;
    this.extent = new Promise((resolve) => (this.#resolveExtent = resolve));
  }

  /** Leg audio from `byte` on is another session's; `Infinity` when there is none. */
  endExtent(byte: number): void {
    this.supersededAtByte = byte;
    this.#resolveExtent();
  }

  /** The answer to one message decides how to go on; until then only that one may be sent. */
  get isProbing(): boolean {
    return this.#probeBytes > 0;
  }

  get mustProbe(): boolean {
    return this.#isProbeDue && this.#probeBytes === 0;
  }

  /** The service has some audio twice, or may have, and may say what is in it twice. */
  get hasRepeats(): boolean {
    return this.#countedTwiceBytes + this.#perhapsTwiceBytes > 0;
  }

  /** On any socket: `sentByte` goes back when one is lost. */
  get furthestSentByte(): number {
    return this.#furthestSentByte;
  }

  /**
   * The service has everything before: it has acknowledged it, or, where acks do not tell, turned it into text. Text may
   * be ahead of acks that are on their way: then the session is resumed behind the last one all the same.
   */
  get knownByte(): number {
    return this.hasUnacknowledgedText ? Math.max(this.ackedByte, this.#heardByte) : this.ackedByte;
  }

  get isSuperseded(): boolean {
    return this.supersededAtByte !== Infinity;
  }

  get isAllAcknowledged(): boolean {
    return this.#unacknowledged.isEmpty;
  }

  get resentBytes(): number {
    return this.#resentBytes;
  }

  /** A socket is open: sending goes on behind what is acknowledged. */
  beginSocket(): void {
    const inFlightBytes = this.#unacknowledged.bytes;
    // A socket that was lost before its first ack has told nothing: the doubt about the one before it stays.
    if (this.#inDoubtBytes > 0) this.#inDoubtAgainBytes += inFlightBytes;
    this.#inDoubtBytes += inFlightBytes;
    this.#isProbeDue = this.#inDoubtBytes > 0;
    this.#unacknowledged.clear();
    this.#probeBytes = 0;
    // An ack may end inside a sample; sending from there would swap the channels.
    this.sentByte = this.ackedByte - (this.ackedByte % this.#sampleBytes);
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
    const againBytes = this.#furthestSentByte - this.sentByte;
    if (againBytes > 0) this.#resentBytes += Math.min(bytes, againBytes);
    this.sentByte += bytes;
    if (this.sentByte > this.#furthestSentByte) this.#furthestSentByte = this.sentByte;
    this.#unacknowledged.sent(bytes, this.sentByte);
  }

  acknowledge(range: AcknowledgedRange): void {
    const acknowledged = this.#unacknowledged.acknowledge(this.#withMissed(range));
    if (acknowledged === undefined) return;
    this.hasAcknowledged = true;
    if (this.#inDoubtBytes > 0) this.#readStanding(range, acknowledged.toByte - acknowledged.bytes);
    this.#ackedSessionBytes += acknowledged.bytes;
    if (acknowledged.toByte > this.ackedByte) this.ackedByte = acknowledged.toByte;
  }

  /** No ack for the probe: everything is sent again. What the service has, a later ack may still tell. */
  endProbe(): void {
    this.#probeBytes = 0;
    this.#isProbeDue = false;
  }

  /** Text came that ends here. While the service may have audio twice, nobody knows where that is. */
  noteHeard(byte: number): void {
    if (this.#inDoubtBytes > 0) return;
    const wholeByte = Math.floor(Math.min(byte, this.#furthestSentByte));
    this.#heardByte = Math.max(this.#heardByte, wholeByte - (wholeByte % this.#sampleBytes));
  }

  /** @returns false for a final that came before */
  addFinal(utteranceId: string, isRepeat: boolean): boolean {
    if (this.#utterances.has(utteranceId)) return false;
    this.#utterances.set(utteranceId, isRepeat);
    return true;
  }

  /** A final whose words an earlier one has: what is said about it is said already. */
  isRepeat(utteranceId: string): boolean {
    return this.#utterances.get(utteranceId) === true;
  }

  reportDuration(source: DurationSource, durationMs: number): void {
    this.#durationsMs.set(source, durationMs);
  }

  noteResult(result: SessionResult | undefined): void {
    const audioSeconds = result?.facts.audioSeconds;
    if (audioSeconds !== undefined) this.reportDuration('metadata.audio_duration', audioSeconds * 1000);
  }

  /**
   * Whether the length that the service reports is that of the audio sent; `undefined` when it reports none, or one that
   * could be either: what was perhaps heard twice may make up for what is missing.
   */
  get isWholeByDuration(): boolean | undefined {
    const reportedMs = this.#reportedMs;
    if (reportedMs === undefined) return undefined;
    const onceBytes = this.#furthestSentByte - this.baseByte - this.#skippedBytes + this.#countedTwiceBytes;
    const leastMs = onceBytes / this.#bytesPerMs - DURATION_SLACK_MS;
    const mostMs = (onceBytes + this.#resentBytes) / this.#bytesPerMs + DURATION_SLACK_MS;
    if (reportedMs < leastMs || reportedMs > mostMs) return false;
    const perhapsMs = this.#perhapsTwiceBytes / this.#bytesPerMs;
    return reportedMs <= leastMs + 2 * DURATION_SLACK_MS || reportedMs >= leastMs + perhapsMs || undefined;
  }

  /** Where the audio ends that the service has, by the length it reports: it takes audio in order. */
  get heldToByte(): number {
    const byte = Math.floor(this.timeline.toLegMs(this.#reportedMs ?? 0) * this.#bytesPerMs + ROUNDING);
    return byte - (byte % this.#sampleBytes);
  }

  get #reportedMs(): number | undefined {
    return DURATION_SOURCES.map((source) => this.#durationsMs.get(source)).findLast((ms) => ms !== undefined);
  }

  /**
   * The first ack after a resume tells where the service stands. If that is further than what it acknowledged, it has
   * kept bytes in flight at the cut: its clock is ahead by them, and if only the probe was sent so far, they need not
   * be sent again (gladia-live.md, 4.4: UNKNOWN, so both must work). Where the probe got no ack, this one may be about
   * any message of the socket: it is taken for the first one's, so that too much is sent rather than too little. A
   * place that cannot be says nothing.
   * @param fromByte where the first message of this socket begins
   */
  #readStanding(range: AcknowledgedRange, fromByte: number): void {
    const probeBytes = this.#probeBytes;
    const keptBytes = this.#keptBytes(range);
    const sentSinceBytes = this.isProbing ? 0 : this.sentByte - fromByte;
    if (keptBytes > 0 && keptBytes <= this.#inDoubtBytes + sentSinceBytes) {
      const standsAt = this.#ackedSessionBytes + keptBytes;
      const onceBytes = keptBytes - this.#inDoubtAgainBytes;
      // The question itself is heard twice, or more often after several cuts, a moment of audio from before: words go on
      // around it. Placed where that comes from, an utterance that begins or ends in it would lie seconds from its words.
      if (!this.isProbing) {
        this.#perhapsTwiceBytes += keptBytes;
        this.timeline.anchor(standsAt, fromByte);
      } else {
        this.#countedTwiceBytes += keptBytes + probeBytes - Math.max(onceBytes, probeBytes);
        this.sentByte = fromByte + Math.max(onceBytes, probeBytes);
        this.ackedByte = this.sentByte;
        this.timeline.anchor(standsAt + probeBytes, this.sentByte);
      }
      this.#ackedSessionBytes = standsAt;
    }
    this.#inDoubtBytes = 0;
    this.#inDoubtAgainBytes = 0;
    this.endProbe();
  }

  /**
   * A range that begins behind what is acknowledged: acks before it did not come, and what they were about is the
   * service's, too. Offsets that begin anew on each socket begin before, and say nothing here.
   */
  #withMissed(range: AcknowledgedRange): AcknowledgedRange {
    const missedBytes = range.fromByte - this.#ackedSessionBytes;
    if (this.#inDoubtBytes > 0 || missedBytes <= 0) return range;
    const isPossible = range.toByte - this.#ackedSessionBytes <= this.#unacknowledged.bytes;
    return isPossible ? { ...range, fromByte: this.#ackedSessionBytes } : range;
  }

  #keptBytes(range: AcknowledgedRange): number {
    const byStart = range.fromByte - this.#ackedSessionBytes;
    const byEnd = range.toByte - this.#probeBytes - this.#ackedSessionBytes;
    // The range may run from the last ack over what was kept to the probe's end. By one only: it names its last byte.
    if (this.isProbing && byEnd - byStart > 1) return byEnd + (byEnd % this.#sampleBytes);
    if (range.fromMs === undefined) return byStart;
    // Bytes counted from the socket's start say too little; time is said to run over the whole session.
    const byTime = Math.floor(range.fromMs * this.#bytesPerMs + ROUNDING) - this.#ackedSessionBytes;
    return Math.max(byStart, byTime - (byTime % this.#sampleBytes));
  }

  get #sampleBytes(): number {
    return this.#bytesPerMs / BYTES_PER_MS;
  }
}
