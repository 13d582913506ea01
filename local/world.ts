import { randomBytes } from 'node:crypto';
import { loadConfig, type Environment, type RelayConfig } from '../runtime/config';
import { VOICE_PATH } from '../runtime/contract/endpoints';
import type { Logger } from '../runtime/observability/logger';
import { startRelay, type Relay, type RelayTiming } from '../runtime/relay';
import type { TranscriptSink } from '../runtime/sinks/transcript-sink';
import { LOCAL_TABLE, startEmbeddedDynamoDb, type EmbeddedDynamoDb } from './embedded-dynamodb';
import { startGladiaServer, type GladiaServer, type GladiaServerOptions } from './gladia/gladia-server';
import { startTwilio, type LocalTwilio } from './twilio/local-twilio';
import { randomSid } from './twilio/random-sids';
import { placeCall, type Call, type CallOptions } from './twilio/twilio-caller';

export interface WorldOptions {
  readonly gladia: GladiaServerOptions;
  /** Keeps transcripts here; without it they are in memory. */
  readonly storeDirectory?: string;
  /** Settings of the relay over those of the world. */
  readonly settings?: Environment;
  readonly sinks?: readonly TranscriptSink[];
  readonly timing?: Partial<RelayTiming>;
  /** Twilio answers over REST as well: the relay may ask about calls, make streams and stop them. */
  readonly twilioRest?: boolean;
  /** Takes the embedded-metric lines. */
  readonly writeMetrics?: (line: string) => void;
  readonly logger: Logger;
}

/** The relay with the outside world replaced, all in this process and on loopback. */
export interface World {
  readonly relay: Relay;
  readonly config: RelayConfig;
  readonly gladia: GladiaServer;
  readonly store: EmbeddedDynamoDb;
  /** Only with `twilioRest`. */
  readonly twilio?: LocalTwilio;
  /** What the simulated Twilio knows of the relay; the relay itself is on loopback. */
  readonly publicUrl: string;
  readonly authToken: string;
  readonly accountSid: string;
  /** A call comes in: through `/voice`, unless the options bring a stream of their own. */
  call(options?: CallOptions): Call;
  /** Hangs up what REST knows of, drains the relay, then ends the rest. Safe to call twice. */
  close(): Promise<void>;
}

/** No DNS knows it: the simulated Twilio dials loopback and keeps URL, Host header and signature. */
const PUBLIC_URL = 'https://relay.callscript.example';
const GLADIA_KEY = 'local-gladia-key';
const REST_KEY = { sid: `SK${'0'.repeat(32)}`, secret: 'local-rest-secret' };

/** Starts store, Gladia server and relay. @throws what the first of them that does not start throws; the others are closed */
export async function startWorld(options: WorldOptions): Promise<World> {
  const closers: (() => Promise<void>)[] = [];
  const closeAll = async (): Promise<void> => {
    for (const close of closers.toReversed()) await close();
  };
  try {
    const store = await startEmbeddedDynamoDb(
      options.storeDirectory === undefined ? {} : { directory: options.storeDirectory },
    );
    closers.push(() => store.close());
    const gladia = await startGladiaServer({ apiKeys: [GLADIA_KEY], ...options.gladia });
    closers.push(() => gladia.close());
    const authToken = randomBytes(16).toString('hex');
    const accountSid = randomSid('AC');
    const dial = { host: '127.0.0.1', port: 0 };
    const twilio = options.twilioRest
      ? await startTwilio({ accountSid, authToken, apiKey: REST_KEY, dial: () => dial })
      : undefined;
    if (twilio !== undefined) closers.push(() => twilio.close());
    const config = loadConfig({
      HTTP_PORT: '0',
      ADMIN_PORT: '0',
      PUBLIC_URL,
      TWILIO_ACCOUNT_SID: accountSid,
      TWILIO_AUTH_TOKEN: authToken,
      VOICE_TWIML: '<Pause length="3600"/>',
      GLADIA_API_KEY: GLADIA_KEY,
      GLADIA_API_URL: gladia.url,
      GLADIA_SESSION_OPTIONS: '{"language_config":{"languages":["en"]}}',
      TRANSCRIPTS_TABLE: LOCAL_TABLE,
      AWS_ENDPOINT_URL_DYNAMODB: store.endpoint,
      ...(twilio && restSettings(twilio)),
      ...options.settings,
    });
    const { logger, sinks = [], timing = {}, writeMetrics } = options;
    const relay = await startRelay(config, {
      ...{ logger, sinks, timing, host: '127.0.0.1' },
      ...(writeMetrics === undefined ? {} : { writeMetrics }),
    });
    closers.push(() => relay.drain());
    // A call that lives on would be handed over, to nobody.
    closers.push(() => Promise.resolve(twilio?.hangUp()));
    dial.port = relay.port;
    const place = twilio === undefined ? placeCall : twilio.call.bind(twilio);
    let closed: Promise<void> | undefined;
    return {
      relay,
      config,
      gladia,
      store,
      ...(twilio && { twilio }),
      publicUrl: PUBLIC_URL,
      authToken,
      accountSid,
      call: (call = {}) =>
        place({
          dial,
          authToken,
          accountSid,
          ...(call.stream === undefined ? { voiceUrl: PUBLIC_URL + VOICE_PATH } : {}),
          ...call,
        }),
      close: () => (closed ??= closeAll()),
    };
  } catch (error) {
    await closeAll();
    throw error;
  }
}

function restSettings({ apiUrl }: LocalTwilio): Environment {
  return { TWILIO_API_URL: apiUrl, TWILIO_API_KEY_SID: REST_KEY.sid, TWILIO_API_KEY_SECRET: REST_KEY.secret };
}
