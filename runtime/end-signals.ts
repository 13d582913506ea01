/** npm passes a terminal's Ctrl-C on to a process that has it already: one press is two signals. */
const SAME_PRESS_MS = 1_000;

/**
 * SIGINT and SIGTERM: the first one calls `end`, a later one `endAtOnce`. Two within a second are one.
 * @returns takes the listeners away
 */
export function onEndSignals(end: () => void, endAtOnce: () => void): () => void {
  let firstAtMs: number | undefined;
  const onSignal = (): void => {
    const nowMs = performance.now();
    if (firstAtMs === undefined) {
      firstAtMs = nowMs;
      end();
    } else if (nowMs - firstAtMs > SAME_PRESS_MS) endAtOnce();
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  return () => {
    process.off('SIGINT', onSignal);
    process.off('SIGTERM', onSignal);
  };
}
