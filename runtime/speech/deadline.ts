/**
 * Runs a request that ends when it is no longer wanted or takes too long.
 * Not `AbortSignal.any` over `AbortSignal.timeout`: on Node 20 the time-out is collected as garbage, and never comes.
 */
export async function withDeadline<T>(
  options: { readonly signal: AbortSignal; readonly timeoutMs: number },
  request: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const { signal, timeoutMs } = options;
  const deadline = new AbortController();
  const onAbort = (): void => deadline.abort(signal.reason);
  const timer = setTimeout(() => deadline.abort(new Error('The request took too long')), timeoutMs);
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  try {
    return await request(deadline.signal);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
  }
}
