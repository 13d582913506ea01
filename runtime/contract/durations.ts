/**
 * Durations that infrastructure and program agree on, in milliseconds. What depends on what:
 *
 * ```
 * ping interval        20 s   < idle time-out / 2: a lost ping does not close a quiet stream
 * idle time-out       120 s   < keep-alive: the load balancer lets go of a connection first, never meets a closed one
 * keep-alive          130 s
 * drain               100 s   <= 115 s, what the setting allows
 * longest drain       115 s   + 5 s to exit <= stop time-out, after which ECS kills
 * deregistration      120 s   >= longest drain: the load balancer keeps live sockets while calls are handed over
 * stop time-out       120 s   the most that Fargate allows
 * health time-out       5 s   < health interval, 10 s
 * ```
 */

/** Between pings on a media socket, which carries nothing else towards Twilio. */
export const PING_INTERVAL_MS = 20_000;
/** Without a byte for this long the load balancer closes a connection. */
export const IDLE_TIMEOUT_MS = 120_000;
/** For this long the relay keeps an idle HTTP connection. */
export const KEEP_ALIVE_TIMEOUT_MS = 130_000;
/** To finish or hand over live calls: default of `DRAIN_TIMEOUT_MS`, and the most it may be. */
export const DRAIN_TIMEOUT_MS = 100_000;
export const LONGEST_DRAIN_TIMEOUT_MS = 115_000;
/** From the end of the drain until the process has exited. */
export const EXIT_MARGIN_MS = 5_000;
/** From SIGTERM to SIGKILL. */
export const STOP_TIMEOUT_MS = 120_000;
/** For this long the load balancer keeps the sockets of a task that gets no new ones. */
export const DEREGISTRATION_DELAY_MS = 120_000;

export const HEALTH_INTERVAL_MS = 10_000;
export const HEALTH_TIMEOUT_MS = 5_000;
/** Looks in a row that make a task healthy, and unhealthy: 20 s and 50 s. A stall does not cost its calls. */
export const HEALTHY_COUNT = 2;
export const UNHEALTHY_COUNT = 5;
/** From a task's start until a failed look counts; the relay listens within a second. */
export const HEALTH_GRACE_MS = 60_000;
