// @ts-check
// Preloaded into every measured Node process. Plain JavaScript, so that no loader runs in what is measured.
import { monitorEventLoopDelay, performance, PerformanceObserver } from 'node:perf_hooks';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** @typedef {import('./probe-messages').ProbeRequest} ProbeRequest */
/** @typedef {import('./probe-messages').ProbeReport} ProbeReport */

const NANOSECONDS_PER_MS = 1e6;
const DELAY_RESOLUTION_MS = 10;

const delay = monitorEventLoopDelay({ resolution: DELAY_RESOLUTION_MS });
let gcMs = 0;
let cpu = process.cpuUsage();
let sinceMs = performance.now();

new PerformanceObserver((list) => {
  for (const { duration } of list.getEntries()) gcMs += duration;
}).observe({ entryTypes: ['gc'] });

function begin() {
  gcMs = 0;
  delay.reset();
  delay.enable();
  cpu = process.cpuUsage();
  sinceMs = performance.now();
}

function collectGarbage() {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc');
  collect();
  collect();
}

/** @returns {ProbeReport} */
function report() {
  const { user, system } = process.cpuUsage(cpu);
  const { rss, heapUsed, external, arrayBuffers } = process.memoryUsage();
  return {
    cpuMs: (user + system) / 1000,
    wallMs: performance.now() - sinceMs,
    gcMs,
    loopDelayP50Ms: Math.max(0, delay.percentile(50) / NANOSECONDS_PER_MS - DELAY_RESOLUTION_MS),
    loopDelayP99Ms: Math.max(0, delay.percentile(99) / NANOSECONDS_PER_MS - DELAY_RESOLUTION_MS),
    rssBytes: rss,
    heapBytes: heapUsed,
    externalBytes: external + arrayBuffers,
  };
}

process.on('message', (/** @type {ProbeRequest} */ request) => {
  if (request === 'begin') begin();
  if (request === 'collected') collectGarbage();
  process.send?.(report());
});
process.channel?.unref();
