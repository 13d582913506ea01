import { setTimeout } from 'node:timers/promises';
import type { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type * as SecretsManager from '@aws-sdk/client-secrets-manager';
import {
  fillSecretCommand,
  GLADIA_SECRET_FIELDS,
  TWILIO_SECRET_FIELDS,
  type SecretSetting,
} from './contract/secrets';
import { KEY_SHAPE, Secret } from './model/secret';
import type { Logger } from './observability/logger';
import { SecretCache } from './secret-cache';
import { LEAST_KEY_LENGTH } from './twilio/stream-ticket';
import type { TwilioCredentials } from './twilio/twilio-credentials';

/** When secrets are read. */
export interface SecretTiming {
  /** Age at which a secret is read again. */
  readonly refreshAgeMs: number;
  /** How soon a secret is read again that is not filled or could not be read. */
  readonly retryMs: number;
  /** Shortest time between two readings because of refusals: a bound for what strangers can cause. */
  readonly refusalGapMs: number;
  /** For one reading, retries included. */
  readonly timeoutMs: number;
}

export const SECRET_TIMING: SecretTiming = {
  refreshAgeMs: 300_000,
  retryMs: 10_000,
  refusalGapMs: 1_000,
  timeoutMs: 3_000,
};

export interface CredentialsOptions {
  /** From the environment; the secret wins where there is one. */
  readonly gladia: { readonly apiKey?: Secret; readonly secretArn?: string };
  readonly twilio: TwilioCredentials & { readonly secretArn?: string };
  /** Keys of stream tickets. */
  readonly ticket?: { readonly keys: readonly Secret[]; readonly secretArn?: string };
  readonly region: string;
  readonly logger: Logger;
  readonly timing?: Partial<SecretTiming>;
  /** Monotonic milliseconds. Default `performance.now`. */
  readonly now?: () => number;
  /** Resolves after so many milliseconds. Default: a timer that keeps no process alive. */
  readonly sleep?: (ms: number) => Promise<unknown>;
}

type Fields = Readonly<Record<string, unknown>>;

interface Source<T> {
  readonly setting: SecretSetting;
  readonly arn: string;
  /** @param text what the secret holds; nothing when it has no value */
  readonly read: (text: string | undefined) => T | undefined;
}

/** A value that may be refused, and fetched again then. */
type Held<T> = Pick<SecretCache<T>, 'get' | 'refresh'>;

/**
 * The keys of the relay, from the environment or from Secrets Manager. A secret that is not filled (no version, no JSON,
 * an empty field, or one that no header takes) gives nothing and is looked at again; a rotated one is taken without a restart. Never rejects.
 */
export class Credentials {
  readonly #options: CredentialsOptions;
  readonly #timing: SecretTiming;
  readonly #gladia: Held<Secret>;
  readonly #twilio: Held<TwilioCredentials>;
  readonly #ticket: Held<readonly Secret[]>;
  #client: SecretsManagerClient | undefined;

  constructor(options: CredentialsOptions) {
    this.#options = options;
    this.#timing = { ...SECRET_TIMING, ...options.timing };
    const { gladia, twilio, ticket = { keys: [] } } = options;
    this.#gladia =
      gladia.secretArn === undefined ? fixed(gladia.apiKey) : this.#cache(gladiaSource(gladia.secretArn));
    this.#twilio =
      twilio.secretArn === undefined
        ? fixed(configured(twilio))
        : this.#cache(twilioSource(twilio.secretArn));
    this.#ticket =
      ticket.secretArn === undefined ? fixed(ticket.keys) : this.#cache(ticketSource(ticket.secretArn));
  }

  gladiaApiKey(): Promise<Secret | undefined> {
    return this.#gladia.get();
  }

  /** Gladia refused the key: reads it again. A key that was rotated before the refusal is found. */
  refreshGladiaApiKey(): Promise<Secret | undefined> {
    return this.#gladia.refresh();
  }

  twilio(): Promise<TwilioCredentials | undefined> {
    return this.#twilio.get();
  }

  /** A signature did not fit, or Twilio refused the key: reads them again, as with Gladia's. */
  refreshTwilio(): Promise<TwilioCredentials | undefined> {
    return this.#twilio.refresh();
  }

  /** The first one signs tickets, all are accepted. None while there is none. */
  async ticketKeys(): Promise<readonly Secret[]> {
    return (await this.#ticket.get()) ?? [];
  }

  /** A ticket did not fit: reads the keys again. */
  async refreshTicketKeys(): Promise<readonly Secret[]> {
    return (await this.#ticket.refresh()) ?? [];
  }

  #cache<T>(source: Source<T>): SecretCache<T> {
    const { now = () => performance.now(), sleep = pause } = this.#options;
    return new SecretCache({ ...this.#timing, fetch: this.#reader(source), now, sleep });
  }

  /** Logs each change once, not each look. */
  #reader<T>(source: Source<T>): () => Promise<T | undefined> {
    const { setting, arn } = source;
    const { logger, region } = this.#options;
    let said: 'filled' | 'not-filled' | 'failed' | undefined;
    return async () => {
      try {
        const value = source.read(await this.#secretString(arn));
        const state = value === undefined ? 'not-filled' : 'filled';
        if (said !== state && state === 'not-filled')
          logger.warn(
            { setting, secret: arn, command: fillSecretCommand(setting, arn, region) },
            'Secret is not filled',
          );
        else if (said !== state) logger.info({ setting, secret: arn }, 'Secret read');
        said = state;
        return value;
      } catch (error) {
        const reason = error instanceof Object && 'name' in error ? error.name : 'unknown';
        if (said !== 'failed') logger.error({ setting, secret: arn, reason }, 'Secret cannot be read');
        said = 'failed';
        throw error;
      }
    };
  }

  /** @returns nothing when the secret has no value */
  async #secretString(arn: string): Promise<string | undefined> {
    // Loaded when it is needed: a relay without secrets starts without the SDK.
    const sdk = require('@aws-sdk/client-secrets-manager') as typeof SecretsManager;
    this.#client ??= new sdk.SecretsManagerClient({ region: this.#options.region });
    try {
      const answer = await this.#client.send(new sdk.GetSecretValueCommand({ SecretId: arn }), {
        abortSignal: AbortSignal.timeout(this.#timing.timeoutMs),
      });
      return answer.SecretString;
    } catch (error) {
      if (error instanceof sdk.ResourceNotFoundException) return undefined;
      throw error;
    }
  }
}

function pause(ms: number): Promise<unknown> {
  return setTimeout(ms, undefined, { ref: false });
}

/** What the environment says stays as it is. */
function fixed<T>(value: T | undefined): Held<T> {
  const get = (): Promise<T | undefined> => Promise.resolve(value);
  return { get, refresh: get };
}

function gladiaSource(arn: string): Source<Secret> {
  return {
    setting: 'GLADIA_SECRET_ARN',
    arn,
    read: (text) => secretOf(parseFields(text)[GLADIA_SECRET_FIELDS.apiKey]),
  };
}

/** Plain text, as the stack has it generated; during a rotation the new key and the old one, with a comma. */
function ticketSource(arn: string): Source<readonly Secret[]> {
  return {
    setting: 'TICKET_SECRET_ARN',
    arn,
    read(text) {
      const keys = secretsOf(text).filter((key) => key.reveal().length >= LEAST_KEY_LENGTH);
      return keys.length === 0 ? undefined : keys;
    },
  };
}

function twilioSource(arn: string): Source<TwilioCredentials> {
  const names = TWILIO_SECRET_FIELDS;
  return {
    setting: 'TWILIO_SECRET_ARN',
    arn,
    read(text) {
      const fields = parseFields(text);
      const accountSid = textOf(fields[names.accountSid]);
      const authToken = secretOf(fields[names.authToken]);
      const sid = textOf(fields[names.apiKeySid]);
      const secret = secretOf(fields[names.apiKeySecret]);
      if (authToken === undefined) return undefined;
      return {
        ...(accountSid === undefined ? {} : { accountSid }),
        authTokens: [authToken, ...secretsOf(fields[names.otherAuthTokens])],
        ...(sid === undefined || secret === undefined ? {} : { apiKey: { sid, secret } }),
      };
    },
  };
}

function configured({ accountSid, authTokens, apiKey }: TwilioCredentials): TwilioCredentials | undefined {
  if (accountSid === undefined && authTokens.length === 0 && apiKey === undefined) return undefined;
  return {
    ...(accountSid === undefined ? {} : { accountSid }),
    authTokens,
    ...(apiKey === undefined ? {} : { apiKey }),
  };
}

/** Fields of a JSON object, or none: what is not one is not filled. */
function parseFields(text: string | undefined): Fields {
  try {
    const value: unknown = JSON.parse(text ?? '');
    return typeof value === 'object' && value !== null ? (value as Fields) : {};
  } catch {
    return {};
  }
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value.trim() !== '' ? value.trim() : undefined;
}

function secretOf(value: unknown): Secret | undefined {
  const text = textOf(value);
  return text === undefined || !KEY_SHAPE.test(text) ? undefined : new Secret(text);
}

/** An array, or a list with commas. */
function secretsOf(value: unknown): readonly Secret[] {
  const values: readonly unknown[] = Array.isArray(value) ? value : (textOf(value)?.split(',') ?? []);
  return values.map(secretOf).filter((secret) => secret !== undefined);
}
