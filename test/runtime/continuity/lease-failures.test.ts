import { LeaseFailures } from '../../../runtime/continuity/lease-failures';
import { Metrics } from '../../../runtime/observability/metrics';
import { recordLog } from '../../support/recorded-log';

const LEASE_MS = 12_000;

let nowMs: number;
let metrics: Metrics;
let log: ReturnType<typeof recordLog>;
let failures: LeaseFailures;
const counted = (): number => metrics.value('leaseFailures');
const messages = (): unknown[] => log.lines.map(({ msg }) => msg);

beforeEach(() => {
  nowMs = 1_000;
  metrics = new Metrics();
  log = recordLog();
  const now = (): number => nowMs;
  failures = new LeaseFailures({ message: 'It fails', leaseMs: LEASE_MS, now, logger: log.logger, metrics });
});

function failFor(ms: number): void {
  for (const untilMs = nowMs + ms; nowMs < untilMs;) {
    nowMs += 500;
    failures.failed(new Error('no answer'));
  }
}

it('does not count what fails for a moment, however often it is tried', () => {
  failFor(LEASE_MS - 500);
  failures.worked();
  failFor(LEASE_MS - 500);
  expect(counted()).toBe(0);
});

it('counts from the last time that it worked, once for as long as a lease', () => {
  nowMs += LEASE_MS - 500;
  failFor(500);
  expect(counted()).toBe(1);
  failFor(LEASE_MS - 500);
  expect(counted()).toBe(1);
  failFor(500);
  expect(counted()).toBe(2);
});

it('says once that it fails, and again when it has worked in between', () => {
  failFor(3 * LEASE_MS);
  expect(messages()).toEqual(['It fails']);
  failures.worked();
  expect(failures.isFailing).toBe(false);
  failFor(1_000);
  expect(messages()).toEqual(['It fails', 'It fails']);
});
