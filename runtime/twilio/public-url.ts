/** The parts of an absolute URL exactly as written: Twilio signs what the user typed, not what `new URL` makes of it. */
interface UrlParts {
  readonly scheme: string;
  readonly host: string;
  /** With its colon, or empty. */
  readonly port: string;
  /** Starts with a slash, ends without one; empty for the root. */
  readonly prefix: string;
}

export type DoorKind = 'webhook' | 'stream';

export interface UrlCandidatesOptions {
  /** The setting `PUBLIC_URL`; a path in it is a prefix of every route. */
  readonly publicUrl: string;
  /** Starts with a slash. */
  readonly path: string;
  readonly kind: DoorKind;
  /** Raw query of the request without its question mark: it is part of what is signed. */
  readonly query?: string;
}

/** @throws Error when `publicUrl` is no absolute http(s) URL; the settings are checked at start */
function splitUrl(publicUrl: string): UrlParts {
  const match = /^(https?):\/\/(?:[^/?#@]*@)?(\[[^\]/?#]+\]|[^:/?#]+)(:\d+)?(\/[^?#]*)?/i.exec(publicUrl);
  if (match === null) throw new Error('PUBLIC_URL is not an http(s) URL, such as https://relay.example.com');
  const [, scheme = '', host = '', port = '', path = ''] = match;
  return { scheme: scheme.toLowerCase(), host, port, prefix: path.replace(/\/+$/, '') };
}

/** What to paste into Twilio for a webhook. */
export function webhookUrl(publicUrl: string, path: string): string {
  const { scheme, host, port, prefix } = splitUrl(publicUrl);
  return `${scheme}://${host}${port}${prefix}${path}`;
}

/** What to put into `<Stream url>`: `wss`, or `ws` where the public URL itself is not encrypted (a test network). */
export function streamUrl(publicUrl: string, path: string): string {
  return webhookUrl(publicUrl, path).replace(/^http/, 'ws');
}

/** Paths a request for a route may arrive with: a proxy passes the prefix of `PUBLIC_URL` on, or takes it off. */
export function routePaths(publicUrl: string | undefined, path: string): readonly string[] {
  const { prefix } = publicUrl === undefined ? { prefix: '' } : splitUrl(publicUrl);
  return prefix === '' ? [path] : [path, `${prefix}${path}`];
}

/**
 * Every way in which Twilio may have written the URL that it signed: with and without a slash at the end, with and
 * without the port, for streams with the WebSocket scheme (twilio-media-streams.md, 3.2; which of them Twilio uses
 * when is UNKNOWN there). All are names of our own URL, so taking any costs no security. Nothing comes from request
 * headers.
 */
export function publicUrlCandidates(options: UrlCandidatesOptions): readonly string[] {
  const parts = splitUrl(options.publicUrl);
  const urls: string[] = [];
  for (const scheme of signedSchemes(parts.scheme, options.kind)) {
    for (const host of new Set([parts.host, parts.host.toLowerCase()])) {
      for (const port of [parts.port, parts.port === '' ? defaultPort(scheme) : '']) {
        for (const path of withAndWithoutSlash(`${parts.prefix}${options.path}`)) {
          urls.push(...withQuery(`${scheme}://${host}${port}${path}`, options));
        }
      }
    }
  }
  return urls;
}

function signedSchemes(scheme: string, kind: DoorKind): readonly string[] {
  if (kind === 'webhook') return [scheme];
  return scheme === 'https' ? ['wss'] : ['wss', 'ws'];
}

function defaultPort(scheme: string): string {
  return scheme === 'https' || scheme === 'wss' ? ':443' : ':80';
}

function withAndWithoutSlash(path: string): readonly string[] {
  return path.endsWith('/') ? [path, path.slice(0, -1)] : [path, `${path}/`];
}

/** Twilio takes the query off a stream's URL before it dials (1.4), so a query that arrives there may not be its own. */
function withQuery(url: string, { kind, query }: UrlCandidatesOptions): readonly string[] {
  if (query === undefined || query === '') return [url];
  return kind === 'stream' ? [`${url}?${query}`, url] : [`${url}?${query}`];
}
