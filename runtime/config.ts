import { LONGEST_DRAIN_TIMEOUT_MS } from './contract/durations';
import { SETTINGS, type SettingName } from './contract/settings';
import { type Track } from './model/audio';
import { counted } from './model/counted';
import { KEY_SHAPE, Secret } from './model/secret';
import { parseGladiaSessionOptions, type GladiaSessionOptions } from './speech/gladia/gladia-session-options';
import { checkVerbs } from './twilio/check-verbs';
import { LEAST_KEY_LENGTH } from './twilio/stream-ticket';
import type { TicketPolicy } from './twilio/stream-tickets';
import type { CallContinuation } from './twilio/voice-twiml';

/** Every setting of the relay, read and checked. What each means: `contract/settings.ts`. */
export interface RelayConfig {
  readonly httpPort: number;
  readonly adminPort: number;
  readonly publicUrl?: string;
  readonly mediaPath: string;
  readonly twilio: {
    readonly accountSid?: string;
    readonly authTokens: readonly Secret[];
    readonly secretArn?: string;
    readonly allowUnsignedStreams: boolean;
    /** What follows `<Start>` in the TwiML of `/voice`. */
    readonly next?: CallContinuation;
    readonly apiUrl: string;
    readonly apiKey?: { readonly sid: string; readonly secret: Secret };
    /** Whether the REST API may be asked: with an API key, an explicit URL, or in AWS. */
    readonly isRestAllowed: boolean;
  };
  readonly ticket: {
    readonly policy: TicketPolicy;
    readonly keys: readonly Secret[];
    readonly secretArn?: string;
  };
  readonly gladia: {
    readonly apiKey?: Secret;
    readonly secretArn?: string;
    readonly apiUrl: string;
    readonly region?: 'us-west' | 'eu-west';
    readonly sessionOptions: GladiaSessionOptions;
    /** `Infinity` for no limit. */
    readonly maxSessions: number;
  };
  /** In channel order. */
  readonly tracks: readonly Track[];
  readonly audioChunkMs: number;
  readonly store: {
    readonly table: string;
    readonly region: string;
    readonly endpoint?: string;
    readonly storesWords: boolean;
    readonly retentionDays: number;
  };
  readonly maxCalls: number;
  readonly limits: {
    /** `Infinity` for no limit. */
    readonly callsPerAccount: number;
    readonly connections: number;
    readonly handshakesPerSecond: number;
    readonly maxCallMs: number;
    readonly mediaTimeoutMs: number;
    readonly startTimeoutMs: number;
    readonly requestTimeoutMs: number;
    readonly headerBytes: number;
    readonly bodyBytes: number;
    readonly messageBytes: number;
  };
  readonly backlogCallMs: number;
  readonly backlogProcessBytes: number;
  /** `Infinity` for no limit. */
  readonly catchUpFactor: number;
  readonly drainTimeoutMs: number;
  readonly consoleTranscripts: 'auto' | 'on' | 'off';
  /** Where traces of calls go. */
  readonly otlpTracesUrl?: string | undefined;
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error' | 'silent';
}

/** Settings that are wrong: one line each, which names the setting, what is wrong and what is allowed. */
export class ConfigError extends Error {
  constructor(readonly problems: readonly string[]) {
    super(problems.join('\n'));
    this.name = 'ConfigError';
  }
}

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads the settings from an environment, all at once, so that one start shows every wrong one.
 * @throws {ConfigError}
 */
export function loadConfig(environment: Environment): RelayConfig {
  const read = new SettingReader(environment);
  const twilioSecretArn = read.text('TWILIO_SECRET_ARN', NAME);
  const gladiaSecretArn = read.text('GLADIA_SECRET_ARN', NAME);
  const apiKeySid = read.text('TWILIO_API_KEY_SID', /^SK[0-9a-fA-F]{32}$/);
  const apiKeySecret = read.secret('TWILIO_API_KEY_SECRET');
  const config: RelayConfig = {
    httpPort: read.whole('HTTP_PORT', 0, 65_535),
    adminPort: read.whole('ADMIN_PORT', 0, 65_535),
    ...some('publicUrl', read.url('PUBLIC_URL')),
    mediaPath: read.text('MEDIA_PATH', /^\/[A-Za-z0-9._~/-]*[A-Za-z0-9._~-]$/) ?? '',
    twilio: {
      ...some('accountSid', read.text('TWILIO_ACCOUNT_SID', /^AC[0-9a-fA-F]{32}$/)),
      authTokens: read.secrets('TWILIO_AUTH_TOKEN'),
      ...some('secretArn', twilioSecretArn),
      allowUnsignedStreams: read.truth('ALLOW_UNSIGNED_STREAMS'),
      ...some('next', continuation(read)),
      apiUrl: read.url('TWILIO_API_URL') ?? '',
      ...some(
        'apiKey',
        apiKeySid !== undefined && apiKeySecret !== undefined
          ? { sid: apiKeySid, secret: apiKeySecret }
          : undefined,
      ),
      isRestAllowed: apiKeySid !== undefined || read.isSet('TWILIO_API_URL') || twilioSecretArn !== undefined,
    },
    ticket: {
      policy: read.oneOf('STREAM_TICKET', ['required', 'when-issued', 'off']) ?? 'when-issued',
      keys: read.secrets('TICKET_KEY', LEAST_KEY_LENGTH),
      ...some('secretArn', read.text('TICKET_SECRET_ARN', NAME)),
    },
    gladia: {
      ...some('apiKey', read.secret('GLADIA_API_KEY')),
      ...some('secretArn', gladiaSecretArn),
      apiUrl: read.url('GLADIA_API_URL') ?? '',
      ...some('region', read.oneOf<'us-west' | 'eu-west'>('GLADIA_REGION', ['us-west', 'eu-west'])),
      sessionOptions: read.parsed('GLADIA_SESSION_OPTIONS', parseGladiaSessionOptions) ?? {},
      maxSessions: read.isSet('GLADIA_MAX_SESSIONS')
        ? read.whole('GLADIA_MAX_SESSIONS', 1, 100_000)
        : Infinity,
    },
    tracks: read.oneOf('TRACKS', ['both', 'inbound']) === 'inbound' ? ['inbound'] : ['inbound', 'outbound'],
    audioChunkMs: read.whole('AUDIO_CHUNK_MS', 20, 100),
    store: {
      table: read.text('TRANSCRIPTS_TABLE', /^[A-Za-z0-9_.-]{3,255}$/) ?? '',
      region: read.text('AWS_REGION', /^[a-z]{2}(-[a-z]+)+-\d$/) ?? '',
      ...some('endpoint', read.url('AWS_ENDPOINT_URL_DYNAMODB')),
      storesWords: read.truth('STORE_WORDS'),
      retentionDays: read.whole('RETENTION_DAYS', 1, 3650),
    },
    maxCalls: read.whole('MAX_CALLS', 1, 100_000),
    limits: {
      callsPerAccount: read.isSet('MAX_CALLS_PER_ACCOUNT')
        ? read.whole('MAX_CALLS_PER_ACCOUNT', 1, 100_000)
        : Infinity,
      connections: read.whole('MAX_CONNECTIONS', 10, 1_000_000),
      handshakesPerSecond: read.whole('MAX_HANDSHAKES_PER_SECOND', 1, 100_000),
      maxCallMs: read.whole('MAX_CALL_MS', 1_000, 604_800_000),
      mediaTimeoutMs: read.whole('MEDIA_TIMEOUT_MS', 1_000, 86_400_000),
      startTimeoutMs: read.whole('START_TIMEOUT_MS', 1_000, 60_000),
      requestTimeoutMs: read.whole('REQUEST_TIMEOUT_MS', 1_000, 60_000),
      headerBytes: read.whole('MAX_HEADER_BYTES', 8_192, 65_536),
      bodyBytes: read.whole('MAX_BODY_BYTES', 8_192, 1_048_576),
      messageBytes: read.whole('MAX_MESSAGE_BYTES', 4_096, 1_048_576),
    },
    backlogCallMs: read.whole('BACKLOG_CALL_MS', 1_000, 3_600_000),
    backlogProcessBytes: read.whole('BACKLOG_PROCESS_BYTES', 1_048_576, 17_179_869_184),
    catchUpFactor: read.isSet('CATCH_UP_FACTOR') ? read.decimal('CATCH_UP_FACTOR', 1.1, 100) : Infinity,
    drainTimeoutMs: read.whole('DRAIN_TIMEOUT_MS', 1_000, LONGEST_DRAIN_TIMEOUT_MS),
    consoleTranscripts: read.oneOf('CONSOLE_TRANSCRIPTS', ['auto', 'on', 'off']) ?? 'auto',
    otlpTracesUrl: read.url('OTLP_TRACES_URL'),
    logLevel: read.oneOf('LOG_LEVEL', ['debug', 'info', 'warn', 'error', 'silent']) ?? 'info',
  };
  checkTogether(read, config);
  if (read.problems.length > 0) throw new ConfigError(read.problems);
  return config;
}

/** Secrets Manager takes ARNs and names. */
const NAME = /^[A-Za-z0-9/_+=.@:-]{1,2048}$/;

function continuation(read: SettingReader): CallContinuation | undefined {
  const twiml = read.text('VOICE_TWIML');
  const number = read.text('DIAL_NUMBER', /^\+[1-9]\d{1,14}$/);
  const url = read.url('VOICE_NEXT_URL', { withQuery: true });
  if ([twiml, number, url].filter((value) => value !== undefined).length > 1) {
    read.problems.push('VOICE_TWIML, DIAL_NUMBER, VOICE_NEXT_URL: set at most one of them');
  }
  if (twiml !== undefined) {
    const fault = checkVerbs(twiml);
    if (fault !== undefined)
      read.problems.push(`VOICE_TWIML: ${fault}; allowed: ${SETTINGS.VOICE_TWIML.allowed}`);
    return { kind: 'verbs', xml: twiml };
  }
  if (number !== undefined) return { kind: 'dial', number };
  return url === undefined ? undefined : { kind: 'redirect', url };
}

function checkTogether(read: SettingReader, config: RelayConfig): void {
  const { twilio } = config;
  if (read.isSet('TWILIO_API_KEY_SID') !== read.isSet('TWILIO_API_KEY_SECRET')) {
    read.problems.push('TWILIO_API_KEY_SID, TWILIO_API_KEY_SECRET: set both or none');
  }
  const checksSignatures = twilio.authTokens.length > 0 || twilio.secretArn !== undefined;
  if (checksSignatures && config.publicUrl === undefined && !read.isSet('PUBLIC_URL')) {
    read.problems.push(
      `PUBLIC_URL: needed to check Twilio's signatures; on a laptop start a tunnel to ${tunnelTarget(config.httpPort)}, such as cloudflared or ngrok, and set the https URL it prints; allowed: ${SETTINGS.PUBLIC_URL.allowed}`,
    );
  }
  if (config.httpPort !== 0 && config.httpPort === config.adminPort) {
    read.problems.push('ADMIN_PORT: is the same as HTTP_PORT; set another port');
  }
}

/** @param httpPort 0: any free port, which nobody can name before the start */
export function tunnelTarget(httpPort: number): string {
  return httpPort === 0 ? "the relay's port (HTTP_PORT=5000 fixes it)" : `port ${httpPort}`;
}

/** Reads one setting after the other and collects what is wrong. Blank means absent. */
class SettingReader {
  readonly problems: string[] = [];
  readonly #environment: Environment;

  constructor(environment: Environment) {
    this.#environment = environment;
  }

  isSet(name: SettingName): boolean {
    return (this.#environment[name] ?? '').trim() !== '';
  }

  text(name: SettingName, shape?: RegExp): string | undefined {
    const value = this.#value(name);
    if (value === undefined || shape === undefined || shape.test(value)) return value;
    return this.#refuse(name, value);
  }

  secret(name: SettingName): Secret | undefined {
    const value = this.text(name, KEY_SHAPE);
    return value === undefined ? undefined : new Secret(value);
  }

  secrets(name: SettingName, leastLength = 1): readonly Secret[] {
    const values = (this.#value(name) ?? '').split(',').map((value) => value.trim());
    const given = values.filter((value) => value !== '');
    const unusable = given.find((value) => !KEY_SHAPE.test(value) || value.length < leastLength);
    if (unusable !== undefined) this.#refuse(name, unusable);
    return given.map((value) => new Secret(value));
  }

  whole(name: SettingName, least: number, most: number): number {
    const value = this.#value(name) ?? '';
    const number = /^\d{1,12}$/.test(value) ? Number(value) : NaN;
    if (number >= least && number <= most) return number;
    this.#refuse(name, value);
    return least;
  }

  decimal(name: SettingName, least: number, most: number): number {
    const value = this.#value(name) ?? '';
    const number = /^\d{1,6}(\.\d{1,6})?$/.test(value) ? Number(value) : NaN;
    if (number >= least && number <= most) return number;
    this.#refuse(name, value);
    return least;
  }

  truth(name: SettingName): boolean {
    return this.oneOf(name, ['true', 'false']) === 'true';
  }

  oneOf<T extends string>(name: SettingName, allowed: readonly T[]): T | undefined {
    const value = this.#value(name);
    const found = allowed.find((candidate) => candidate === value);
    if (value !== undefined && found === undefined) this.#refuse(name, value);
    return found;
  }

  /** Without a slash at the end. */
  url(name: SettingName, { withQuery = false } = {}): string | undefined {
    const value = this.#value(name);
    if (value === undefined) return undefined;
    if (!isPlainUrl(value, withQuery)) return this.#refuse(name, value);
    return withQuery ? value : value.replace(/\/+$/, '');
  }

  parsed<T>(name: SettingName, parse: (text: string) => T): T | undefined {
    const value = this.#value(name);
    if (value === undefined) return undefined;
    try {
      return parse(value);
    } catch (error) {
      const fault = error instanceof Error ? error.message : 'is not valid';
      this.problems.push(`${name}: ${fault}; allowed: ${SETTINGS[name].allowed}`);
      return undefined;
    }
  }

  #value(name: SettingName): string | undefined {
    const value = (this.#environment[name] ?? '').trim();
    return value === '' ? SETTINGS[name].fallback : value;
  }

  /** Says the value's shape and not the value: somebody may have put a secret there. */
  #refuse(name: SettingName, value: string): undefined {
    this.problems.push(`${name}: ${shapeOf(value)}; allowed: ${SETTINGS[name].allowed}`);
    return undefined;
  }
}

function isPlainUrl(value: string, withQuery: boolean): boolean {
  if (!URL.canParse(value)) return false;
  const { protocol, hash, username, password, search } = new URL(value);
  const isHttp = protocol === 'http:' || protocol === 'https:';
  return isHttp && hash === '' && username === '' && password === '' && (withQuery || search === '');
}

function shapeOf(value: string): string {
  const kind = /^-?\d+$/.test(value)
    ? 'a whole number'
    : /^-?\d+\.\d+$/.test(value)
      ? 'a number with a fraction'
      : 'a text';
  return `is ${kind} of ${counted(value.length, 'character')}`;
}

function some<K extends string, T>(key: K, value: T | undefined): { readonly [P in K]?: T } {
  return value === undefined ? {} : ({ [key]: value } as { [P in K]: T });
}
