import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Metrics } from './metrics';

/** How often the event loop is looked at; what it owes is told without it. */
const RESOLUTION_MS = 10;
const NS_PER_MS = 1e6;

export interface ProcessVitalsOptions {
  readonly metrics: Metrics;
  /** Default 1 s. */
  readonly intervalMs?: number;
}

/** Measures what every call of the process shares: its event loop and its memory. `close` is safe to call twice. */
export function watchProcessVitals({ metrics, intervalMs = 1_000 }: ProcessVitalsOptions): { close(): void } {
  const delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delays.enable();
  const look = (): void => {
    metrics.observe('eventLoopDelay', Math.max(0, delays.max / NS_PER_MS - RESOLUTION_MS));
    delays.reset();
    const { rss, heapUsed } = process.memoryUsage();
    metrics.gauge('residentMemory', rss);
    metrics.gauge('heapUsed', heapUsed);
  };
  const timer = setInterval(look, intervalMs);
  return {
    close() {
      clearInterval(timer);
      delays.disable();
    },
  };
}
