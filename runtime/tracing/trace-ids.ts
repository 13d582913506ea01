import { createHash } from 'node:crypto';

export interface TraceIds {
  readonly traceId: string;
  /** Of the span that is the call. */
  readonly rootSpanId: string;
}

/**
 * A call's trace has the same ids in every task that hears a part of it, so that nobody has to pass them on, and the
 * one that ends the call gives the span that all others hang on.
 */
export function traceIds(callSid: string): TraceIds {
  const hash = createHash('sha256').update(`callscript ${callSid}`).digest('hex');
  return { traceId: hash.slice(0, 32), rootSpanId: hash.slice(32, 48) };
}
