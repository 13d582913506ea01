import type { Track } from '../model/audio';
import type { CallDirection } from '../model/transcript-event';
import type { TwilioCredentials } from './twilio-credentials';
import { PARAMETER_LIMIT, twilioTrack } from './voice-twiml';

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

/** A stream to be made on a live call (twilio-media-streams.md, 5.1). */
export interface NewStream {
  readonly url: string;
  /** Unique per attempt: whether Twilio lets a call use a name twice is UNKNOWN. */
  readonly name: string;
  readonly tracks: readonly Track[];
  readonly statusCallback: string;
  readonly parameters: Readonly<Record<string, string>>;
}

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
    const { status, body } = await this.#request({ accountSid, path: `Calls/${sid(callSid)}` });
    const call = callOf(body);
    if (call === undefined) throw new TwilioRestError('bad-answer', { status });
    return call;
  }

  /**
   * Success does not mean that the stream's handshake worked: its socket, or a `stream-error`, tells that (5.1).
   * @returns the new stream's sid
   * @throws TwilioRestError; see `isCallNotInProgress`
   */
  async createStream(callSid: string, accountSid: string, stream: NewStream): Promise<string> {
    const { status, body } = await this.#request({
      accountSid,
      path: `Calls/${sid(callSid)}/Streams`,
      form: streamForm(stream),
    });
    if (typeof body['sid'] !== 'string') throw new TwilioRestError('bad-answer', { status });
    return body['sid'];
  }

  /**
   * A stream that Twilio does not know any more is stopped (5.4).
   * @param stream sid or name
   * @throws TwilioRestError
   */
  async stopStream(callSid: string, accountSid: string, stream: string): Promise<void> {
    const path = `Calls/${sid(callSid)}/Streams/${sid(stream)}`;
    try {
      await this.#request({ accountSid, path, form: new URLSearchParams({ Status: 'stopped' }) });
    } catch (error) {
      if (!(error instanceof TwilioRestError) || error.code !== 'not-found') throw error;
    }
  }

  /** Answers with 2xx only. */
  async #request(question: {
    readonly accountSid: string | undefined;
    /** Below the account, without `.json`. */
    readonly path: string;
    readonly form?: URLSearchParams;
  }): Promise<{ status: number; body: Fields }> {
    const credentials = await this.#options.credentials();
    const account = credentials?.accountSid ?? question.accountSid;
    const authorization = credentials === undefined ? undefined : basicAuth(credentials, account);
    if (account === undefined || authorization === undefined) throw new TwilioRestError('no-credentials');
    const path = `/2010-04-01/Accounts/${sid(account)}/${question.path}.json`;
    const { status, body } = await this.#fetch(path, authorization, question.form);
    if (status < 200 || status > 299) throw refusal(status, body);
    return { status, body };
  }

  async #fetch(
    path: string,
    authorization: string,
    form: URLSearchParams | undefined,
  ): Promise<{ status: number; body: Fields }> {
    const { apiUrl, timeoutMs = 5_000 } = this.#options;
    const signal = AbortSignal.timeout(timeoutMs);
    try {
      const response = await fetch(`${apiUrl.replace(/\/+$/, '')}${path}`, {
        headers: { authorization, accept: 'application/json' },
        // Credentials go to the configured host only.
        redirect: 'manual',
        signal,
        ...(form === undefined ? {} : { method: 'POST', body: form }),
      });
      return { status: response.status, body: fieldsOf(await response.text()) };
    } catch (error) {
      throw new TwilioRestError(signal.aborted ? 'timeout' : 'network', { cause: error });
    }
  }
}

/** Twilio's number for a call that is not in progress: documented for a sibling resource, believed for streams (5.4). */
const INVALID_CALL_STATE = 21220;

/** The call is over, or not answered yet: it takes no stream now. */
export function isCallNotInProgress(error: unknown): boolean {
  return (
    error instanceof TwilioRestError &&
    (error.code === 'not-found' || error.twilioCode === INVALID_CALL_STATE)
  );
}

const MOST_PARAMETERS = 99;

function streamForm({ url, name, tracks, statusCallback, parameters }: NewStream): URLSearchParams {
  const form = new URLSearchParams({
    Url: url,
    Name: name,
    Track: twilioTrack(tracks),
    StatusCallback: statusCallback,
  });
  Object.entries(parameters)
    .filter(([key, value]) => key.length + value.length < PARAMETER_LIMIT)
    .slice(0, MOST_PARAMETERS)
    .forEach(([key, value], index) => {
      form.set(`Parameter${index + 1}.Name`, key);
      form.set(`Parameter${index + 1}.Value`, value);
    });
  return form;
}

const sid = encodeURIComponent;

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
