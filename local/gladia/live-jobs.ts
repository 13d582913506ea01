import { HttpRefusal, type HttpAnswer } from './http-answer';
import type { LiveSession } from './live-session';
import { toMuLawWav } from './wav-file';

const METADATA_BYTES = 100_000;
const STATUSES: readonly string[] = ['queued', 'processing', 'done', 'error'];

/** The job behind a session, as GET /v2/live/{id} gives it (gladia-live.md, 5). */
export function toJob(session: LiveSession): Record<string, unknown> {
  const done = session.jobStatus === 'done';
  return {
    id: session.id,
    request_id: `G-${session.id.slice(0, 8)}`,
    version: 2,
    kind: 'live',
    status: session.jobStatus,
    created_at: session.createdAt.toISOString(),
    completed_at: session.completedAt?.toISOString() ?? null,
    error_code: session.jobStatus === 'error' ? 500 : null,
    custom_metadata: session.customMetadata,
    post_session_metadata: session.postSessionMetadata,
    file: {
      id: session.id,
      filename: `${session.id}.wav`,
      source: null,
      audio_duration: session.durationS,
      number_of_channels: session.channels,
    },
    request_params: session.body,
    result: done ? { ...session.result(), messages: session.messages } : null,
  };
}

/** The WAV of what a session has accepted. */
export function toFile(session: LiveSession): HttpAnswer {
  const audio = session.accepted();
  if (audio === undefined)
    throw new HttpRefusal(404, 'this server keeps the digest of the audio only (option keep)');
  return { status: 200, body: toMuLawWav(audio, session.channels) };
}

/** Attaches metadata after the session. */
export function patchJob(session: LiveSession, body: unknown): HttpAnswer {
  const metadata = isRecord(body) ? body['post_session_metadata'] : undefined;
  if (!isRecord(metadata)) throw new HttpRefusal(400, 'Field "post_session_metadata" must be an object');
  if (JSON.stringify(metadata).length > METADATA_BYTES)
    throw new HttpRefusal(413, 'post_session_metadata is over 100 kB');
  session.postSessionMetadata = metadata;
  return { status: 204 };
}

/** GET /v2/live: newest first, filtered and cut into pages. */
export function listJobs(sessions: readonly LiveSession[], url: URL): HttpAnswer {
  const offset = readCount(url, 'offset', { fallback: 0, least: 0 });
  const limit = readCount(url, 'limit', { fallback: 20, least: 1 });
  const found = sessions.filter(createFilter(url)).reverse();
  const pageAt = (at: number): string => {
    const page = new URL(url);
    page.searchParams.set('offset', String(at));
    page.searchParams.set('limit', String(limit));
    return page.href;
  };
  const next = offset + limit < found.length ? pageAt(offset + limit) : null;
  const items = found.slice(offset, offset + limit).map(toJob);
  return { status: 200, body: { first: pageAt(0), current: pageAt(offset), next, items } };
}

function createFilter({ searchParams }: URL): (session: LiveSession) => boolean {
  const statuses = searchParams.getAll('status');
  const unknown = statuses.find((status) => !STATUSES.includes(status));
  if (unknown !== undefined) throw new HttpRefusal(400, `status must be one of ${STATUSES.join(', ')}`);
  const day = readDate(searchParams, 'date')?.slice(0, 10);
  const before = readDate(searchParams, 'before_date');
  const after = readDate(searchParams, 'after_date');
  const metadata = [...searchParams].flatMap(([name, value]) => {
    const key = /^custom_metadata\[(.+)\]$/.exec(name)?.[1];
    return key === undefined ? [] : [{ key, value }];
  });
  return (session) => {
    const createdAt = session.createdAt.toISOString();
    return (
      (statuses.length === 0 || statuses.includes(session.jobStatus)) &&
      (day === undefined || createdAt.startsWith(day)) &&
      (before === undefined || createdAt < before) &&
      (after === undefined || createdAt > after) &&
      metadata.every(({ key, value }) => String(session.customMetadata[key]) === value)
    );
  };
}

function readDate(params: URLSearchParams, name: string): string | undefined {
  const text = params.get(name);
  if (text === null) return undefined;
  const date = new Date(text);
  if (Number.isNaN(date.getTime())) throw new HttpRefusal(400, `${name} must be an ISO 8601 date`);
  return date.toISOString();
}

function readCount(url: URL, name: string, { fallback, least }: { fallback: number; least: number }): number {
  const text = url.searchParams.get(name);
  if (text === null) return fallback;
  const value = Number(text);
  if (!Number.isInteger(value) || value < least)
    throw new HttpRefusal(400, `${name} must be a whole number from ${least} up`);
  return value;
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
