import type { CallDirection } from '../model/transcript-event';
import type { TwilioCredentials } from './twilio-credentials';

export type TwilioRestErrorCode =
  | 'no-credentials'
  | 'unauthorized'
  | 'not-found'
  | 'too-many-requests'
  | 'refused'
  | 'server-error'
  | 'bad-answer'
  | 'timeout'
  | 'network';

/** A request that failed. Its message holds no sid, number or key. */
export class TwilioRestError extends Error {
  readonly code: TwilioRestErrorCode;
  /** HTTP status; absent when there was no answer. */
  readonly status?: number;
  /** Twilio's own error number, such as 20404 (twilio-media-streams.md, 5.4). */
  readonly twilioCode?: number;
  /** The same request may succeed later. */
  readonly retryable: boolean;

  constructor(
    code: TwilioRestErrorCode,
    answer: { readonly status?: number; readonly twilioCode?: number; readonly cause?: unknown } = {},
  ) {
    const { status, twilioCode, cause } = answer;
    const details = [status && `HTTP ${status}`, twilioCode && `error ${twilioCode}`].filter(Boolean);
    super(`Twilio's REST API: ${code}${details.length > 0 ? ` (${details.join(', ')})` : ''}`, { cause });
    this.name = 'TwilioRestError';
    this.code = code;
    this.retryable = RETRYABLE.has(code);
    if (status !== undefined) this.status = status;
    if (twilioCode !== undefined) this.twilioCode = twilioCode;
  }
}

const RETRYABLE: ReadonlySet<TwilioRestErrorCode> = new Set([
  'too-many-requests',
  'server-error',
  'timeout',
  'network',
]);

/** What Twilio knows of a call. */
export interface TwilioCall {
  /** Such as `in-progress` or `completed` (5.6). */
  readonly status: string;
  readonly from?: string;
  readonly to?: string;
  readonly direction: CallDirection;
}

export interface TwilioRestOptions {
  /** The setting `TWILIO_API_URL`. */
  readonly apiUrl: string;
  readonly credentials: () => Promise<TwilioCredentials | undefined>;
  /** For the whole answer. Default 5 s. */
  readonly timeoutMs?: number;
}

/** Twilio's REST API, as far as a relay asks it. One attempt a request: the caller decides about another. */
export class TwilioRest {
  readonly #options: TwilioRestOptions;

  constructor(options: TwilioRestOptions) {
    this.#options = options;
  }

  /**
   * @param accountSid account of the call, when the credentials name none
   * @throws TwilioRestError
   */
  async fetchCall(callSid: string, accountSid?: string): Promise<TwilioCall> {
    const credentials = await this.#options.credentials();
    const account = credentials?.accountSid ?? accountSid;
    const authorization = credentials === undefined ? undefined : basicAuth(credentials, account);
    if (account === undefined || authorization === undefined) throw new TwilioRestError('no-credentials');
    const path = `/2010-04-01/Accounts/${encodeURIComponent(account)}/Calls/${encodeURIComponent(callSid)}.json`;
    const { status, body } = await this.#get(path, authorization);
    if (status !== 200) throw refusal(status, body);
    const call = callOf(body);
    if (call === undefined) throw new TwilioRestError('bad-answer', { status });
    return call;
  }

  async #get(path: string, authorization: string): Promise<{ status: number; body: Fields }> {
    const { apiUrl, timeoutMs = 5_000 } = this.#options;
    const signal = AbortSignal.timeout(timeoutMs);
    try {
      const response = await fetch(`${apiUrl.replace(/\/+$/, '')}${path}`, {
        headers: { authorization, accept: 'application/json' },
        // Credentials go to the configured host only.
        redirect: 'manual',
        signal,
      });
      return { status: response.status, body: fieldsOf(await response.text()) };
    } catch (error) {
      throw new TwilioRestError(signal.aborted ? 'timeout' : 'network', { cause: error });
    }
  }
}

type Fields = Readonly<Record<string, unknown>>;

/** An API key where there is one: it can be restricted and withdrawn without touching signatures (5.7). */
function basicAuth(
  { apiKey, authTokens }: TwilioCredentials,
  account: string | undefined,
): string | undefined {
  const token = authTokens[0];
  const pair =
    apiKey !== undefined
      ? `${apiKey.sid}:${apiKey.secret.reveal()}`
      : account !== undefined && token !== undefined
        ? `${account}:${token.reveal()}`
        : undefined;
  return pair === undefined ? undefined : `Basic ${Buffer.from(pair).toString('base64')}`;
}

function refusal(status: number, { code }: Fields): TwilioRestError {
  const answer = typeof code === 'number' ? { status, twilioCode: code } : { status };
  if (status === 401 || status === 403) return new TwilioRestError('unauthorized', answer);
  if (status === 404) return new TwilioRestError('not-found', answer);
  if (status === 429) return new TwilioRestError('too-many-requests', answer);
  return new TwilioRestError(status >= 500 ? 'server-error' : 'refused', answer);
}

function callOf({ status, from, to, direction }: Fields): TwilioCall | undefined {
  if (typeof status !== 'string' || status === '') return undefined;
  return {
    status,
    ...(typeof from === 'string' && from !== '' ? { from } : {}),
    ...(typeof to === 'string' && to !== '' ? { to } : {}),
    direction: directionOf(direction),
  };
}

/** Twilio has more (`trunking-originating`); who is the customer cannot be told from those. */
function directionOf(value: unknown): CallDirection {
  return value === 'inbound' || value === 'outbound-api' || value === 'outbound-dial' ? value : 'unknown';
}

function fieldsOf(text: string): Fields {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Fields) : {};
  } catch {
    return {};
  }
}
