import { startWorld, type World, type WorldOptions } from '../../local/world';
import type { GladiaServerOptions } from '../../local/gladia/gladia-server';
import { createScriptedRecogniser, type ChooseScript } from '../../local/gladia/scripted-recogniser';
import type { TranscriptEvent } from '../../runtime/model/transcript-event';
import { createLogger } from '../../runtime/observability/logger';
import { RECOGNITION_TIMING, type RecognitionTiming } from '../../runtime/speech/recognition';
import { RELAY_TIMING } from '../../runtime/relay';
import type { TranscriptSink } from '../../runtime/sinks/transcript-sink';
import { CallReader } from '../../runtime/store/call-reader';
import { createDocumentClient } from '../../runtime/store/dynamodb-client';
import type { StoredCall } from '../../runtime/store/stored-call';

/** Keeps every event, and lets a test wait for one. */
export class RecordingSink implements TranscriptSink {
  readonly name = 'recording';
  readonly events: TranscriptEvent[] = [];
  #listeners: (() => void)[] = [];

  write(event: TranscriptEvent): void {
    this.events.push(event);
    for (const listener of this.#listeners) listener();
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
  async next<T extends TranscriptEvent['type']>(
    type: T,
    callSid?: string,
  ): Promise<Extract<TranscriptEvent, { type: T }>> {
    for (;;) {
      const [found] = this.of(type, callSid);
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => this.#listeners.push(resolve));
      this.#listeners = [];
    }
  }
}

/** Short times: nothing here is about how long things take. */
export const QUICK: RecognitionTiming = {
  ...RECOGNITION_TIMING,
  backOff: { baseMs: 10, capMs: 50 },
  resumeForMs: 1_000,
  probeTimeoutMs: 300,
  stableAfterMs: 50,
  finishSilenceMs: 2_000,
  resultPollMs: 20,
  resultForMs: 3_000,
};

export interface TestWorld extends World {
  readonly sink: RecordingSink;
  read(callSid: string): Promise<StoredCall | undefined>;
}

export interface TestWorldOptions {
  readonly script?: ChooseScript;
  readonly gladia?: Partial<GladiaServerOptions>;
  readonly settings?: WorldOptions['settings'];
  readonly recognition?: Partial<RecognitionTiming>;
  readonly timing?: WorldOptions['timing'];
}

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
    logger: createLogger('silent', 2),
    timing: {
      ...RELAY_TIMING,
      tickMs: 20,
      callEndGraceMs: 50,
      recognition: { ...QUICK, ...options.recognition },
      ...options.timing,
    },
  });
  open.push(world);
  const client = createDocumentClient({ region: 'us-east-1', endpoint: world.store.endpoint });
  const reader = new CallReader({ client, tableName: world.config.store.table });
  return { ...world, sink, read: (callSid) => reader.readCall(callSid) };
}

afterEach(async () => {
  await Promise.all(open.splice(0).map((world) => world.close()));
});
