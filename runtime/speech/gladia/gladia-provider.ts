import { Secret } from '../../model/secret';
import type { Logger } from '../../observability/logger';
import type { Metrics } from '../../observability/metrics';
import { SpeechError, type SessionGrant, type SessionRequest, type SpeechProvider } from '../speech-provider';
import { parseGladiaJob } from './gladia-messages';
import { gladiaRequest } from './gladia-rest';
import type { GladiaSessionOptions } from './gladia-session-options';
import { gladiaSessionRequest } from './gladia-session-request';
import { GladiaSocket, type GladiaTiming } from './gladia-socket';

export type { GladiaTiming };

export interface GladiaOptions extends GladiaTiming {
  readonly apiUrl: string;
  readonly region?: 'us-west' | 'eu-west';
  readonly sessionOptions: GladiaSessionOptions;
  /** Where the key comes from. `refreshGladiaApiKey` is asked once after a 401: the key may have been rotated. */
  readonly credentials: GladiaCredentials;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

export interface GladiaCredentials {
  gladiaApiKey(): Promise<Secret | undefined>;
  refreshGladiaApiKey(): Promise<Secret | undefined>;
}

export const GLADIA_TIMING = {
  connectTimeoutMs: 10_000,
  pingIntervalMs: 15_000,
  closeTimeoutMs: 2_000,
} as const;

/** Gladia's live API as a speech provider. */
export function createGladiaProvider(options: GladiaOptions): SpeechProvider {
  const { credentials, sessionOptions } = options;

  async function withKey<T>(request: (key: Secret) => Promise<T>): Promise<T> {
    const key = await credentials.gladiaApiKey();
    if (key === undefined)
      throw new SpeechError('There is no Gladia key yet', { code: 'no-key', retryable: true });
    try {
      return await request(key);
    } catch (error) {
      if (!(error instanceof SpeechError) || error.code !== 'http-401') throw error;
      const newKey = await credentials.refreshGladiaApiKey();
      if (newKey === undefined || newKey.reveal() === key.reveal()) throw error;
      return request(newKey);
    }
  }

  return {
    name: 'gladia',

    async createSession(request: SessionRequest, signal: AbortSignal): Promise<SessionGrant> {
      const url = apiUrl(options.apiUrl, 'v2/live');
      // Only in the query: in the body it is a 400 (gladia-live.md, 1.1).
      if (options.region !== undefined) url.searchParams.set('region', options.region);
      const body = gladiaSessionRequest(request, sessionOptions);
      return readGrant(await withKey((key) => gladiaRequest({ url, method: 'POST', key, body, signal })));
    },

    connect: (grant, listener, logger = options.logger) =>
      new GladiaSocket({ ...options, logger, url: grant.url.reveal() }, listener),

    async fetchResult(sessionId, signal) {
      const url = apiUrl(options.apiUrl, `v2/live/${encodeURIComponent(sessionId)}`);
      return parseGladiaJob(await withKey((key) => gladiaRequest({ url, method: 'GET', key, signal })));
    },
  };
}

function apiUrl(base: string, path: string): URL {
  return new URL(path, base.endsWith('/') ? base : `${base}/`);
}

/** `url` is opaque but for its scheme (gladia-live.md, 1.5). */
function readGrant(answer: unknown): SessionGrant {
  const { id, url } = (answer ?? {}) as { id?: unknown; url?: unknown };
  // What `ws` would refuse must not reach it: its error message holds the URL, and with it the token.
  const isSocketUrl = typeof url === 'string' && /^wss?:\/\/[^#]+$/.test(url) && URL.canParse(url);
  if (typeof id !== 'string' || !isSocketUrl) {
    throw new SpeechError('Gladia answered a session without id or url', {
      code: 'bad-answer',
      retryable: true,
    });
  }
  return { sessionId: id, url: new Secret(url) };
}
