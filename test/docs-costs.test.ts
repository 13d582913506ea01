import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { withCostTables } from '../local/cost-tables';
import { callUsd } from '../local/costs/call-cost';
import { EGRESSES, ENDPOINTS, IDLE, idleUsd } from '../local/costs/idle-cost';
import { HOURS_A_MONTH, PRICES } from '../local/costs/prices';
import { CONTINUITY_TIMING } from '../runtime/continuity/continuity-timing';
import { EmbeddedMetrics } from '../runtime/observability/embedded-metrics';
import { Metrics } from '../runtime/observability/metrics';
import { RELAY_TIMING } from '../runtime/relay';
import { LIVE_SHARD_NUMBERS } from '../runtime/store/live-leg';

const ROOT = join(__dirname, '..');
const page = readFileSync(join(ROOT, 'docs/costs.md'), 'utf8');

test('the tables of costs.md are made from the prices', () => {
  expect(page).toBe(withCostTables(page));
});

test('a page without the markers of a table is refused', () => {
  expect(() => withCostTables(page.replace('<!-- table: own -->', ''))).toThrow('<!-- table: own -->');
});

test('the cheapest and the default choice cost what a pocket calculator says', () => {
  const task = 1 * 0.03238 + 2 * 0.00356;
  const shared = (2 * task + 0.0225) * 730 + 60 * 0.3 + 30 * 0.1 + 3 + 1 + 3 * 0.4;
  const readings = ((2 * 3 * 12 * 730) / 10_000) * 0.05;
  const logs = ((2 * 60 * 730 * 4000) / 1e9) * 0.5;
  const table = (2 * 60 * 730 * (12 * 0.625 + 54 * 0.125)) / 1e6;
  const always = shared + readings + logs + table;
  expect(idleUsd('CloudFront', 'nat')).toBeCloseTo(always + 0.05 * 730, 6);
  expect(idleUsd('CloudFront', 'nat', 'CallscriptStore')).toBeCloseTo(3 * 0.4, 6);
  expect(idleUsd('CloudFront', 'public')).toBeCloseTo(always + 2 * 0.005 * 730, 6);
});

test('an hour of call costs what a pocket calculator says', () => {
  expect(callUsd('Gladia')).toEqual([0.75, 1.5]);
  expect(callUsd('Twilio')[0]).toBeCloseTo(60 * 0.0129, 6);
  const aws =
    0.15 * 0.028 + 0.0395 / 140 + 0.135 * 0.045 + 0.075 * 0.09 + 2880 * 0.625e-6 + 0.00144 * 0.45 * 12;
  expect(callUsd('AWS')[1]).toBeCloseTo(aws, 6);
});

test('every price has a day, a page of its seller, and a month of hours that AWS uses', () => {
  for (const { usd, page: seller, read } of Object.values(PRICES)) {
    expect(usd).toBeGreaterThan(0);
    expect(new URL(seller).hostname).toMatch(/^(aws\.amazon\.com|www\.twilio\.com|www\.gladia\.io)$/);
    expect(read).toMatch(/^2026-\d\d(-\d\d)?$/);
  }
  expect(HOURS_A_MONTH).toBe(730);
  expect(ENDPOINTS.length * EGRESSES.length).toBe(6);
});

test('the page counts no fewer metrics and no shorter log lines than an idle relay emits', () => {
  const lines = new EmbeddedMetrics(new Metrics()).lines(Date.now());
  const metrics = lines.flatMap((line) => {
    const { _aws } = JSON.parse(line) as { _aws: { CloudWatchMetrics: { Metrics: object[] }[] } };
    return _aws.CloudWatchMetrics.flatMap((directive) => directive.Metrics);
  });
  expect(metrics.length).toBeGreaterThan(20);
  expect(metrics.length).toBeLessThanOrEqual(IDLE.metrics);
  expect(lines.join('').length).toBeLessThanOrEqual(IDLE.logBytesPerTaskMinute);
});

test('the page counts the requests that idle tasks make of the table', () => {
  const { renewEveryMs, lookEveryMs, thoroughEvery } = CONTINUITY_TIMING;
  const aMinute = (everyMs: number): number => 60_000 / everyMs;
  // A strong read is one unit, any other half of one.
  const legs = (aMinute(lookEveryMs * thoroughEvery) * LIVE_SHARD_NUMBERS.length) / 2;
  const reads =
    aMinute(renewEveryMs) + aMinute(lookEveryMs) + legs + aMinute(RELAY_TIMING.readinessIntervalMs);
  expect(IDLE.tableWritesPerTaskMinute).toBe(aMinute(renewEveryMs));
  expect(IDLE.tableReadsPerTaskMinute).toBe(reads);
});
