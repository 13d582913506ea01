import type { IncomingHttpHeaders } from 'node:http';
import type { Logger } from '../observability/logger';
import type { Metrics } from '../observability/metrics';
import { publicUrlCandidates, webhookUrl, streamUrl, type DoorKind } from './public-url';
import type { TwilioCredentials } from './twilio-credentials';
import { checkTwilioSignature, type FormFields, type SignatureCheck } from './twilio-signature';

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

export type Passage =
  | { readonly passed: true; readonly credentials: TwilioCredentials | undefined }
  | { readonly passed: false; readonly status: 403 | 503 };

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

/** Lets through what Twilio signed, counts every refusal, and says what to fix without quoting anything secret. */
export class TwilioGate {
  readonly #options: GateOptions;
  readonly #now: () => number;
  readonly #advisedAt = new Map<RefusalReason, number>();

  constructor(options: GateOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
  }

  async check(request: GateRequest): Promise<Passage> {
    const { publicUrl, allowUnsigned, credentials: known, refreshCredentials } = this.#options;
    if (allowUnsigned) return { passed: true, credentials: await known() };
    if (publicUrl === undefined) return this.#refuse('no-public-url', request);
    const credentials = await known();
    if (credentials === undefined || credentials.authTokens.length === 0)
      return this.#refuse('no-credentials', request);
    const check = checkSignature(request, publicUrl, credentials);
    if (check.ok) return this.#pass(credentials, check.tokenIndex);
    if (check.reason === 'no-header') return this.#refuse('no-signature', request);
    const renewed = await refreshCredentials?.();
    const again = renewed === undefined ? check : checkSignature(request, publicUrl, renewed);
    return again.ok ? this.#pass(renewed, again.tokenIndex) : this.#refuse('bad-signature', request);
  }

  #pass(credentials: TwilioCredentials | undefined, tokenIndex: number): Passage {
    this.#options.logger.debug({ tokenIndex }, 'Signature fits');
    return { passed: true, credentials };
  }

  #refuse(reason: RefusalReason, { kind, path }: GateRequest): Passage {
    const { publicUrl, metrics, logger, adviceIntervalMs = 10_000 } = this.#options;
    metrics.count('requestsRefused', 1, reason);
    const advisedAt = this.#advisedAt.get(reason);
    if (advisedAt === undefined || this.#now() - advisedAt >= adviceIntervalMs) {
      this.#advisedAt.set(reason, this.#now());
      const urlOf = kind === 'stream' ? streamUrl : webhookUrl;
      const expectedUrl = publicUrl === undefined ? undefined : urlOf(publicUrl, path);
      logger.warn({ reason, path, expectedUrl }, ADVICE[reason]);
    }
    return { passed: false, status: reason === 'no-signature' || reason === 'bad-signature' ? 403 : 503 };
  }
}

function checkSignature(
  { kind, path, query, headers, fields = [] }: GateRequest,
  publicUrl: string,
  { authTokens }: TwilioCredentials,
): SignatureCheck {
  const header = headers['x-twilio-signature'];
  return checkTwilioSignature({
    header: typeof header === 'string' ? header : undefined,
    tokens: authTokens,
    urls: publicUrlCandidates({ publicUrl, path, kind, query }),
    fields,
  });
}
