import type { Environment } from '../../runtime/config';
import type { EcsTask, LocalEcs } from '../ecs/local-ecs';
import { LOCAL_REGION, LOCAL_TABLE } from '../embedded-dynamodb';
import type { LocalTwilio } from '../twilio/local-twilio';

/** No DNS knows it: the simulated Twilio dials the balancer and keeps URL, Host header and signature. */
export const FLEET_URL = 'https://relay.callscript.example';
export const FLEET_GLADIA_KEY = 'local-gladia-key';
export const FLEET_REST_KEY = { sid: `SK${'0'.repeat(32)}`, secret: 'local-rest-secret' };

export interface Surroundings {
  readonly twilio: Pick<LocalTwilio, 'apiUrl' | 'accountSid' | 'authToken'>;
  readonly gladia: { readonly url: string };
  readonly store: { readonly endpoint: string };
  readonly ecs: Pick<LocalEcs, 'endpoint'>;
  /** Over those of the fleet. */
  readonly settings: Environment;
}

/** The environment of one relay of a fleet: what a task definition says, with this machine in the place of the world. */
export function relayEnvironment(
  { twilio, gladia, store, ecs, settings }: Surroundings,
  { metadataUri }: Pick<EcsTask, 'metadataUri'>,
): Readonly<Record<string, string>> {
  const environment: Environment = {
    HTTP_PORT: '0',
    ADMIN_PORT: '0',
    PUBLIC_URL: FLEET_URL,
    TWILIO_ACCOUNT_SID: twilio.accountSid,
    TWILIO_AUTH_TOKEN: twilio.authToken,
    TWILIO_API_URL: twilio.apiUrl,
    TWILIO_API_KEY_SID: FLEET_REST_KEY.sid,
    TWILIO_API_KEY_SECRET: FLEET_REST_KEY.secret,
    VOICE_TWIML: '<Pause length="3600"/>',
    TICKET_KEY: 'local-ticket-key-of-every-relay-of-the-fleet',
    GLADIA_API_KEY: FLEET_GLADIA_KEY,
    GLADIA_API_URL: gladia.url,
    GLADIA_SESSION_OPTIONS: '{"language_config":{"languages":["en"]}}',
    TRANSCRIPTS_TABLE: LOCAL_TABLE,
    AWS_REGION: LOCAL_REGION,
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: 'local',
    AWS_ENDPOINT_URL_DYNAMODB: store.endpoint,
    AWS_ENDPOINT_URL_ECS: ecs.endpoint,
    ECS_CONTAINER_METADATA_URI_V4: metadataUri,
    CONSOLE_TRANSCRIPTS: 'off',
    ...settings,
  };
  return Object.fromEntries(
    Object.entries(environment).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}
