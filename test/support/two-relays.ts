import { startBalancer, type Balancer } from '../../local/balancer/balancer';
import { LOCAL_TABLE, startEmbeddedDynamoDb } from '../../local/embedded-dynamodb';
import { startGladiaServer, type GladiaServer } from '../../local/gladia/gladia-server';
import { createScriptedRecogniser } from '../../local/gladia/scripted-recogniser';
import { startTwilio, type LocalTwilio } from '../../local/twilio/local-twilio';
import type { Call, CallOptions } from '../../local/twilio/twilio-caller';
import { loadConfig } from '../../runtime/config';
import type { ContinuityTiming } from '../../runtime/continuity/continuity-timing';
import { createLogger } from '../../runtime/observability/logger';
import { RELAY_TIMING, startRelay, type Relay } from '../../runtime/relay';
import { CallReader } from '../../runtime/store/call-reader';
import { createDocumentClient } from '../../runtime/store/dynamodb-client';
import type { StoredCall } from '../../runtime/store/stored-call';
import type { TaskState } from '../../runtime/task-state';
import type { RecognitionTiming } from '../../runtime/speech/recognition-timing';
import { QUICK, RecordingSink } from './test-world';

const PUBLIC_URL = 'https://relay.callscript.example';
const AUTH_TOKEN = 'token-of-the-two-relays';

/** Short, but for the lease: a busy machine must not look like a dead one. */
export const QUICK_CONTINUITY: ContinuityTiming = {
  renewEveryMs: 100,
  renewRetryMs: 50,
  leaseMs: 3_000,
  saveSoonMs: 10,
  readMailEveryMs: 50,
  lookEveryMs: 100,
  thoroughEvery: 4,
  retryMs: 100,
  reconcileAfterMs: 200,
  claimMs: 5_000,
  firstBackOffMs: 20,
  maxBackOffMs: 200,
  giveUpAfterMs: 10_000,
  startWithinMs: 3_000,
  startPollMs: 20,
  goodAfterMs: 30_000,
  proofPollMs: 20,
  proofWithinMs: 3_000,
  stopWithinMs: 2_000,
  backOffMs: 50,
};

/** One relay behind the balancer, with what it told. */
export interface RelayBehind {
  readonly relay: Relay;
  readonly sink: RecordingSink;
  /** What ECS would tell it. */
  stopping(): void;
}

export interface TwoRelays {
  readonly relays: readonly [RelayBehind, RelayBehind];
  readonly balancer: Balancer;
  readonly gladia: GladiaServer;
  readonly twilio: LocalTwilio;
  call(options?: CallOptions): Call;
  /** The relay that has a call's live leg, as soon as one has. */
  ownerOf(callSid: string): Promise<RelayBehind>;
  read(callSid: string): Promise<StoredCall>;
}

const closers: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

/** Two relays behind a balancer, on one table, one Gladia and one Twilio with REST. Closed after the test. */
export async function twoRelays(
  options: {
    readonly settings?: Readonly<Record<string, string>>;
    readonly timing?: Partial<ContinuityTiming>;
    readonly recognition?: Partial<RecognitionTiming>;
  } = {},
): Promise<TwoRelays> {
  const store = await startEmbeddedDynamoDb();
  closers.push(() => store.close());
  const gladia = await startGladiaServer({
    apiKeys: ['key'],
    recogniser: createScriptedRecogniser(),
    limits: { processingMs: 10 },
  });
  closers.push(() => gladia.close());
  const balancer = await startBalancer();
  closers.push(() => balancer.close());
  const twilio = await startTwilio({
    authToken: AUTH_TOKEN,
    dial: { host: '127.0.0.1', port: balancer.port },
  });
  const start = async (): Promise<RelayBehind> => {
    const config = loadConfig({
      HTTP_PORT: '0',
      ADMIN_PORT: '0',
      PUBLIC_URL,
      TWILIO_ACCOUNT_SID: twilio.accountSid,
      TWILIO_AUTH_TOKEN: AUTH_TOKEN,
      TWILIO_API_URL: twilio.apiUrl,
      VOICE_TWIML: '<Pause length="3600"/>',
      TICKET_KEY: 'ticket-key-of-the-two-relays-0123456789',
      GLADIA_API_KEY: 'key',
      GLADIA_API_URL: gladia.url,
      TRANSCRIPTS_TABLE: LOCAL_TABLE,
      AWS_ENDPOINT_URL_DYNAMODB: store.endpoint,
      ...options.settings,
    });
    const sink = new RecordingSink();
    const state = new ToldState();
    const relay = await startRelay(config, {
      logger: createLogger('silent', 2),
      sinks: [sink],
      host: '127.0.0.1',
      taskState: state,
      timing: {
        ...RELAY_TIMING,
        beginningMs: 0,
        tickMs: 20,
        callEndGraceMs: 50,
        callEndPollMs: 50,
        recognition: { ...QUICK, ...options.recognition },
        continuity: { ...QUICK_CONTINUITY, ...options.timing },
      },
    });
    closers.push(() => relay.drain());
    balancer.register(relay.port);
    return { relay, sink, stopping: () => state.tell() };
  };
  const relays = [await start(), await start()] as const;
  closers.push(() => twilio.close());
  const reader = new CallReader({
    client: createDocumentClient({ region: 'us-east-1', endpoint: store.endpoint }),
    tableName: LOCAL_TABLE,
  });
  const isOwner = ({ sink }: RelayBehind, callSid: string): boolean =>
    sink.of('audio-started', callSid).length > sink.of('leg-ended', callSid).length;
  return {
    relays,
    balancer,
    gladia,
    twilio,
    call: (call = {}) => twilio.call({ voiceUrl: `${PUBLIC_URL}/voice`, ...call }),
    ownerOf: (callSid) =>
      Promise.race(relays.map((each) => each.sink.until(() => (isOwner(each, callSid) ? each : undefined)))),
    async read(callSid) {
      const call = await reader.readCall(callSid);
      if (call === undefined) throw new Error('the table knows nothing of the call');
      return call;
    },
  };
}

class ToldState implements TaskState {
  #listener: () => void = () => undefined;

  onStopping(listener: () => void): void {
    this.#listener = listener;
  }

  tell(): void {
    this.#listener();
  }

  close(): void {
    this.#listener = () => undefined;
  }
}

/** The parts of a call's audio that no stream sent, and those that more than one did, in milliseconds of the inbound track. */
export function coverage(call: Call, durationMs: number): { missedMs: number; twiceMs: number } {
  const ranges = call.streams
    .flatMap(({ sent }) => sent.ranges('inbound'))
    .toSorted((one, other) => one.fromMs - other.fromMs);
  let reachedMs = 0;
  let missedMs = 0;
  let twiceMs = 0;
  for (const { fromMs, toMs } of ranges) {
    missedMs += Math.max(0, fromMs - reachedMs);
    twiceMs += Math.max(0, Math.min(reachedMs, toMs) - fromMs);
    reachedMs = Math.max(reachedMs, toMs);
  }
  return { missedMs: missedMs + Math.max(0, durationMs - reachedMs), twiceMs };
}
