import { loadConfig } from '../../../runtime/config';
import {
  DEREGISTRATION_DELAY_MS,
  DRAIN_TIMEOUT_MS,
  EXIT_MARGIN_MS,
  HEALTH_INTERVAL_MS,
  HEALTH_TIMEOUT_MS,
  IDLE_TIMEOUT_MS,
  KEEP_ALIVE_TIMEOUT_MS,
  LONGEST_DRAIN_TIMEOUT_MS,
  PING_INTERVAL_MS,
  STOP_TIMEOUT_MS,
} from '../../../runtime/contract/durations';

test('a quiet stream is kept open, also when one ping is lost', () => {
  expect(2 * PING_INTERVAL_MS).toBeLessThan(IDLE_TIMEOUT_MS);
});

test('the load balancer lets go of an idle connection before the relay does', () => {
  expect(IDLE_TIMEOUT_MS).toBeLessThan(KEEP_ALIVE_TIMEOUT_MS);
});

test('the longest drain ends, and the process with it, before ECS kills', () => {
  expect(DRAIN_TIMEOUT_MS).toBeLessThanOrEqual(LONGEST_DRAIN_TIMEOUT_MS);
  expect(LONGEST_DRAIN_TIMEOUT_MS + EXIT_MARGIN_MS).toBeLessThanOrEqual(STOP_TIMEOUT_MS);
});

test('Fargate gives no more than two minutes to stop', () => {
  expect(STOP_TIMEOUT_MS).toBeLessThanOrEqual(120_000);
});

test('the load balancer keeps live sockets for as long as calls may be handed over', () => {
  expect(DEREGISTRATION_DELAY_MS).toBeGreaterThanOrEqual(LONGEST_DRAIN_TIMEOUT_MS);
});

test('a health check ends before the next one begins', () => {
  expect(HEALTH_TIMEOUT_MS).toBeLessThan(HEALTH_INTERVAL_MS);
});

test('the setting for the drain has its default and its limit from here', () => {
  expect(loadConfig({}).drainTimeoutMs).toBe(DRAIN_TIMEOUT_MS);
  expect(() => loadConfig({ DRAIN_TIMEOUT_MS: String(LONGEST_DRAIN_TIMEOUT_MS) })).not.toThrow();
  expect(() => loadConfig({ DRAIN_TIMEOUT_MS: String(LONGEST_DRAIN_TIMEOUT_MS + 1) })).toThrow(
    `DRAIN_TIMEOUT_MS: is a whole number of 6 characters; allowed: a whole number from 1000 to ${LONGEST_DRAIN_TIMEOUT_MS}`,
  );
});
