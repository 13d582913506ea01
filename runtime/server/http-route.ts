import type { IncomingHttpHeaders } from 'node:http';

/** One request whose body was read whole. */
export interface HttpRequest {
  readonly method: string;
  /** Without query. */
  readonly path: string;
  /** As sent, without the question mark; empty when there is none. */
  readonly query: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface HttpReply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** One door: which requests it takes, and its answer. What `handle` throws is answered 500 and logged. */
export interface Route {
  readonly methods: readonly string[];
  readonly paths: readonly string[];
  handle(request: HttpRequest): HttpReply | Promise<HttpReply>;
}

/** Splits a request target at its first question mark. Anything but a path (`*`, an absolute URL) matches no route. */
export function splitTarget(target: string): { readonly path: string; readonly query: string } {
  const mark = target.indexOf('?');
  return mark === -1
    ? { path: target, query: '' }
    : { path: target.slice(0, mark), query: target.slice(mark + 1) };
}
