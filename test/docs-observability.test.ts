import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { withMetricsTable } from '../local/metrics-table';
import { cloudWatchName, METRICS, type MetricName } from '../runtime/contract/metrics';
import { SETTINGS } from '../runtime/contract/settings';
import { LATENCY_PARTS } from '../runtime/model/transcript-event';

const ROOT = join(__dirname, '..');
const page = readFileSync(join(ROOT, 'docs/observability.md'), 'utf8');
const [text = ''] = page.split('## Every metric');

test('the catalogue of metrics is the one of the registry', () => {
  expect(page).toBe(withMetricsTable(page));
});

test('the text names only metrics and settings that exist', () => {
  const metrics = new Set((Object.keys(METRICS) as MetricName[]).map(cloudWatchName));
  const named = [...text.matchAll(/`([A-Z][a-z]+[A-Z]\w+)`/g)].map(([, name = '']) => name);
  expect(
    named.filter((name) => !metrics.has(name) && !['DashboardUrl', 'CallscriptRelay'].includes(name)),
  ).toEqual([]);
  const settings = [...text.matchAll(/`([A-Z]+(?:_[A-Z]+)+)`/g)].map(([, name = '']) => name);
  expect(settings.filter((name) => !(name in SETTINGS) && name !== 'METRIC_NAMESPACE')).toEqual([]);
  expect(named.length).toBeGreaterThan(5);
});

test('the parts of the latency are those on the items', () => {
  const parts = [...text.matchAll(/`latencyParts\.(\w+)`/g)].map(([, part = '']) => part);
  expect([...new Set(parts)].toSorted()).toEqual([...LATENCY_PARTS].toSorted());
});

test('the spans are those that are sent', () => {
  const source = readFileSync(join(ROOT, 'runtime/tracing/span-exporter.ts'), 'utf8');
  const names = [...source.matchAll(/^ {2}\| '([a-z ]+)'/gm)].map(([, name = '']) => name);
  expect(names.length).toBeGreaterThan(5);
  for (const name of names) expect(text).toContain(`\`${name}\``);
});

test('every file and heading that the page names is there', () => {
  const files = [...page.matchAll(/`((?:lib|runtime|local|test)\/[\w./-]+)`/g)].map(([, path = '']) => path);
  expect(files.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
  const runbook = readFileSync(join(ROOT, 'docs/runbook.md'), 'utf8');
  for (const [, id = ''] of page.matchAll(/runbook\.md#([\w-]+)/g))
    expect(runbook).toContain(`\n### ${id}\n`);
  const headings = [...page.matchAll(/^## (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^a-z -]/g, '')
      .replaceAll(' ', '-'),
  );
  const linked = [...page.matchAll(/\]\(#([\w-]+)\)/g)].map(([, anchor = '']) => anchor);
  expect(linked).toEqual(headings);
});
