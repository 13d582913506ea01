import type { IncomingMessage } from 'node:http';
import { HttpRefusal, type HttpAnswer } from './http-answer';
import { isRecord, listJobs, patchJob, toFile, toJob } from './live-jobs';
import { findLocalLimits } from './local-limits';
import type { LiveSession } from './live-session';
import type { Recogniser } from './recogniser';
import { parseSessionRequest, type SessionRequest } from './session-request';

const REGIONS: readonly string[] = ['us-west', 'eu-west'];
const DELETABLE: readonly string[] = ['done', 'error'];

/** What the routes do with sessions; the server owns them. */
export interface SessionRegistry {
  readonly recogniser: Recogniser;
  readonly apiKeys: readonly string[];
  readonly maxConcurrentSessions: number;
  /** Sessions whose job is not over: they hold a slot. */
  slotsInUse(): number;
  create(body: Readonly<Record<string, unknown>>, request: SessionRequest): LiveSession;
  find(id: string): LiveSession | undefined;
  /** Those that have not been deleted. */
  list(): readonly LiveSession[];
  remove(session: LiveSession): void;
}

export interface RouteRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: IncomingMessage['headers'];
  /** Parsed JSON; undefined when there is none. */
  readonly body: unknown;
}

/** Answers a request. @throws HttpRefusal for what is refused. */
export function route(registry: SessionRegistry, request: RouteRequest): HttpAnswer {
  const { method, url } = request;
  const [, id, file] = /^\/v2\/live(?:\/([^/]+)(\/file)?)?$/.exec(url.pathname) ?? [url.pathname];
  const key = `${method} ${url.pathname === '/v2/live' ? 'live' : id === undefined ? '' : file === undefined ? 'job' : 'file'}`;
  const known = ROUTES[key];
  if (known === undefined) throw new HttpRefusal(404, `Cannot ${method} ${url.pathname}`);
  checkKey(registry, request);
  return known(registry, request, id ?? '');
}

type Route = (registry: SessionRegistry, request: RouteRequest, id: string) => HttpAnswer;

const ROUTES: Readonly<Record<string, Route>> = {
  'POST live': (registry, request) => createSession(registry, request),
  'GET live': (registry, { url }) => listJobs(registry.list(), url),
  'GET job': (registry, _, id) => ({ status: 200, body: toJob(find(registry, id)) }),
  'DELETE job': (registry, _, id) => deleteJob(registry, find(registry, id)),
  'PATCH job': (registry, { body }, id) => patchJob(find(registry, id), body),
  'GET file': (registry, _, id) => toFile(find(registry, id)),
};

/** The two messages are those seen at the real API (gladia-live.md, 1.6). */
function checkKey({ apiKeys }: SessionRegistry, { headers }: RouteRequest): void {
  const key = headers['x-gladia-key'];
  if (key === undefined || key === '') throw new HttpRefusal(401, 'no gladia key provided');
  if (!apiKeys.includes(String(key))) throw new HttpRefusal(401, 'gladia user not found');
}

function createSession(registry: SessionRegistry, { url, headers, body }: RouteRequest): HttpAnswer {
  checkRegion(url);
  const request = readRequest(registry, body);
  const { maxConcurrentSessions: most } = registry;
  if (registry.slotsInUse() >= most) {
    throw new HttpRefusal(
      429,
      `Maximum number of concurrent sessions reached. Your Free Trial plan allows only up to ${most} sessions. Please visit https://app.gladia.io/ to upgrade your plan.`,
    );
  }
  const session = registry.create(isRecord(body) ? body : {}, request);
  return {
    status: 201,
    body: {
      id: session.id,
      created_at: session.createdAt.toISOString(),
      url: `ws://${headers.host ?? url.host}/v2/live?token=${session.token}`,
    },
  };
}

function checkRegion({ searchParams }: URL): void {
  const region = searchParams.get('region');
  if (region === null || REGIONS.includes(region)) return;
  throw invalid([`Query parameter "region" must be one of ${REGIONS.join(', ')}`]);
}

function readRequest({ recogniser }: SessionRegistry, body: unknown): SessionRequest {
  const { request, errors } = parseSessionRequest(body ?? {});
  if (errors !== undefined) throw invalid(errors);
  const limits = findLocalLimits(request, recogniser);
  if (limits.length > 0) throw invalid(limits);
  return request;
}

function invalid(errors: readonly string[]): HttpRefusal {
  return new HttpRefusal(400, `Invalid parameter(s): ${errors.join('; ')}`, { validationErrors: errors });
}

function deleteJob(registry: SessionRegistry, session: LiveSession): HttpAnswer {
  if (!DELETABLE.includes(session.jobStatus)) {
    throw new HttpRefusal(
      403,
      `the job is ${session.jobStatus}; only a job that is done or in error can be deleted`,
    );
  }
  registry.remove(session);
  return { status: 202 };
}

function find(registry: SessionRegistry, id: string): LiveSession {
  const session = registry.find(id);
  if (session === undefined)
    throw new HttpRefusal(404, `live job ${JSON.stringify(id.slice(0, 64))} not found`);
  return session;
}
