import { UNREADY_REASONS } from './contract/metrics';
import type { Logger } from './observability/logger';
import type { Metrics } from './observability/metrics';
import type { Readiness, UnreadyReason } from './readiness';

export interface ReadinessWatchOptions {
  readonly readiness: Pick<Readiness, 'unreadyReasons'>;
  /** From the end of one look to the next. The first one is at once. */
  readonly intervalMs: number;
  readonly metrics: Metrics;
  readonly logger: Logger;
}

/**
 * Looks regularly at what keeps the relay from transcribing: sets the gauge `unready`, and logs each reason once when
 * it begins, with what mends it, and once when it has ended. Looking also reads secrets that were filled or are old.
 * The returned `close` is safe to call twice.
 */
export function watchReadiness(options: ReadinessWatchOptions): { close(): void } {
  const { readiness, intervalMs, metrics, logger } = options;
  const standing = new Set<UnreadyReason['reason']>();
  let timer: NodeJS.Timeout | undefined;
  let isClosed = false;

  const look = async (): Promise<void> => {
    const found = new Map((await readiness.unreadyReasons()).map(({ reason, fix }) => [reason, fix]));
    if (isClosed) return;
    for (const reason of UNREADY_REASONS) {
      const fix = found.get(reason);
      metrics.gauge('unready', fix === undefined ? 0 : 1, reason);
      if (fix !== undefined && !standing.has(reason)) {
        standing.add(reason);
        logger.warn({ reason, fix }, 'The next call would not be transcribed');
      }
      if (fix === undefined && standing.delete(reason)) logger.info({ reason }, 'This is mended');
    }
    timer = setTimeout(() => void look(), intervalMs);
  };

  void look();
  return {
    close() {
      isClosed = true;
      clearTimeout(timer);
    },
  };
}
