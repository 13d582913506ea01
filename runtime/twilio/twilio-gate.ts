import { randomBytes } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { isDeepStrictEqual } from 'node:util';
import { Secret } from '../model/secret';
import type { Logger } from '../observability/logger';
import type { Metrics } from '../observability/metrics';
import { publicUrlCandidates, webhookUrl, streamUrl, type DoorKind } from './public-url';
import type { TwilioCredentials } from './twilio-credentials';
import { checkTwilioSignature, signedForm, type FormFields, type SignatureCheck } from './twilio-signature';

export interface GateOptions {
  /** The setting `PUBLIC_URL`. */
  readonly publicUrl?: string | undefined;
  /** The setting `ALLOW_UNSIGNED_STREAMS`: takes everything. */
  readonly allowUnsigned: boolean;
  readonly credentials: () => Promise<TwilioCredentials | undefined>;
  /** Fetches the credentials again, because a token may be new; must bound how often it really does. */
  readonly refreshCredentials?: (() => Promise<TwilioCredentials | undefined>) | undefined;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** A wrong setting refuses every request, so its advice is logged at most this often. Default 10 s. */
  readonly adviceIntervalMs?: number;
  /** Monotonic milliseconds. Default `performance.now`. */
  readonly now?: () => number;
}

/** One request as far as its signature goes. */
export interface GateRequest {
  readonly kind: DoorKind;
  /** The route's own path, whatever a proxy put before it. */
  readonly path: string;
  readonly query: string;
  readonly headers: IncomingHttpHeaders;
  readonly fields?: FormFields;
}

/** A form is put in order once, however often its signature is looked at. */
interface Knock extends GateRequest {
  readonly form: Buffer;
}

export type Passage =
  | { readonly passed: true; readonly credentials: TwilioCredentials | undefined }
  | { readonly passed: false; readonly status: 403 };

type RefusalReason = 'no-public-url' | 'no-credentials' | 'no-signature' | 'bad-signature';

const ADVICE: Readonly<Record<RefusalReason, string>> = {
  'no-public-url': 'Requests are refused: set PUBLIC_URL to the URL that Twilio reaches the relay at',
  'no-credentials':
    'Requests are refused: there is no Twilio auth token to check signatures with; set TWILIO_AUTH_TOKEN, or fill the secret of TWILIO_SECRET_ARN',
  'no-signature':
    'A request without X-Twilio-Signature was refused: either it is not from Twilio, or a proxy takes the header off',
  'bad-signature':
    "A request was refused: its signature does not fit. Compare expectedUrl with the URL configured at Twilio (PUBLIC_URL must be that URL's beginning), and TWILIO_AUTH_TOKEN with the primary auth token of the account that owns the call",
};

const OTHER_URL =
  'A request was refused although a known token has signed it: for signedUrl. Set PUBLIC_URL to what that URL begins with, or correct the URL configured at Twilio';

/** What is looked at where there is nothing to look at, so that it takes as long. */
const NO_TOKEN = new Secret(randomBytes(16).toString('hex'));
const NO_URL = 'https://relay.invalid';
/** Requests that wait for newer credentials; a flood is refused with those that are known. */
const MOST_WAITING = 500;

/**
 * Lets through what Twilio signed, counts every refusal, and says what to fix without quoting anything secret. Whatever
 * the reason, a refusal is the same answer after the same work: who knocks learns nothing from it.
 */
export class TwilioGate {
  readonly #options: GateOptions;
  readonly #now: () => number;
  readonly #advisedAt = new Map<RefusalReason, number>();
  readonly #seenTokens = new Set<number>();
  #waiting = 0;

  constructor(options: GateOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
  }

  async check(request: GateRequest): Promise<Passage> {
    const { allowUnsigned, credentials: known } = this.#options;
    const credentials = await known();
    if (allowUnsigned) return { passed: true, credentials };
    const knock = { ...request, form: signedForm(request.fields ?? []) };
    const check = this.#look(knock, credentials);
    if (check.ok) return this.#pass(credentials, check.tokenIndex);
    const renewed = await this.#renewed(credentials);
    const again = haveSameTokens(renewed, credentials) ? check : this.#look(knock, renewed);
    if (again.ok) return this.#pass(renewed, again.tokenIndex);
    return this.#refuse(this.#reasonOf(again.reason, renewed), knock, renewed);
  }

  /** A token may be newer than the known ones. */
  async #renewed(known: TwilioCredentials | undefined): Promise<TwilioCredentials | undefined> {
    const { refreshCredentials } = this.#options;
    if (refreshCredentials === undefined || this.#waiting >= MOST_WAITING) return known;
    this.#waiting += 1;
    try {
      return (await refreshCredentials()) ?? known;
    } finally {
      this.#waiting -= 1;
    }
  }

  #look(knock: Knock, credentials: TwilioCredentials | undefined): SignatureCheck {
    const tokens = credentials?.authTokens ?? [];
    const { publicUrl } = this.#options;
    const check = checkSignature(knock, publicUrl ?? NO_URL, tokens.length > 0 ? tokens : [NO_TOKEN]);
    const isPossible = publicUrl !== undefined && tokens.length > 0;
    return check.ok && !isPossible ? { ok: false, reason: 'mismatch' } : check;
  }

  #reasonOf(reason: 'no-header' | 'mismatch', credentials: TwilioCredentials | undefined): RefusalReason {
    if (this.#options.publicUrl === undefined) return 'no-public-url';
    if ((credentials?.authTokens ?? []).length === 0) return 'no-credentials';
    return reason === 'no-header' ? 'no-signature' : 'bad-signature';
  }

  /** Which token fits is worth a line when it changes: during a rotation it says which one Twilio signs with. */
  #pass(credentials: TwilioCredentials | undefined, tokenIndex: number): Passage {
    const { logger, metrics } = this.#options;
    metrics.count('requestsSigned');
    if (this.#seenTokens.has(tokenIndex)) logger.debug({ tokenIndex }, 'Signature fits');
    else
      logger.info({ tokenIndex }, 'A signature fits the token with this number, from 0, for the first time');
    this.#seenTokens.add(tokenIndex);
    return { passed: true, credentials };
  }

  #refuse(reason: RefusalReason, knock: Knock, known: TwilioCredentials | undefined): Passage {
    const { metrics, adviceIntervalMs = 10_000 } = this.#options;
    metrics.count('requestsRefused', 1, reason);
    const advisedAt = this.#advisedAt.get(reason);
    if (advisedAt === undefined || this.#now() - advisedAt >= adviceIntervalMs) {
      this.#advisedAt.set(reason, this.#now());
      this.#advise(reason, knock, known);
    }
    return { passed: false, status: 403 };
  }

  #advise(reason: RefusalReason, knock: Knock, known: TwilioCredentials | undefined): void {
    const { publicUrl, logger } = this.#options;
    const { kind, path } = knock;
    const urlOf = kind === 'stream' ? streamUrl : webhookUrl;
    const expectedUrl = publicUrl === undefined ? undefined : urlOf(publicUrl, path);
    const signedFor = reason === 'bad-signature' ? otherPublicUrl(knock, known?.authTokens ?? []) : undefined;
    const signedUrl = signedFor === undefined ? {} : { signedUrl: urlOf(signedFor, path) };
    logger.warn(
      { reason, path, expectedUrl, ...signedUrl },
      signedFor === undefined ? ADVICE[reason] : OTHER_URL,
    );
  }
}

/**
 * The public URL that a refused request was really signed for, going by its headers. It lets nothing in; it is what to
 * set `PUBLIC_URL` to, and may be told, because a known token has signed it.
 */
function otherPublicUrl(knock: Knock, tokens: readonly Secret[]): string | undefined {
  const names = [knock.headers.host, knock.headers['x-forwarded-host']];
  const hosts = names.filter((name): name is string => /^[\w.-]+(:\d{1,5})?$/.test(String(name)));
  const urls = hosts.flatMap((host) => [`https://${host}`, `http://${host}`]);
  return urls.find((url) => checkSignature(knock, url, tokens).ok);
}

/** Each renewal makes new objects, of what is nearly always the same. */
function haveSameTokens(one: TwilioCredentials | undefined, other: TwilioCredentials | undefined): boolean {
  const [tokens, others] = [one, other].map((each) =>
    (each?.authTokens ?? []).map((token) => token.reveal()),
  );
  return isDeepStrictEqual(tokens, others);
}

function checkSignature(
  { kind, path, query, headers, form }: Knock,
  publicUrl: string,
  tokens: readonly Secret[],
): SignatureCheck {
  const header = headers['x-twilio-signature'];
  return checkTwilioSignature({
    header: typeof header === 'string' ? header : undefined,
    tokens,
    urls: publicUrlCandidates({ publicUrl, path, kind, query }),
    form,
  });
}
