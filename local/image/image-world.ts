import { VOICE_PATH } from '../../runtime/contract/endpoints';
import { CallReader } from '../../runtime/store/call-reader';
import { createDocumentClient } from '../../runtime/store/dynamodb-client';
import type { StoredCall } from '../../runtime/store/stored-call';
import { LOCAL_REGION, LOCAL_TABLE, startEmbeddedDynamoDb } from '../embedded-dynamodb';
import { startGladiaServer, type GladiaServer } from '../gladia/gladia-server';
import { createScriptedRecogniser } from '../gladia/scripted-recogniser';
import { loadSampleCall } from '../sample-call/sample-call';
import { startSecretsManager } from '../secrets-manager';
import { randomSid } from '../twilio/random-sids';
import { startTwilioApi } from '../twilio/twilio-api';
import { placeCall, type Call } from '../twilio/twilio-caller';

export interface ImageWorld {
  readonly gladia: GladiaServer;
  /** The sample call's words, in the order spoken. */
  readonly turns: readonly string[];
  /** What the task definition would say, with this world in the place of AWS and Gladia. */
  environment(options: { hostName: string; port: number }): Readonly<Record<string, string>>;
  /** The sample call comes in at this port: signed, through `/voice`. */
  call(port: number): Call;
  /** What the table has of a call. @throws Error when it has nothing */
  read(callSid: string): Promise<StoredCall>;
  close(): Promise<void>;
}

const PUBLIC_URL = 'https://relay.callscript.example';
const GLADIA = { arn: 'callscript/gladia', apiKey: 'local-gladia-key' };
const TWILIO = { arn: 'callscript/twilio', authToken: 'local-auth-token' };
/** The sample call takes about a minute: this is four times as fast. */
const PACE_FACTOR = 4;

/** Everything around the relay but the relay: store, secrets, Gladia and Twilio, on this machine's loopback. */
export async function startImageWorld(): Promise<ImageWorld> {
  const { inbound, outbound, turns } = loadSampleCall();
  const channels = (['inbound', 'outbound'] as const).map((track) =>
    turns.filter((turn) => turn.track === track),
  );
  const accountSid = randomSid('AC');
  const calls: Call[] = [];
  const [store, gladia, secretsManager, twilioApi] = await Promise.all([
    startEmbeddedDynamoDb(),
    startGladiaServer({
      apiKeys: [GLADIA.apiKey],
      recogniser: createScriptedRecogniser(() => ({ channels })),
      keep: 'digest',
    }),
    startSecretsManager(),
    startTwilioApi({ username: accountSid, password: TWILIO.authToken, calls: () => calls }),
  ]);
  secretsManager.secrets.set(GLADIA.arn, JSON.stringify({ apiKey: GLADIA.apiKey }));
  secretsManager.secrets.set(TWILIO.arn, JSON.stringify({ accountSid, authToken: TWILIO.authToken }));
  const client = createDocumentClient({ region: LOCAL_REGION, endpoint: store.endpoint });
  const reader = new CallReader({ client, tableName: LOCAL_TABLE });
  return {
    gladia,
    turns: turns.map(({ text }) => text),
    environment: ({ hostName, port }) => {
      const reached = (url: string): string => url.replace('127.0.0.1', hostName);
      return {
        HTTP_PORT: String(port),
        ADMIN_PORT: '0',
        PUBLIC_URL,
        VOICE_TWIML: '<Pause length="3600"/>',
        GLADIA_SECRET_ARN: GLADIA.arn,
        TWILIO_SECRET_ARN: TWILIO.arn,
        TRANSCRIPTS_TABLE: LOCAL_TABLE,
        AWS_REGION: LOCAL_REGION,
        AWS_ACCESS_KEY_ID: 'local',
        AWS_SECRET_ACCESS_KEY: 'local',
        AWS_ENDPOINT_URL_DYNAMODB: reached(store.endpoint),
        AWS_ENDPOINT_URL_SECRETS_MANAGER: reached(secretsManager.endpoint),
        GLADIA_API_URL: reached(gladia.url),
        TWILIO_API_URL: reached(twilioApi.url),
      };
    },
    call(port) {
      const call = placeCall({
        voiceUrl: PUBLIC_URL + VOICE_PATH,
        dial: { host: '127.0.0.1', port },
        authToken: TWILIO.authToken,
        accountSid,
        audio: { inbound, outbound },
        paceFactor: PACE_FACTOR,
      });
      calls.push(call);
      return call;
    },
    async read(callSid) {
      const stored = await reader.readCall(callSid);
      if (stored === undefined) throw new Error(`The table has nothing of the call ${callSid}`);
      return stored;
    },
    async close() {
      client.destroy();
      await Promise.all([store.close(), gladia.close(), secretsManager.close(), twilioApi.close()]);
    },
  };
}
