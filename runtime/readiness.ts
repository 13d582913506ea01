import { tunnelTarget, type RelayConfig } from './config';
import type { UNREADY_REASONS } from './contract/metrics';
import { fillSecretCommand, type SecretSetting } from './contract/secrets';
import type { Credentials } from './secrets';
import type { CallStore } from './store/call-store';

/** Why the relay could not transcribe a call that came now, and what mends it. */
export interface UnreadyReason {
  readonly reason: 'draining' | (typeof UNREADY_REASONS)[number];
  readonly fix: string;
}

export interface ReadinessOptions {
  readonly credentials: Credentials;
  readonly config: RelayConfig;
  readonly store: Pick<CallStore, 'probe'>;
  readonly isDraining: () => boolean;
}

/** Answers `/ready`: for people and deploys. The load balancer asks `/health`, which depends on none of this. */
export class Readiness {
  readonly #options: ReadinessOptions;

  constructor(options: ReadinessOptions) {
    this.#options = options;
  }

  /** @returns nothing when the next call would be transcribed */
  async unreadyReasons(): Promise<readonly UnreadyReason[]> {
    const found = await Promise.all([
      this.#draining(),
      this.#gladia(),
      this.#twilio(),
      this.#publicUrl(),
      this.#store(),
    ]);
    return found.filter((reason) => reason !== undefined);
  }

  async #draining(): Promise<UnreadyReason | undefined> {
    return this.#options.isDraining()
      ? { reason: 'draining', fix: 'none: this process is shutting down' }
      : undefined;
  }

  async #gladia(): Promise<UnreadyReason | undefined> {
    const { credentials, config } = this.#options;
    if ((await credentials.gladiaApiKey()) !== undefined) return undefined;
    const { secretArn } = config.gladia;
    const fix =
      secretArn === undefined ? 'set GLADIA_API_KEY' : this.#fillSecret('GLADIA_SECRET_ARN', secretArn);
    return { reason: 'no-gladia-key', fix };
  }

  async #twilio(): Promise<UnreadyReason | undefined> {
    const { credentials, config } = this.#options;
    if (config.twilio.allowUnsignedStreams) return undefined;
    const twilio = await credentials.twilio();
    if (twilio !== undefined && twilio.authTokens.length > 0) return undefined;
    const { secretArn } = config.twilio;
    const fix =
      secretArn === undefined ? 'set TWILIO_AUTH_TOKEN' : this.#fillSecret('TWILIO_SECRET_ARN', secretArn);
    return { reason: 'no-twilio-token', fix };
  }

  #fillSecret(setting: SecretSetting, secretArn: string): string {
    const { region } = this.#options.config.store;
    return `fill the secret: ${fillSecretCommand(setting, secretArn, region)}`;
  }

  async #publicUrl(): Promise<UnreadyReason | undefined> {
    const { publicUrl, twilio, httpPort } = this.#options.config;
    if (twilio.allowUnsignedStreams || publicUrl !== undefined) return undefined;
    return {
      reason: 'no-public-url',
      fix: `set PUBLIC_URL to the URL that Twilio reaches the relay at; on a laptop: the https URL of a tunnel to ${tunnelTarget(httpPort)}`,
    };
  }

  #store(): Promise<UnreadyReason | undefined> {
    return this.#options.store.probe().then(
      () => undefined,
      (error: unknown) => ({
        reason: 'store-unreachable',
        fix: storeFix(error, this.#options.config.store.endpoint),
      }),
    );
  }
}

function storeFix(error: unknown, endpoint: string | undefined): string {
  if (!(error instanceof Error)) return 'check TRANSCRIPTS_TABLE';
  const { cause } = error;
  if (endpoint !== undefined && isNoAnswer(cause)) {
    return `nothing answers at ${endpoint}; on a laptop: npm run store`;
  }
  const lacksCredentials = cause instanceof Error && cause.name === 'CredentialsProviderError';
  return lacksCredentials ? `${error.message}; on a laptop: npm run store` : error.message;
}

/** The SDK gives the status of every answer, whatever it says. */
function isNoAnswer(error: unknown): boolean {
  const { $metadata } = Object(error) as { $metadata?: { httpStatusCode?: number } };
  return error !== undefined && $metadata?.httpStatusCode === undefined;
}
