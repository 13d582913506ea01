export type RestOperation = 'read call' | 'create stream' | 'stop stream' | 'unknown';

/** A request to the REST API, as faults choose by it and tests look at it. */
export interface RestRequest {
  readonly operation: RestOperation;
  readonly callSid: string;
  /** Sid or name, of `stop stream`. */
  readonly stream?: string;
  readonly form: Readonly<Record<string, string>>;
}

/**
 * silence: neither done nor answered. cut: neither done nor answered, and the connection is reset.
 * lost: done, but never answered. A status: not done, and answered with it.
 */
export type RestFaultKind = 'silence' | 'cut' | 'lost' | { readonly status: number; readonly code?: number };

export interface RestFault {
  /** Default: every request. */
  readonly when?: (request: RestRequest) => boolean;
  /** Counted down; the fault is over at 0. Infinity lasts. */
  times: number;
  /** Of real time, before anything is done. */
  readonly latencyMs?: number;
  /** Default: the right answer, late. */
  readonly answer?: RestFaultKind;
}

/** The first fault that the request meets, counted down. */
export function takeRestFault(faults: RestFault[], request: RestRequest): RestFault | undefined {
  const fault = faults.find(({ when, times }) => times > 0 && (when?.(request) ?? true));
  if (fault !== undefined) fault.times -= 1;
  return fault;
}
