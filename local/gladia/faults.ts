/** How a socket is cut: TCP reset (sent data may be lost), TCP end without a close frame (sent data arrives), or a close frame. */
export type CutKind = 'reset' | 'fin' | { readonly closeCode: number; readonly reason?: string };

/** Odd messages that the relay must survive. */
export type OddMessage = 'malformed-json' | 'unknown-type' | 'error-frame' | 'huge-message';

export interface Cut {
  /** The socket is cut by the first audio frame with which the session has received this many bytes in all. */
  readonly afterBytes: number;
  readonly how: CutKind;
  /** Whether that frame is acknowledged first. */
  readonly ackLast: boolean;
}

/** What goes wrong on a session's socket. Read at the moment of use, so it can be changed while calls run. */
export interface SessionFaults {
  /** Upgrade requests are answered with this HTTP status. */
  readonly upgradeStatus: number | null;
  /** The socket is closed with this code as soon as it is open. */
  readonly closeOnOpen: number | null;
  /** Made in this order, each once in the life of the session. */
  readonly cuts: readonly Cut[];
  /** From this many received bytes on the socket is neither read nor written nor closed (half-open). Once a session. */
  readonly stallAfterBytes: number | null;
  readonly ackDelayMs: number;
  /** Each n-th ack is not sent: 0 none, 1 all. */
  readonly ackDropEvery: number;
  /** One ack for this many frames. */
  readonly ackCoalesce: number;
  /** `byte_range` ends with the last byte instead of the one after it. */
  readonly ackInclusiveEnd: boolean;
  /** UNKNOWN at Gladia (gladia-live.md, 4.4); its own SDK counts over the session. */
  readonly ackRelativeTo: 'session' | 'connection';
  /** What becomes of bytes that were received but not acked when the socket drops. UNKNOWN at Gladia. */
  readonly unackedOnDrop: 'counted' | 'forgotten';
  /** What becomes of messages made while no socket is there. UNKNOWN at Gladia. */
  readonly missedMessages: 'lost' | 'replayed';
  /** After a resume the last final of each channel is sent again. */
  readonly duplicateFinals: boolean;
  /** Sent once on each connection, after its first audio frame. */
  readonly oddMessages: readonly OddMessage[];
  /** `stop_recording` is ignored. */
  readonly loseStop: boolean;
  /** Audio is acked, but nothing about it is said. */
  readonly mute: boolean;
}

export const NO_SESSION_FAULTS: SessionFaults = {
  upgradeStatus: null,
  closeOnOpen: null,
  cuts: [],
  stallAfterBytes: null,
  ackDelayMs: 0,
  ackDropEvery: 0,
  ackCoalesce: 1,
  ackInclusiveEnd: false,
  ackRelativeTo: 'session',
  unackedOnDrop: 'counted',
  missedMessages: 'lost',
  duplicateFinals: false,
  oddMessages: [],
  loseStop: false,
  mute: false,
};

/** What the rules choose by. */
export interface FaultySession {
  readonly id: string;
  readonly customMetadata: Readonly<Record<string, unknown>>;
  /** In order of creation, from 0. */
  readonly number: number;
  readonly connections: number;
}

export interface SessionFaultRule {
  readonly when: (session: FaultySession) => boolean;
  readonly faults: Partial<SessionFaults>;
}

/** A request as the HTTP faults see it. */
export interface FaultyRequest {
  readonly method: string;
  readonly path: string;
  readonly body: unknown;
}

/** `hang`: no answer; `invalid-json`: a broken body; `lost`: done, but the connection is cut instead of an answer. */
export type FaultyAnswer =
  | 'hang'
  | 'invalid-json'
  | 'lost'
  | { readonly status: number; readonly message?: string; readonly headers?: Record<string, string> };

export interface HttpFault {
  /** Default: every `POST /v2/live`. */
  readonly when?: (request: FaultyRequest) => boolean;
  /** Counted down; the fault is over at 0. Infinity lasts. */
  times: number;
  readonly latencyMs?: number;
  /** Default: the right answer, late. */
  readonly answer?: FaultyAnswer;
}

/** All faults of a server, as data that a test may change at any time. */
export interface GladiaFaults {
  /** The first that matches is used. */
  http: HttpFault[];
  /** For every session. */
  sessions: Partial<SessionFaults>;
  /** Over `sessions`, for some; a later rule wins. */
  rules: SessionFaultRule[];
}

export function createFaults(): GladiaFaults {
  return { http: [], sessions: {}, rules: [] };
}

/** The faults of one session as they are now. */
export function faultsOf(faults: GladiaFaults, session: FaultySession): SessionFaults {
  const rules = faults.rules.filter((rule) => rule.when(session));
  return Object.assign(
    { ...NO_SESSION_FAULTS, ...faults.sessions },
    ...rules.map((rule) => rule.faults),
  ) as SessionFaults;
}

/** Takes the fault that the request meets, counting it down. */
export function takeHttpFault(faults: GladiaFaults, request: FaultyRequest): HttpFault | undefined {
  const fault = faults.http.find((each) => each.times > 0 && (each.when ?? isSessionPost)(request));
  if (fault !== undefined) fault.times -= 1;
  return fault;
}

function isSessionPost({ method, path }: FaultyRequest): boolean {
  return method === 'POST' && path === '/v2/live';
}
