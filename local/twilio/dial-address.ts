/**
 * Where to connect instead of the host in the URL. URL, Host header and signature stay those of the public URL,
 * and TLS is left out, as if a load balancer had ended it before the relay.
 */
export interface DialAddress {
  readonly host: string;
  readonly port: number;
  /** Puts the dialled address into Host and the public one into x-forwarded-*, as a tunnel does. */
  readonly rewritesHost?: boolean;
}

export interface DialTarget {
  readonly host: string;
  readonly port: number;
  readonly isTls: boolean;
  /** Path and query. */
  readonly path: string;
  /** `host`, and behind a tunnel the headers that it adds. */
  readonly headers: Readonly<Record<string, string>>;
}

const TLS_PROTOCOLS = ['https:', 'wss:'];

/** Where a request for `url` goes and which Host it names. Throws a TypeError for a malformed URL. */
export function dialTargetOf(url: string, dial?: DialAddress): DialTarget {
  const { hostname, port, host, protocol, pathname, search } = new URL(url);
  const isTls = TLS_PROTOCOLS.includes(protocol);
  const path = `${pathname}${search}`;
  if (dial === undefined) {
    return { host: hostname, port: Number(port) || (isTls ? 443 : 80), isTls, path, headers: { host } };
  }
  const forwarded = {
    'x-forwarded-for': '192.0.2.1',
    'x-forwarded-host': host,
    'x-forwarded-proto': 'https',
  };
  const headers = dial.rewritesHost === true ? { host: `${dial.host}:${dial.port}`, ...forwarded } : { host };
  return { host: dial.host, port: dial.port, isTls: false, path, headers };
}
