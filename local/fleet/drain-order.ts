import { setTimeout as delay } from 'node:timers/promises';
import type { Balancer } from '../balancer/balancer';
import type { FleetRelay } from './fleet-relay';

/** What a deployment does to a task first (design 7). Which one AWS really plays was not verified. */
export type DrainOrder =
  'SIGTERM first' | 'deregistered, sockets kept, SIGTERM' | 'deregistered, sockets cut, SIGTERM';

export const DRAIN_ORDERS: readonly DrainOrder[] = [
  'SIGTERM first',
  'deregistered, sockets kept, SIGTERM',
  'deregistered, sockets cut, SIGTERM',
];

export interface DrainTiming {
  /** With `SIGTERM first`: so long the balancer still gives it new connections. Default 500 ms. */
  readonly deregisterLagMs: number;
  /**
   * From the deregistration to SIGTERM: at most this, and less when no connection is left before. Default 20 s with
   * sockets kept, the same as AWS's delay scaled down; with sockets cut there is nothing to wait for.
   */
  readonly deregistrationDelayMs: number;
}

export const DRAIN_TIMING: DrainTiming = { deregisterLagMs: 500, deregistrationDelayMs: 20_000 };

/** Takes one relay out of service; resolves when SIGTERM is sent and it is deregistered. */
export async function playDrain(
  relay: FleetRelay,
  { order, balancer, timing }: { order: DrainOrder; balancer: Balancer; timing: DrainTiming },
): Promise<void> {
  relay.task.desiredStatus = 'STOPPED';
  if (order === 'SIGTERM first') {
    relay.task.lastStatus = 'STOPPING';
    relay.signal('SIGTERM');
    await Promise.race([delay(timing.deregisterLagMs), relay.exited]);
    balancer.deregister(relay.port, { cutSockets: false });
    return;
  }
  relay.task.lastStatus = 'DEACTIVATING';
  const cutSockets = order === 'deregistered, sockets cut, SIGTERM';
  balancer.deregister(relay.port, { cutSockets });
  // The delay ends early when the target has no connection left.
  const isIdle = (): boolean => balancer.connections(relay.port) === 0;
  const options = { timeoutMs: timing.deregistrationDelayMs };
  if (!cutSockets) await balancer.waitFor(isIdle, options).catch(() => undefined);
  relay.task.lastStatus = 'STOPPING';
  relay.signal('SIGTERM');
}
