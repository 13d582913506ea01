import type { LegId, LegSummary, TranscriptEvent } from '../model/transcript-event';
import type { TranscriptSink } from '../sinks/transcript-sink';
import { forgetOldest } from '../model/forget-oldest';
import type { CallSpan, SpanExporter, SpanName } from './span-exporter';

export interface CallTracesOptions {
  readonly exporter: SpanExporter;
  /** Tells the time of day. */
  readonly wallNow: () => number;
}

/** What is open of a leg: when each thing began that has not come yet. */
interface LegTrace {
  sessionAskedAtMs: number | undefined;
  audioAtMs: number | undefined;
  firstFinalAtMs: number | undefined;
  finishingAtMs: number | undefined;
  readonly told: Set<SpanName>;
}

/** Calls that end elsewhere are never told to be over here: the oldest legs are forgotten. */
const MOST_LEGS = 10_000;

/** Makes a trace of each call from what is told of it: one span for each part of its way that may take long. */
export class CallTraces implements TranscriptSink {
  readonly name = 'traces';
  readonly #options: CallTracesOptions;
  readonly #legs = new Map<string, LegTrace>();
  /** When the webhook of a call came that has no leg yet; of the oldest calls nothing is known. */
  readonly #webhooks = new Map<string, number>();

  constructor(options: CallTracesOptions) {
    this.#options = options;
  }

  write(event: TranscriptEvent): void {
    const nowMs = this.#options.wallNow();
    switch (event.type) {
      case 'leg-started':
        this.#legOf(event).sessionAskedAtMs = nowMs;
        return;
      case 'audio-started':
        this.#legOf(event).audioAtMs = nowMs;
        return;
      case 'session-opened':
        return this.#sessionOpened(event, nowMs);
      case 'session-closed':
        this.#legOf(event).sessionAskedAtMs = nowMs;
        return;
      case 'partial':
        return this.#firstWords(event, 'first partial', nowMs);
      case 'final':
        if (event.segment.source === 'live') this.#firstWords(event, 'first final', nowMs);
        return;
      case 'leg-ended':
        return this.#legEnded(event, event.summary, nowMs);
      case 'call-ended':
        return this.#callEnded(event.callSid, event.legs, nowMs);
      case 'call-described':
      case 'add-on':
      case 'summary':
      case 'heard-twice':
      case 'gap':
        return;
    }
  }

  /** `/voice` was answered. */
  webhook(callSid: string, cameAtMs: number): void {
    this.#webhooks.set(callSid, cameAtMs);
    forgetOldest(this.#webhooks, MOST_LEGS);
    this.#tell({ callSid, name: 'webhook', startMs: cameAtMs });
  }

  /** The stream has said which call it is of. */
  handshake({ callSid, streamSid }: LegId, askedAtMs: number): void {
    this.#tell({ callSid, name: 'handshake', startMs: askedAtMs, attributes: { streamSid } });
  }

  /** The socket of a session was lost, and the session goes on, on another one. */
  resumed({ callSid, streamSid }: LegId, lostForMs: number): void {
    const startMs = this.#options.wallNow() - lostForMs;
    this.#tell({ callSid, name: 'resume', startMs, attributes: { streamSid } });
  }

  /** No more audio comes. */
  finishing(leg: LegId): void {
    this.#legOf(leg).finishingAtMs = this.#options.wallNow();
  }

  /** A final is in the table. Of each leg the first one is a span. */
  stored(leg: LegId): void {
    const trace = this.#legs.get(leg.streamSid);
    const startMs = trace?.firstFinalAtMs;
    if (trace === undefined || startMs === undefined || trace.told.has('store')) return;
    trace.told.add('store');
    this.#tell({ callSid: leg.callSid, name: 'store', startMs, attributes: { streamSid: leg.streamSid } });
  }

  async close(): Promise<number> {
    await this.#options.exporter.close();
    return 0;
  }

  #sessionOpened(event: Extract<TranscriptEvent, { type: 'session-opened' }>, nowMs: number): void {
    const { callSid, streamSid, sessionNumber } = event;
    const leg = this.#legOf(event);
    const startMs = leg.sessionAskedAtMs ?? nowMs;
    leg.sessionAskedAtMs = undefined;
    this.#tell({ callSid, name: 'session start', startMs, attributes: { streamSid, sessionNumber } });
  }

  #firstWords(id: LegId, name: 'first partial' | 'first final', nowMs: number): void {
    const leg = this.#legOf(id);
    if (leg.told.has(name)) return;
    leg.told.add(name);
    if (name === 'first final') leg.firstFinalAtMs = nowMs;
    const { callSid, streamSid } = id;
    this.#tell({ callSid, name, startMs: leg.audioAtMs ?? nowMs, attributes: { streamSid } });
  }

  #legEnded(
    { callSid, streamSid }: LegId,
    { endReason, failure, segments }: LegSummary,
    nowMs: number,
  ): void {
    const leg = this.#legs.get(streamSid);
    // The last finals may still be on their way to the table.
    this.#tell({
      callSid,
      name: 'stop',
      startMs: leg?.finishingAtMs ?? nowMs,
      attributes: { streamSid, endReason, segments, ...(failure === undefined ? {} : { failure }) },
      isFailed: failure !== undefined,
    });
  }

  #callEnded(callSid: string, legs: readonly LegSummary[], nowMs: number): void {
    const starts = legs.map(({ startedAt }) => Date.parse(startedAt)).filter((ms) => !Number.isNaN(ms));
    const startMs = Math.min(nowMs, this.#webhooks.get(callSid) ?? nowMs, ...starts);
    this.#webhooks.delete(callSid);
    const isFailed = legs.some(({ failure }) => failure !== undefined);
    this.#tell({ callSid, name: 'call', startMs, attributes: { legs: legs.length }, isFailed });
  }

  #legOf({ streamSid }: LegId): LegTrace {
    let leg = this.#legs.get(streamSid);
    if (leg === undefined) {
      leg = {
        sessionAskedAtMs: undefined,
        audioAtMs: undefined,
        firstFinalAtMs: undefined,
        finishingAtMs: undefined,
        told: new Set(),
      };
      this.#legs.set(streamSid, leg);
      forgetOldest(this.#legs, MOST_LEGS);
    }
    return leg;
  }

  #tell(span: Omit<CallSpan, 'endMs'>): void {
    this.#options.exporter.export({ ...span, endMs: this.#options.wallNow() });
  }
}
