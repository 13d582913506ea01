import { startWorld, type World, type WorldOptions } from '../../local/world';
import type { GladiaServerOptions } from '../../local/gladia/gladia-server';
import type { SessionFaults } from '../../local/gladia/faults';
import type { ObservedSession } from '../../local/gladia/live-session';
import { createScriptedRecogniser, type ChooseScript } from '../../local/gladia/scripted-recogniser';
import type { Call, CallOptions } from '../../local/twilio/twilio-caller';
import type { Track } from '../../runtime/model/audio';
import type { TrackLedger } from '../../runtime/model/audio-ledger';
import type { LegSummary, Segment, TranscriptEvent } from '../../runtime/model/transcript-event';
import { createLogger, type Logger } from '../../runtime/observability/logger';
import { RECOGNITION_TIMING, type RecognitionTiming } from '../../runtime/speech/recognition-timing';
import { RELAY_TIMING } from '../../runtime/relay';
import type { TranscriptSink } from '../../runtime/sinks/transcript-sink';
import { CallReader } from '../../runtime/store/call-reader';
import { createDocumentClient } from '../../runtime/store/dynamodb-client';
import type { StoredCall } from '../../runtime/store/stored-call';

/** Keeps every event, and lets a test wait for one. */
export class RecordingSink implements TranscriptSink {
  readonly name = 'recording';
  readonly events: TranscriptEvent[] = [];
  readonly #waiting = new Set<() => void>();

  write(event: TranscriptEvent): void {
    this.events.push(event);
    for (const check of [...this.#waiting]) check();
  }

  close(): Promise<number> {
    return Promise.resolve(0);
  }

  of<T extends TranscriptEvent['type']>(type: T, callSid?: string): Extract<TranscriptEvent, { type: T }>[] {
    return this.events.filter(
      (event): event is Extract<TranscriptEvent, { type: T }> =>
        event.type === type && (callSid === undefined || event.callSid === callSid),
    );
  }

  /** The first event of a type for a call, now or later; the test's time-out is the bound. */
  next<T extends TranscriptEvent['type']>(
    type: T,
    callSid?: string,
  ): Promise<Extract<TranscriptEvent, { type: T }>> {
    return this.until(() => this.of(type, callSid)[0]);
  }

  /** The first value of `fact` that is something, asked now and after every event. */
  until<T>(fact: () => T | undefined): Promise<T> {
    return new Promise((resolve) => {
      const check = (): void => {
        const value = fact();
        if (value === undefined) return;
        this.#waiting.delete(check);
        resolve(value);
      };
      this.#waiting.add(check);
      check();
    });
  }

  segments(callSid: string): Segment[] {
    return this.of('final', callSid).map(({ segment }) => segment);
  }

  /** Of the call's one leg, once it has ended. */
  async summary(callSid: string): Promise<LegSummary> {
    return (await this.next('leg-ended', callSid)).summary;
  }
}

/** Short times: nothing here is about how long things take. */
export const QUICK: RecognitionTiming = {
  ...RECOGNITION_TIMING,
  backOff: { baseMs: 10, capMs: 50 },
  probeTimeoutMs: 300,
  stableAfterMs: 50,
  finishSilenceMs: 5_000,
  deadSessionBackOff: { baseMs: 10, capMs: 50 },
  resultBackOff: { baseMs: 20, capMs: 100 },
  resultForMs: 6_000,
};

export interface TestWorld extends World {
  readonly sink: RecordingSink;
  /** A call of the inbound track alone, as from a TwiML Bin. */
  callOneTrack(audio: Buffer, options?: CallOptions): Call;
  /** Sessions of a call, in order. */
  sessionsOf(callSid: string): readonly ObservedSession[];
  /** Faults for the sessions of one call. */
  faultsFor(callSid: string, faults: Partial<SessionFaults>): void;
  read(callSid: string): Promise<StoredCall | undefined>;
  /** Drains the relay, so that all is written, and reads. The store stays open. */
  readAfterDrain(callSid: string): Promise<StoredCall>;
}

export interface TestWorldOptions {
  readonly script?: ChooseScript;
  readonly gladia?: Partial<GladiaServerOptions>;
  readonly settings?: WorldOptions['settings'];
  readonly recognition?: Partial<RecognitionTiming>;
  readonly timing?: WorldOptions['timing'];
  readonly twilioRest?: true;
  readonly logger?: Logger;
  readonly writeMetrics?: (line: string) => void;
}

/** How fast calls are played: eight seconds of call in one. */
export const PACE = 8;

const open: World[] = [];

/** A world with a scripted recogniser and an in-memory store; closed after the test. */
export async function testWorld(options: TestWorldOptions = {}): Promise<TestWorld> {
  const sink = new RecordingSink();
  const world = await startWorld({
    gladia: {
      recogniser: createScriptedRecogniser(options.script),
      limits: { processingMs: 10 },
      ...options.gladia,
    },
    ...(options.settings === undefined ? {} : { settings: options.settings }),
    sinks: [sink],
    logger: options.logger ?? createLogger('silent', 2),
    ...(options.twilioRest === undefined ? {} : { twilioRest: options.twilioRest }),
    ...(options.writeMetrics === undefined ? {} : { writeMetrics: options.writeMetrics }),
    timing: {
      ...RELAY_TIMING,
      beginningMs: 0,
      tickMs: 20,
      callEndGraceMs: 50,
      recognition: { ...QUICK, ...options.recognition },
      ...options.timing,
    },
  });
  open.push(world);
  const client = createDocumentClient({ region: 'us-east-1', endpoint: world.store.endpoint });
  const reader = new CallReader({ client, tableName: world.config.store.table });
  const stream = { url: mediaUrl(world), tracks: ['inbound'] as const };
  return {
    ...world,
    sink,
    callOneTrack: (inbound, call = {}) =>
      world.call({ stream, audio: { inbound }, paceFactor: PACE, ...call }),
    sessionsOf: (callSid) =>
      world.gladia.sessions.filter(({ customMetadata }) => customMetadata['callSid'] === callSid),
    faultsFor: (callSid, faults) =>
      void world.gladia.faults.rules.push({
        when: ({ customMetadata }) => customMetadata['callSid'] === callSid,
        faults,
      }),
    read: (callSid) => reader.readCall(callSid),
    readAfterDrain: async (callSid) => {
      await world.relay.drain();
      const stored = await reader.readCall(callSid);
      if (stored === undefined) throw new Error('the table knows nothing of the call');
      return stored;
    },
  };
}

export function mediaUrl({ publicUrl }: Pick<World, 'publicUrl'>): string {
  return `${publicUrl.replace('https', 'wss')}/media`;
}

/** One track's ledger. Fails when it does not add up: then milliseconds were forgotten or counted twice. */
export function ledgerOf({ ledger }: Pick<LegSummary, 'ledger'>, track: Track = 'inbound'): TrackLedger {
  const own = ledger.tracks[track];
  if (own === undefined) throw new Error(`there is no ledger of the ${track} track`);
  const lostMs = Object.values(own.lostMs).reduce((sum, ms) => sum + ms, 0);
  expect(own.framesMs + own.filledMs).toBeCloseTo(own.receivedMs, 3);
  expect(own.acceptedMs + own.lateMs + own.unconfirmedMs + lostMs).toBeCloseTo(own.receivedMs, 3);
  return own;
}

afterEach(async () => {
  await Promise.all(open.splice(0).map((world) => world.close()));
});
